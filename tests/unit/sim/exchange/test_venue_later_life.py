"""A venue that goes on where an earlier life of it ended, and forgets what is long over."""

from decimal import ROUND_UP, Context, Decimal, localcontext

import msgspec
import pytest

from kangbot.model.ids import VenueOrderId
from kangbot.model.orders import FillCause, OrderKind, OrderStatus, Side
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.orders import OrderRequest, SimOrder
from kangbot.sim.exchange.position import Holding
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.listing import linear
from kangbot.sim.markets.spec import SECOND_NS, MarketSpec, VenueSpec
from tests.support.sim_bench import START_NS, Bench, fork

D = Decimal
LONG = Holding(net=D("0.5"), cost=D(500), opened_ns=START_NS, updated_ns=START_NS)


def resting(bench: Bench, side: Side, price: str) -> SimOrder:
    """Return an order as it rested in an earlier life."""
    request = OrderRequest(
        market=bench.btc, side=side, kind=OrderKind.LIMIT, quantity=D("0.2"), price=D(price), client_id="kbearlier1"
    )
    return SimOrder(
        order_id=VenueOrderId("earlier"),
        request=request,
        quantity=request.quantity,
        price=request.price,
        created_ns=START_NS,
        updated_ns=START_NS,
    )


def test_a_position_goes_on_with_its_stop_and_its_orders() -> None:
    """Known before the first quote; afterwards the order fills and the stop triggers as ever."""
    bench = Bench(quoted=False)
    bench.venue.take_up(bench.btc, LONG, [resting(bench, Side.SELL, "1010")], D(900), START_NS)
    position = bench.venue.position(bench.btc, START_NS)
    assert (position.net, position.entry, position.stop) == (D("0.5"), D(1000), D(900))
    bench.quote(bench.btc, "1020")
    assert bench.net() == D("0.3")
    bench.quote(bench.btc, "890", trades=[(Side.SELL, "890", "1")])
    assert bench.net() == 0
    causes = [event.fill.cause for event in bench.told(Executed)]
    assert causes == [FillCause.TRADE, FillCause.STOP]


def test_a_stop_that_was_passed_meanwhile_triggers_at_the_first_trade() -> None:
    """It closes at the price there is, as it does at a venue that was away."""
    bench = Bench(quoted=False)
    bench.venue.take_up(bench.btc, LONG, [], D(900), START_NS)
    bench.quote(bench.btc, "700", trades=[(Side.SELL, "700", "1")])
    fill = bench.told(Executed)[0].fill
    assert (bench.net(), fill.price) == (D(0), D(700))


def test_a_flat_market_takes_up_no_stop() -> None:
    """There is nothing to protect."""
    bench = Bench()
    bench.venue.take_up(bench.btc, Holding(), [], D(900), START_NS)
    assert bench.venue.stop(bench.btc) is None


def test_nothing_happens_to_a_market_without_a_price() -> None:
    """Neither a liquidation nor a fill: there is no book to trade with. The last price values the position."""
    bench = Bench(quoted=False, balance=D(1))
    huge = Holding(net=D(10), cost=D(1_000_000), opened_ns=START_NS, updated_ns=START_NS)
    bench.venue.take_up(bench.btc, huge, [resting(bench, Side.BUY, "1000")], None, START_NS)
    bench.venue.trade(bench.btc, [bench.trade(bench.btc, Side.SELL, "950", "1")], START_NS + SECOND_NS)
    bench.venue.advance(START_NS + 3 * SECOND_NS)
    assert bench.told(Executed) == []
    assert bench.venue.position(bench.btc, START_NS).mark == D(950)
    bench.now_ns += 5 * SECOND_NS
    bench.quote(bench.btc, "950", quantity="100")
    bench.venue.advance(bench.now_ns + SECOND_NS)
    assert bench.told(Executed)[-1].fill.cause is FillCause.LIQUIDATION


def test_trades_without_a_quote_meet_the_book_as_it_stands() -> None:
    """What was taken of it stays taken."""
    bench = Bench(depth=1)
    bench.submit(Side.BUY, "1")
    bench.venue.trade(bench.btc, [bench.trade(bench.btc, Side.BUY, "1000", "1")], bench.now_ns)
    assert bench.submit(Side.BUY, "1").status is OrderStatus.EXPIRED


def test_real_trades_fill_in_the_venues_own_arithmetic() -> None:
    """A library that changes rounding for everybody in the thread does not change what a fill costs."""

    def traded() -> tuple[list[Decimal], Decimal]:
        bench = Bench()
        bench.submit(Side.BUY, "0.333", "999.9")
        bench.venue.trade(bench.btc, [bench.trade(bench.btc, Side.SELL, "999.9", "5")], bench.now_ns)
        return [told.fill.fee for told in bench.told(Executed)], bench.venue.account.coins["USDT"]

    expected = traded()
    assert len(expected[0]) == 1
    with localcontext(Context(prec=5, rounding=ROUND_UP)):
        found = traded()
    assert found == expected


def test_a_market_may_join_later() -> None:
    """It is traded from its first quote on."""
    bench = Bench()
    late = linear("SOLUSDT").instrument
    bench.venue.add_market(MarketSpec(instrument=late, price=late.tick, level=D(0)))
    with pytest.raises(RequestRefused) as refused:
        bench.submit(Side.BUY, "1", market=late.market)
    assert refused.value.reason is Reason.NOT_QUOTED
    bench.quote(late.market, "100", quantity="2")
    order = bench.submit(Side.BUY, "3", market=late.market)
    assert order.average == (2 * D("100.01") + D("100.02")) / 3  # each level behind holds as much as the quote shows


def test_what_is_long_over_is_forgotten() -> None:
    """Executions and ended orders; what is open stays, and so does what is young."""
    bench = Bench()
    bench.submit(Side.BUY, "0.1", "900", client_id="open")
    bench.submit(Side.BUY, "0.1", client_id="over", stop=D(800))
    border_ns = bench.now_ns + 1
    bench.submit(Side.BUY, "0.1", client_id="young")
    bench.venue.forget(border_ns)
    assert [order.request.client_id for order in bench.venue.orders if order.request.client_id] == ["open", "young"]
    assert len(bench.venue.executions) == 1
    assert bench.venue.orders.find(client_id="over") is None
    assert bench.venue.stop(bench.btc) == D(800)
    bench.submit(Side.SELL, "0.2", reduce_only=True)
    bench.venue.forget(bench.now_ns + 1)
    assert bench.venue.stop(bench.btc) is None


def test_other_rules_hold_for_what_comes() -> None:
    """What rests stays; an order of the old step is refused. The price goes on where it was, on the new ticks."""
    bench = Bench()
    old = bench.venue.desks[bench.btc].spec.instrument
    order = bench.submit(Side.BUY, "0.2", "900")
    rules = msgspec.structs.replace(old, tick=old.tick * 5, step=D("0.3"), min_quantity=D("0.3"))
    bench.venue.change_rules(rules)
    assert bench.now(order).status is OrderStatus.ACKED
    with pytest.raises(RequestRefused, match=r"multiple of 0\.3"):
        bench.submit(Side.BUY, "0.2", "900")
    bench.submit(Side.BUY, "0.3", "900")


def test_a_market_that_moves_by_itself_goes_on_by_other_rules() -> None:
    """At its price, on the ticks and in the steps of now."""
    spec = VenueSpec(markets=(linear("ETHUSDT"),), start_ns=START_NS, history_minutes=5)
    venue = SimVenue(spec, fork)
    market = spec.markets[0].market
    before = venue.desks[market].book.quote.bid
    rules = msgspec.structs.replace(spec.markets[0].instrument, tick=D("0.25"), step=D(1), min_quantity=D(1))
    venue.change_rules(rules)
    venue.advance(START_NS + SECOND_NS)
    quote = venue.desks[market].book.quote
    assert abs(quote.bid / before - 1) < D("0.01")
    assert not any((quote.bid % rules.tick, quote.ask % rules.tick, quote.bid_quantity % rules.step))
    assert quote.ask - quote.bid in (rules.tick, 2 * rules.tick)
