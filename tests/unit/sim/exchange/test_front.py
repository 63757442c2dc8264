"""What the simulated venue answers behind the port."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import DuplicateId, InsufficientFunds, NotFound, Refused, Retryable
from kangbot.model.ids import ClientId, Symbol
from kangbot.model.orders import Evidence, Fill, Intent, OrderKind, OrderStatus, Purpose, Side
from kangbot.sim.exchange.front import Front
from tests.support.sim_bench import START_NS, Bench

_INSTRUMENT = {market.instrument.market: market.instrument for market in Bench().venue.spec.markets}[Bench.btc]


def intent(name: str = "kb1", **changes: object) -> Intent:
    """Return a market entry of 0.5 with its stop."""
    plain = Intent(
        client_id=ClientId(name),
        number=1,
        market=Bench.btc,
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        kind=OrderKind.MARKET,
        quantity=Decimal("0.5"),
        stop=Decimal(900),
        reference=Decimal(1000),
        reason="test",
        at_ns=START_NS,
        deadline_ns=START_NS,
    )
    return msgspec.structs.replace(plain, **changes)


def test_an_order_is_acknowledged_and_found_as_it_stands() -> None:
    """The acknowledgement says that it was taken in; how it stands is a question."""
    bench = Bench()
    front = Front(bench.venue)
    report = front.submit(intent(), bench.now_ns)
    assert (report.status, report.filled, report.evidence) == (OrderStatus.ACKED, Decimal(0), Evidence.ANSWER)
    found = front.find(ClientId("kb1"), bench.now_ns).report
    assert found is not None
    assert (found.status, found.filled, found.evidence) == (OrderStatus.FILLED, Decimal("0.5"), Evidence.QUERY)
    (position,) = front.positions(bench.now_ns)
    assert (position.net, position.stop) == (Decimal("0.5"), Decimal(900))
    executions = front.executions(0, bench.now_ns)
    assert sum(event.quantity for event in executions if isinstance(event, Fill)) == Decimal("0.5")
    assert front.executions(bench.now_ns + 1, bench.now_ns) == []
    (balance,) = front.balances(bench.now_ns)
    assert balance.currency == "USDT"


def test_a_quote_is_the_top_of_a_book_that_has_two_sides() -> None:
    """Before the first quote, and while a side is empty, there is none to tell."""
    bench = Bench(quoted=False)
    front = Front(bench.venue)
    with pytest.raises(Retryable):
        front.quote(_INSTRUMENT)
    bench.quote(Bench.btc, "1000", quantity="0")
    with pytest.raises(Retryable):
        front.quote(_INSTRUMENT)
    bench.quote(Bench.btc, "1001")
    assert front.quote(_INSTRUMENT).bid == Decimal(1001)


def test_refusals_are_the_errors_of_the_port() -> None:
    """A duplicate id proves that the order exists; the others are definitive."""
    bench = Bench(balance=Decimal(200))
    front = Front(bench.venue)
    front.submit(intent(), bench.now_ns)
    with pytest.raises(DuplicateId):
        front.submit(intent(), bench.now_ns)
    with pytest.raises(InsufficientFunds):
        front.submit(intent("kb2", quantity=Decimal(5)), bench.now_ns)
    with pytest.raises(NotFound):
        front.cancel(ClientId("kb1"), bench.now_ns)
    with pytest.raises(Refused):
        front.protect(_INSTRUMENT, Decimal(5000), bench.now_ns)
    with pytest.raises(Refused, match="90 s"):
        front.bars(_INSTRUMENT, 90, 5)


def test_what_is_set_already_is_set() -> None:
    """Setting twice is harmless, as at the venues."""
    bench = Bench()
    front = Front(bench.venue)
    with pytest.raises(NotFound):
        front.protect(_INSTRUMENT, Decimal(900), bench.now_ns)
    front.submit(intent(), bench.now_ns)
    for _ in range(2):
        front.protect(_INSTRUMENT, Decimal(950), bench.now_ns)
        front.prepare(_INSTRUMENT, 3, bench.now_ns)
    assert bench.venue.stop(Bench.btc) == Decimal(950)


def test_a_resting_order_is_listed_until_it_is_cancelled() -> None:
    """With the protective one of the position beside it."""
    bench = Bench()
    front = Front(bench.venue)
    resting = intent(kind=OrderKind.LIMIT, price=Decimal(990))
    front.submit(resting, bench.now_ns)
    assert [report.client_id for report in front.open_orders(bench.now_ns)] == ["kb1"]
    front.cancel(ClientId("kb1"), bench.now_ns)
    assert front.open_orders(bench.now_ns) == []


def test_a_venue_that_lags_hides_what_is_young() -> None:
    """An absence that it answers is no proof, and it is counted what was hidden."""
    bench = Bench()
    front = Front(bench.venue)
    front.lag_ns = 1_000
    front.submit(intent(kind=OrderKind.LIMIT, price=Decimal(990)), bench.now_ns)
    assert front.find(ClientId("kb1"), bench.now_ns).report is None
    assert front.open_orders(bench.now_ns) == []
    assert front.hidden == 2
    assert front.find(ClientId("kb1"), bench.now_ns + 1_000).report is not None


def test_only_listed_markets_are_known() -> None:
    """A symbol that is not traded is absent."""
    front = Front(Bench().venue)
    found = front.instruments([_INSTRUMENT.symbol, Symbol("NOPE/USDT")])
    assert found == {_INSTRUMENT.symbol: _INSTRUMENT}
    assert len(front.trades(_INSTRUMENT, 1)) == 1
    assert front.bars(_INSTRUMENT, 60, 5) == []
