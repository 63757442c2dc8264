"""What Bybit's transaction log says of money that nobody traded, line by line."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import Retryable
from kangbot.model.orders import Transfer, Unclear
from kangbot.venues.bybit.ledger import MEANINGS, LedgerRow, Meaning, moved
from tests.support.bybit_rest import BTC, NOW_MS, SPOT, bybit, rows
from tests.support.loopback import Request

LOG = "/v5/account/transaction-log"
D = Decimal
DAY_MS = 86_400_000
MS_NS = 1_000_000


def line(
    kind: str, change: str = "5", *, currency: str = "USDT", at_ms: int = NOW_MS, **changes: Any
) -> dict[str, Any]:
    """Return a line as Bybit sends it."""
    return {
        "id": f"{kind}-1",
        "symbol": "",
        "category": "",
        "transactionTime": str(at_ms),
        "type": kind,
        "currency": currency,
        "cashFlow": change,
        "funding": "",
        "fee": "0",
        "change": change,
        "bonusChange": "",
        **changes,
    }


def row(kind: str, change: str = "5", *, currency: str = "USDT", at_ms: int = NOW_MS) -> LedgerRow:
    """Return a line as it is read."""
    return LedgerRow(id="1", type=kind, change=change, currency=currency, transaction_time=str(at_ms))


def log(*lines: dict[str, Any]) -> Any:
    """Answer with those of the type that is asked for; with all where none is."""

    def answer(request: Request) -> dict[str, Any]:
        kind = request.query.get("type")
        return rows(*(each for each in lines if kind in (None, each["type"])))

    return answer


@pytest.mark.parametrize("kind", [kind for kind, meaning in MEANINGS.items() if meaning is Meaning.MOVED])
def test_what_is_given_or_moved_to_another_product_is_no_result(kind: str) -> None:
    """Either way, by what it adds to the wallet; plain transfers are asked for by themselves."""
    found = list(moved([row(kind), row(kind, "-3.25", currency="BTC")], ()))
    if kind in ("TRANSFER_IN", "TRANSFER_OUT"):
        assert found == []
        return
    assert [(type(each), each.amount, each.currency, each.kind) for each in found] == [
        (Transfer, D(5), "USDT", kind),
        (Transfer, D("-3.25"), "BTC", kind),
    ]
    ids = [each.transfer_id for each in found if isinstance(each, Transfer)]
    assert len(set(ids)) == 2, "two lines may have one id"
    assert {each.at_ns for each in found} == {NOW_MS * MS_NS}


@pytest.mark.parametrize(
    "kind", [kind for kind, meaning in MEANINGS.items() if meaning in (Meaning.TRADED, Meaning.OWED)]
)
def test_results_and_what_is_owed_are_not_moved(kind: str) -> None:
    """A loan adds to the debt what it adds to the wallet, so the equity is the same. No number is looked at."""
    assert list(moved([row(kind), row(kind, "-5"), row(kind, "?")], ())) == []


@pytest.mark.parametrize("kind", ["PEF_PROFIT_SHARE", "INSTITUTION_LOAN_IN", "SOMETHING_NEW", ""])
def test_what_is_not_certain_is_not_guessed(kind: str) -> None:
    """Where it changed nothing there is nothing to tell."""
    assert list(moved([row(kind, "-5"), row(kind, "0"), row(kind, "")], ())) == [
        Unclear(kind=kind, amount=D(-5), currency="USDT", at_ns=NOW_MS * MS_NS)
    ]


@pytest.mark.parametrize("kind", [kind for kind, meaning in MEANINGS.items() if meaning is Meaning.CONVERTED])
def test_what_is_converted_is_moved_unless_its_coin_is_traded_here(kind: str) -> None:
    """Of such a coin a market counts what it lost or won: then it is a trade by hand, and nobody can say whose."""
    lines = [row(kind, "100"), row("CURRENCY_SELL", "-0.001", currency="BTC", at_ms=NOW_MS + 2000)]
    assert [type(each) for each in moved(lines, ("ETH",))] == [Transfer, Transfer]
    assert [type(each) for each in moved(lines, ("BTC",))] == [Unclear, Unclear]
    later = [row(kind, "100"), row("CURRENCY_SELL", "-0.001", currency="BTC", at_ms=NOW_MS + 2001)]
    assert [type(each) for each in moved(later, ("BTC",))] == [Transfer, Unclear]
    assert [type(each) for each in moved([row("BONUS"), *lines], ("BTC",))] == [Transfer, Unclear, Unclear]


async def test_the_log_tells_of_transfers_and_of_all_else_oldest_first() -> None:
    """Each once, with whichever field Bybit leaves out of a trade."""
    answers = {
        LOG: log(
            line("BONUS", "7", at_ms=NOW_MS - 1),
            line("TRANSFER_OUT", "-250", at_ms=NOW_MS - 2),
            line("TRADE", "?", id=None, transactionTime=None),
            line("NEWS", "1", at_ms=NOW_MS - 4),
            line("TRANSFER_IN", "250", at_ms=NOW_MS - 5),
        )
    }
    async with bybit(answers) as world:
        found = await world.venue.transfers((NOW_MS - 1000) * MS_NS)
    assert [(each.kind, each.amount) for each in found] == [
        ("", D(250)), ("NEWS", D(1)), ("", D(-250)), ("BONUS", D(7)),
    ]  # fmt: skip
    assert isinstance(found[1], Unclear)


async def test_a_conversion_of_a_coin_that_is_traded_is_told_of_and_not_moved() -> None:
    """As the instruments say that the account trades; contracts hold no coins."""
    lines = line("CURRENCY_BUY", "100"), line("CURRENCY_SELL", "-0.001", currency="BTC")
    async with bybit({LOG: log(*lines)}) as world:
        for traded, shape in ((BTC, Transfer), (SPOT, Unclear)):
            world.venue._know(traded)
            assert {type(each) for each in await world.venue.transfers((NOW_MS - 1000) * MS_NS)} == {shape}


async def test_of_all_lines_a_day_and_a_thousand_are_read() -> None:
    """Plain transfers are asked for from any time on; an account may trade so much that more would take too long."""

    def endless(request: Request) -> dict[str, Any]:
        return rows() if "type" in request.query else rows(line("TRADE"), cursor="on")

    async with bybit({LOG: endless}) as world:
        assert await world.venue.transfers((NOW_MS - 3 * DAY_MS) * MS_NS) == []
        asked = [request.query for request in world.asked()]
    assert [query.get("type", "") for query in asked] == ["TRANSFER_IN", "TRANSFER_OUT", *[""] * 20]
    assert {int(query["startTime"]) for query in asked[:2]} == {NOW_MS - 3 * DAY_MS}
    assert {int(query["startTime"]) for query in asked[2:]} == {NOW_MS - DAY_MS}
    assert [query.get("cursor", "") for query in asked[2:]] == ["", *["on"] * 19]


@pytest.mark.parametrize("broken", [{"change": "much"}, {"transactionTime": "noon"}])
async def test_a_line_of_money_that_cannot_be_read_is_no_answer(broken: dict[str, Any]) -> None:
    """It may be whole a moment later."""
    async with bybit({LOG: log(line("BONUS", **broken))}) as world:
        with pytest.raises(Retryable, match="cannot be read"):
            await world.venue.transfers((NOW_MS - 1000) * MS_NS)
