"""Questions that meet a gateway's error page instead of Bybit."""

import contextlib
from typing import Any

import pytest

from kangbot.errors import Ambiguous, KangbotError, Misstamped, NeedsHuman, RateLimited, Retryable
from kangbot.venues.bybit import client as module
from tests.support.bybit_rest import BTC, NOW_MS, bybit, intent, refusal, rows
from tests.support.loopback import Request, http

PAGE = http(b"<html>502 Bad Gateway</html>", status=502)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once, as often as in earnest."""
    monkeypatch.setattr(module, "_AGAIN_S", (0.0, 0.0))


def answering(*answers: Any) -> Any:
    """Return one answer after another, then the last for ever."""
    left = list(answers)

    def answer(_: Request) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


async def test_a_question_is_put_again_where_a_gateway_answered() -> None:
    """Twice; after that it has failed."""
    empty = rows()
    async with bybit({"position/list": answering(PAGE, PAGE, empty)}) as world:
        world.venue._know(BTC)
        assert await world.venue.positions() == []
        assert len(world.asked("position/list")) == 3
    async with bybit({"position/list": PAGE}) as world:
        world.venue._know(BTC)
        with pytest.raises(Retryable):
            await world.venue.positions()
        assert len(world.asked("position/list")) == 3


async def test_what_bybit_itself_refuses_is_not_asked_again() -> None:
    """Least of all where it counts too many requests."""
    async with bybit({"position/list": refusal(10006)}) as world:
        world.venue._know(BTC)
        with pytest.raises(RateLimited):
            await world.venue.positions()
        assert len(world.asked("position/list")) == 1


async def test_an_order_is_never_sent_again() -> None:
    """It may have arrived: that is for the executor to find out."""
    async with bybit({"order/create": PAGE}) as world:
        with pytest.raises(Ambiguous):
            await world.venue.submit(BTC, intent())
        assert len(world.asked("order/create")) == 1


async def test_ccxt_sends_nothing_again_and_holds_nothing_up() -> None:
    """Its retries would be of orders too, and its limiter knows no priority: the budget in front of it does."""
    async with bybit({}) as world:
        exchange = world.venue._client._exchange
        assert (exchange.enableRateLimit, exchange.options["maxRetriesOnFailure"]) == (False, 0)


@pytest.mark.parametrize(
    ("sent_ns", "stamp_ms"), [(None, 3_000), (42, -2_000), (3_000_000_042, 1_000), (10**18, 3_000)]
)
async def test_an_order_is_never_stamped_after_its_note_nor_its_deadline(sent_ns: int | None, stamp_ms: int) -> None:
    """A process that was stopped before it signed: what is noted of the stamp stays true, and Bybit refuses."""
    readings = iter([NOW_MS])  # and by the second one an hour has passed
    late = NOW_MS + 3_600_000
    clocks = {"now_ns": lambda: 2_000_000_042, "venue_now_ms": lambda: next(readings, late)}
    async with bybit({"order/create": refusal(10002)}, **clocks) as world:
        with pytest.raises(Misstamped):
            await world.venue.submit(BTC, intent(), sent_ns=sent_ns)
        assert [request.headers["x-bapi-timestamp"] for request in world.asked()] == [str(NOW_MS + stamp_ms)]
        world.venue._know(BTC)
        with contextlib.suppress(KangbotError):
            await world.venue.positions()
        assert world.asked()[-1].headers["x-bapi-timestamp"] == str(late)  # a question is stamped as it is asked


async def test_a_page_is_told_by_what_a_browser_would_show_of_it() -> None:
    """In one line, and with who answers there: 200 is no answer of a venue that says nothing else."""
    portal = http(b"<html>\n<head><title>Hotel</title></head>\n<body class='x'>Please log in</body></html>")
    async with bybit({"order/create": portal}) as world:
        with pytest.raises(Ambiguous) as caught:
            await world.venue.submit(BTC, intent())
    said = "a portal or a proxy on the way answers in its place: Hotel Please log in"
    assert caught.value.message == f"bybit HTTP 200: {said}"


async def test_an_answer_nested_without_end_is_known_by_its_status() -> None:
    """It is a page like any other: how long to stay away is told by the status, and its words are quoted."""
    endless = http(b'{"retCode":' + b"[" * 100_000, status=403)
    async with bybit({"position/list": endless}) as world:
        world.venue._know(BTC)
        with pytest.raises(RateLimited, match="bybit HTTP 403") as caught:
            await world.venue.positions()
    assert caught.value.code == "403"


async def test_a_country_that_is_not_served_is_known_by_a_page_of_full_length() -> None:
    """What the delivery network says of it stands far behind its markup, and a 403 alone would be a ban of minutes."""
    page = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n'
        '<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=iso-8859-1">\n'
        "<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>403 ERROR</H1>\n"
        '<H2>The request could not be satisfied.</H2>\n<HR noshade size="1px">\n'
        "The Amazon CloudFront distribution is configured to block access from your country.\n</BODY></HTML>"
    )
    async with bybit({"position/list": http(page.encode(), status=403)}) as world:
        world.venue._know(BTC)
        with pytest.raises(NeedsHuman) as caught:
            await world.venue.positions()
    assert "run the daemon where it does" in caught.value.remedy
