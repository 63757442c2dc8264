"""Questions that meet a gateway's error page instead of Bybit."""

import contextlib
from typing import Any

import pytest

from kangbot.errors import Ambiguous, KangbotError, Misstamped, RateLimited, Retryable
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


@pytest.mark.parametrize(("sent_ns", "stamp_ms"), [(None, 5_000), (42, 0), (3_000_000_042, 3_000), (10**18, 5_000)])
async def test_an_order_is_never_stamped_after_its_note_nor_its_deadline(sent_ns: int | None, stamp_ms: int) -> None:
    """A process that was stopped before it signed: what is noted of the stamp stays true, and Bybit refuses."""
    readings = iter([NOW_MS])  # and by the second one an hour has passed
    late = NOW_MS + 3_600_000
    async with bybit({"order/create": refusal(10002)}, venue_now_ms=lambda: next(readings, late)) as world:
        with pytest.raises(Misstamped):
            await world.venue.submit(BTC, intent(), sent_ns=sent_ns)
        assert [request.headers["x-bapi-timestamp"] for request in world.asked()] == [str(NOW_MS + stamp_ms)]
        world.venue._know(BTC)
        with contextlib.suppress(KangbotError):
            await world.venue.positions()
        assert world.asked()[-1].headers["x-bapi-timestamp"] == str(late)  # a question is stamped as it is asked
