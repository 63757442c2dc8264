"""What the simulated venue answers behind the port."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import DuplicateId, InsufficientFunds, NotFound, Refused, Retryable
from kangbot.model.ids import ClientId, MarketId, Symbol
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
    half = msgspec.structs.replace(front.quote(_INSTRUMENT), ask_quantity=Decimal(0))
    bench.venue.push(half, (), bench.now_ns)
    with pytest.raises(Retryable):
        front.quote(_INSTRUMENT)


def test_refusals_are_the_errors_of_the_port() -> None:
    """A duplicate id proves that the order exists; the others are definitive."""
    bench = Bench(balance=Decimal(200))
    front = Front(bench.venue)
    front.submit(intent(), bench.now_ns)
    with pytest.raises(DuplicateId) as refused:
        front.submit(intent(), bench.now_ns)
    assert refused.value.code == "duplicate_id"
    with pytest.raises(InsufficientFunds):
        front.submit(intent("kb2", quantity=Decimal(5)), bench.now_ns)
    with pytest.raises(NotFound):
        front.cancel(ClientId("kb1"), bench.now_ns)
    with pytest.raises(Refused):
        front.protect(_INSTRUMENT, Decimal(5000), bench.now_ns)
    with pytest.raises(NotFound):
        front.submit(intent("kb3", market=MarketId("bybit:NOPE-USDT:USDT")), bench.now_ns)
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


def test_a_new_stop_leaves_the_target_where_it_is() -> None:
    """The port knows of no target; whoever set one at the venue has it still."""
    bench = Bench()
    front = Front(bench.venue)
    front.submit(intent(), bench.now_ns)
    bench.venue.set_stops(Bench.btc, Decimal(900), Decimal(1100), bench.now_ns)
    front.protect(_INSTRUMENT, Decimal(950), bench.now_ns)
    assert (bench.venue.stop(Bench.btc), bench.venue.target(Bench.btc)) == (Decimal(950), Decimal(1100))


def test_a_contract_has_a_mark_price_and_a_pair_none() -> None:
    """What is held of a pair is a coin, and no position that is valued."""
    bench = Bench()
    pair = bench.venue.desks[Bench.spot].spec.instrument
    assert (Front(bench.venue).mark(_INSTRUMENT), Front(bench.venue).mark(pair)) == (Decimal(1000), None)


def test_executions_are_those_of_the_market_since_that_very_moment() -> None:
    """Oldest first, without what is too young to be seen; whoever asks from the last one on gets it again."""
    bench = Bench()
    front = Front(bench.venue)
    for name, market in (("kb1", Bench.btc), ("kb2", Bench.eth), ("kb3", Bench.btc)):
        bench.now_ns += 1_000
        front.submit(intent(name, market=market, quantity=Decimal("0.2"), stop=None), bench.now_ns)
    first, last = bench.now_ns - 2_000, bench.now_ns

    def told(since_ns: int, **more: MarketId) -> list[int]:
        return [event.at_ns - first for event in front.executions(since_ns, last, **more)]

    assert told(first) == [0, 1_000, 2_000]
    assert told(first + 1) == [1_000, 2_000]
    assert told(first, market=Bench.btc) == [0, 2_000]
    front.lag_ns = 500
    assert told(first) == [0, 1_000]
    front.lag_ns = 1_000
    assert told(first) == [0, 1_000], "what is just old enough is seen"


def test_bars_are_as_many_closed_ones_as_were_asked_for() -> None:
    """The one that is open yet takes nobody's place."""
    bench = Bench()
    front = Front(bench.venue)
    for minute in range(6):
        bench.quote(Bench.btc, f"{1000 + minute}", trades=[(Side.BUY, f"{1000 + minute}", "1")])
        bench.now_ns += 60_000_000_000
    assert [bar.close for bar in front.bars(_INSTRUMENT, 60, 3)] == [Decimal(1002), Decimal(1003), Decimal(1004)]


def test_transfers_are_those_since_that_very_moment() -> None:
    """Oldest first; one that is too young is not seen yet."""
    bench = Bench()
    front = Front(bench.venue)
    for later in range(3):
        bench.venue.transfer(Decimal(later + 1), START_NS + 10_000_000 + later)
    now_ns = START_NS + 10_000_002
    assert [moved.amount for moved in front.transfers(START_NS + 10_000_001, now_ns)] == [Decimal(2), Decimal(3)]
    front.lag_ns = 1
    assert [moved.amount for moved in front.transfers(0, now_ns)] == [Decimal(1), Decimal(2)]


def test_coins_that_are_all_gone_are_no_balance() -> None:
    """What spot markets left is told beside the money."""
    bench = Bench()
    bench.venue.account.coins |= {"BTC": Decimal("0.5"), "ETH": Decimal(0)}
    told = {balance.currency: balance.equity for balance in Front(bench.venue).balances(bench.now_ns)}
    assert told == {"USDT": Decimal(10_000), "BTC": Decimal("0.5")}
