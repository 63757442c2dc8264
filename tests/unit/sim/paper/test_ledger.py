"""An account is what its journal says."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.events import BarStored, CashFlowApplied, Event, FillApplied
from kangbot.model.ids import MarketId, Symbol, VenueName, market_id
from kangbot.model.orders import Side
from kangbot.model.position import Position
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.refusal import RequestRefused
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import MarketSpec
from kangbot.sim.paper.ledger import Ledger
from tests.support.floor_story import bar_at
from tests.support.journal_story import lives
from tests.support.sim_bench import Bench
from tests.support.trade_words import dec, fill

MARKETS = st.sampled_from([Bench.btc, Bench.eth, Bench.spot])
ORDERS = st.tuples(MARKETS, st.sampled_from(Side), st.integers(1, 9), st.integers(95, 105))


def journalled(bench: Bench) -> list[Event]:
    """Return the events by which a daemon remembers what happened in the account."""
    events: list[Event] = []
    for told in bench.venue.executions:
        if isinstance(told, Executed):
            events.append(FillApplied(fill=told.fill, net=dec(0), at_ns=told.fill.at_ns))
        else:
            events.append(CashFlowApplied(flow=told.flow, at_ns=told.flow.at_ns))
    return events


@given(st.lists(ORDERS, max_size=30))
def test_folding_every_fill_and_cash_flow_gives_the_account(orders: list[tuple[MarketId, Side, int, int]]) -> None:
    """Coins and positions, contracts and spot, through reversals and fundings."""
    bench = Bench(funding_interval_s=1)
    for market, side, tenths, percent in orders:
        bench.quote(market, str(percent if market is Bench.eth else percent * 10))
        bench.now_ns += 400_000_000
        try:
            bench.submit(side, str(Decimal(tenths) / 10), market=market)
        except RequestRefused:
            continue
    ledger = Ledger(VenueName("bybit"), "USDT")
    for event in journalled(bench):
        ledger.observe(event)
    account = bench.venue.account
    began = {"USDT": dec(10_000)}
    for coin, amount in account.coins.items():
        change = ledger.coins.get(coin, dec(0))
        assert round(began.get(coin, dec(0)) + change, 15) == round(amount, 15)  # a Decimal has 28 digits in all
    for market in (Bench.btc, Bench.eth):
        ours, theirs = ledger.holdings.get(market), account.holding(market)
        assert (ours or theirs) == theirs


def test_what_another_venue_or_no_money_says_is_passed_over() -> None:
    """A journal holds more than one account, and more than fills."""
    ledger = Ledger(VenueName("binance_usdm"), "USDT")
    ledger.observe(FillApplied(fill=fill("x1", 1), net=dec(1), at_ns=0))
    ledger.observe(BarStored(bar=bar_at(0), at_ns=0))
    assert ledger.coins == {}
    assert ledger.holdings == {}


@given(lives(), st.floats(0, 1))
def test_a_ledger_that_goes_on_from_a_checkpoint_holds_the_same(events: Sequence[Event], share: float) -> None:
    """Coins and positions; wherever it is cut."""
    whole, first, rest = (Ledger(VenueName("bybit"), "USDT") for _ in range(3))
    cut = round(share * len(events))
    for event in events:
        whole.observe(event)
    for event in events[:cut]:
        first.observe(event)
    rest.resume(first.checkpoint())
    for event in events[cut:]:
        rest.observe(event)
    assert (rest.coins, rest.holdings) == (whole.coins, whole.holdings)


def test_what_settles_in_another_currency_is_booked_as_the_account_s_own() -> None:
    """Its fees and its funding are in the currency of its profit, so that they count in it; one money pays for all."""
    symbol = Symbol("BTC/USDC:USDC")
    usual = linear("BTCUSDT").instrument
    other = msgspec.structs.replace(
        usual, market=market_id(usual.venue, symbol), symbol=symbol, quote="USDC", settle="USDC"
    )
    bench = Bench(funding_interval_s=1)
    bench.venue.add_market(MarketSpec(instrument=other, price=dec(1000), level=dec(0)))
    bench.quote(other.market, "1000")
    bench.submit(Side.BUY, "1", market=other.market)
    bench.now_ns += 1_000_000_000
    bench.quote(other.market, "1010")
    bench.submit(Side.SELL, "0.4", market=other.market)
    ledger, position = Ledger(VenueName("bybit"), "USDT"), Position(market=other.market)
    events = journalled(bench)
    for event in events:
        ledger.observe(event)
        if isinstance(event, FillApplied):
            position, _ = position.apply(event.fill)
    assert {event.flow.currency for event in events if isinstance(event, CashFlowApplied)} == {"USDC"}
    assert position.fees_paid == bench.venue.account.fees_paid > 0
    assert ledger.coins == {"USDT": bench.venue.account.coins["USDT"] - 10_000}
