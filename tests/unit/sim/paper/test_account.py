"""The account of paper trading: which markets it has, what it hears of them, and what it knows of before."""

from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import Refused
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.data import FundingRate, Quote, Trade
from kangbot.model.events import Event, FillApplied, OrderIntended, Record, StopSet
from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import Evidence, OrderKind, OrderStatus, Side, TimeInForce
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.exchange.front import Front
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from tests.support.feed_words import Told
from tests.support.instruments import instrument_of
from tests.support.trade_words import START, changed, fill, intent

D = Decimal
BTC, ETH, COINS = instrument_of("BTC"), instrument_of("ETH"), instrument_of("BTC", InstrumentKind.SPOT)
DAY_NS = 86_400 * SECOND_NS


class Story:
    """An account on a clock that is set by hand; its journal had these events before."""

    def __init__(self, *before: Event) -> None:
        self.now_ns = START
        ledger, recollection = Ledger(BTC.venue, "USDT"), Recollection()
        for sequence, event in enumerate(before, 1):
            ledger.observe(event)
            recollection.add(Record(journal="journal1", sequence=sequence, event=event))
        memory: Memory = recollection.memory()
        world = World(clock=Clock(monotonic_ns=lambda: self.now_ns, anchor_ns=START), seed=b"paper")
        self.account = PaperAccount(world=world, balance=D(1000), memory=memory, ledger=ledger)
        self.front = Front(self.account.engine)
        self.told = Told()
        self.account.listen(self.told)

    def quote(self, bid: str, instrument: Instrument = BTC) -> None:
        """Have the real market be quoted, a second later."""
        self.now_ns += SECOND_NS
        nine = D(9)
        ask = D(bid) + instrument.tick
        told = Quote(
            market=instrument.market, bid=D(bid), bid_quantity=nine, ask=ask, ask_quantity=nine, at_ns=self.now_ns
        )
        self.account.offer(told, 7)

    def trade(self, price: str, instrument: Instrument = BTC, *, ahead_ns: int = 0) -> None:
        """Have somebody sell there; `ahead_ns` is how wrong the time of it is."""
        self.account.offer(
            Trade(
                market=instrument.market,
                trade_id=price,
                side=Side.SELL,
                price=D(price),
                quantity=D(1),
                at_ns=self.now_ns + ahead_ns,
            ),
            7,
        )

    def flows(self, channel: Channel, *, live: bool = True, market: MarketId | None = BTC.market) -> None:
        """Have a topic go live, or fall silent."""
        self.account.feed_changed(Topic(market=market, channel=channel, native="t"), live=live, reason="")

    def enter(self, quantity: str = "2", instrument: Instrument = BTC, number: int = 1) -> None:
        """Buy at the market, with a stop at 90."""
        meant = msgspec.structs.replace(
            intent(number, quantity, kind=OrderKind.MARKET, stop="90"), market=instrument.market, price=None
        )
        self.now_ns += SECOND_NS
        self.front.submit(meant, self.now_ns)
        self.account.tell()

    def net(self, instrument: Instrument = BTC) -> Decimal:
        """Return what is held."""
        return self.account.engine.account.holding(instrument.market).net


def begun(*before: Event) -> Story:
    """Return one in which a market is traded, at 100."""
    told = Story(*before)
    told.account.add_market(BTC, None)
    told.quote("100")
    return told


# ------------------------------------------------------------------------------------------------------------- markets
def test_markets_are_occupied_by_what_is_held_and_by_what_rests() -> None:
    """The others could be let go."""
    told = begun()
    told.account.add_market(ETH, D(10))
    assert list(told.account.occupied) == []
    told.enter()
    assert list(told.account.occupied) == [BTC]
    told.quote("10", ETH)
    resting = msgspec.structs.replace(intent(2), market=ETH.market, price=D(9))
    told.front.submit(resting, told.now_ns)
    assert list(told.account.occupied) == [BTC, ETH]


def test_a_market_that_is_added_again_keeps_to_the_rules_of_now() -> None:
    """And to its position; with the same rules nothing happens at all."""
    told = begun()
    told.enter()
    told.account.add_market(BTC, D(5))
    told.account.add_market(msgspec.structs.replace(BTC, step=D("0.5"), min_quantity=D("0.5")), D(5))
    assert told.net() == 2
    with pytest.raises(Refused, match=r"multiple of 0\.5"):
        told.enter("1.2", number=2)
    assert next(iter(told.account.occupied)).step == D("0.5")


def test_only_contracts_pay_funding() -> None:
    """Coins are held for nothing."""
    told = begun()
    told.account.add_market(COINS, None)
    assert list(told.account.contracts) == [BTC]


def test_leverage_may_be_what_a_configuration_asks_for() -> None:
    """Up to a hundred: what the real venue allows is its own affair."""
    told = begun()
    told.front.prepare(BTC, 100, told.now_ns)
    with pytest.raises(Refused):
        told.front.prepare(BTC, 101, told.now_ns)


# ---------------------------------------------------------------------------------------------------------------- data
def test_a_market_that_nobody_trades_moves_nothing() -> None:
    """Nor does anything but a quote or a trade."""
    told = begun()
    told.quote("10", ETH)
    assert list(told.account.engine.desks) == [BTC.market]


def test_what_follows_from_a_price_is_told_with_it() -> None:
    """The account's own events alone, to whoever listens."""
    told = begun()
    told.enter()
    told.told.events.clear()
    told.quote("80")
    told.trade("80")
    kinds = {type(event).__name__ for event in told.told.events}
    assert kinds == {"OrderReport", "Fill", "VenuePosition", "Balance"}
    told.quote("100")
    told.trade("100")
    told.account.listen(None)
    heard = len(told.told.events)
    told.enter(number=2)
    assert len(told.told.events) == heard


def test_a_trade_of_a_time_to_come_moves_nothing() -> None:
    """The candles of all minutes until then would be made, while the loop waits for them."""
    story = begun()
    story.quote("100")
    story.flows(Channel.TRADE)
    story.enter()
    story.trade("99")
    story.trade("80", ahead_ns=100 * DAY_NS)
    desk = story.account.engine.desks[BTC.market]
    assert desk.last == D(99)
    assert desk.klines.current(60).open_ns <= story.now_ns
    assert story.account.occupied == [BTC]
    story.trade("80")
    assert story.account.occupied == []


def test_while_the_trades_are_silent_a_quote_triggers_a_stop() -> None:
    """Its middle; once they flow it waits for them."""
    told = begun()
    told.enter()
    told.flows(Channel.TRADE)
    told.quote("89")
    assert told.net() == 2
    told.flows(Channel.TRADE, live=False)
    told.quote("89")
    assert told.net() == 0


def test_an_account_that_is_deaf_holds_what_nobody_watches() -> None:
    """Any price would be enough, and where nothing is held there is nothing to watch."""
    told = begun()
    assert not told.account.deaf(BTC.market)
    told.enter()
    assert told.account.deaf(BTC.market)
    for channel in (Channel.TRADE, Channel.QUOTE):
        told.flows(channel)
        assert not told.account.deaf(BTC.market)
        told.flows(channel, live=False)
        assert told.account.deaf(BTC.market)
    told.flows(Channel.ACCOUNT, market=None)
    told.flows(Channel.BAR)
    assert told.account.deaf(BTC.market)
    assert not told.account.deaf(ETH.market)


# ------------------------------------------------------------------------------------------------------------- funding
def test_what_was_held_at_a_time_is_known_afterwards() -> None:
    """What is held now, less what was traded since; a fill of that moment was held in it."""
    told = begun()
    before_ns = told.now_ns
    told.enter("2")
    first_ns = told.now_ns
    told.enter("1", number=2)
    second_ns = told.now_ns
    market, account = BTC.market, told.account
    times = (before_ns, first_ns, second_ns)
    assert [account.net_at(market, at_ns) for at_ns in times] == [0, 2, 3]
    told.flows(Channel.TRADE)
    told.quote("80")
    told.trade("80")
    closed_ns = told.now_ns
    assert account.net_at(market, second_ns) == 3
    assert [account.held_after(market, at_ns) for at_ns in (before_ns, closed_ns)] == [True, False]
    assert account.known_ns(market) < before_ns


def test_funding_is_of_what_was_held_when_it_was_settled() -> None:
    """It may be known hours later, at another price."""
    told = begun()
    told.enter("2")
    settled_ns = told.now_ns
    told.enter("1", number=2)
    before = told.account.engine.account.coins["USDT"]
    told.account.fund(BTC.market, D(50), FundingRate(at_ns=settled_ns, rate=D("0.01")))
    assert told.account.engine.account.coins["USDT"] - before == D(-1)


# -------------------------------------------------------------------------------------------------------- another life
HELD = FillApplied(fill=fill("x-1", 2, 100, fee=1), net=D(2), entry=D(100), at_ns=START)


def test_what_the_journal_knows_is_there_before_its_market_is() -> None:
    """Money at once; a position once its market joins, and its entry may be asked for until then."""
    told = Story(HELD, StopSet(market=BTC.market, price=D(90), at_ns=START))
    told.now_ns += SECOND_NS
    assert told.account.engine.account.coins["USDT"] == 999
    assert (told.account.entry(BTC.market), told.account.entry(ETH.market)) == (D(100), None)
    told.account.add_market(BTC, D(100))
    assert (told.account.entry(BTC.market), told.net()) == (None, D(2))
    assert told.account.known_ns(BTC.market) == START
    assert told.account.engine.stop(BTC.market) == 90
    told.account.tell()
    assert told.told.events == []  # the first comparison of everything tells it


def test_a_flat_market_owes_nothing_from_before_it_joined() -> None:
    """However long ago it was traded."""
    told = Story(HELD, FillApplied(fill=fill("x-2", 2, 100, side=Side.SELL), net=D(0), at_ns=START))
    told.now_ns += DAY_NS
    told.account.add_market(BTC, None)
    assert told.account.known_ns(BTC.market) == START + DAY_NS


@pytest.mark.parametrize(
    ("kind", "time_in_force", "status"),
    [
        (OrderKind.LIMIT, TimeInForce.GTC, OrderStatus.PARTIAL),
        (OrderKind.LIMIT, TimeInForce.POST_ONLY, OrderStatus.PARTIAL),
        (OrderKind.LIMIT, TimeInForce.IOC, OrderStatus.EXPIRED),
        (OrderKind.MARKET, TimeInForce.GTC, OrderStatus.EXPIRED),
    ],
)
def test_an_order_of_before_rests_on_or_is_over(
    kind: OrderKind, time_in_force: TimeInForce, status: OrderStatus
) -> None:
    """What takes at once took what the journal knows."""
    meant = intent(1, 3, kind=kind, time_in_force=time_in_force)
    told = Story(OrderIntended(intent=meant, at_ns=START), HELD, changed(OrderStatus.PARTIAL, 2))
    told.account.add_market(BTC, None)
    order = told.account.engine.orders.find(client_id=meant.client_id)
    assert order is not None
    assert (order.order_id, order.status, order.filled, order.average) == ("v1", status, D(2), D(100))
    assert (order.report().at_ns, order.created_ns) == (START, START)


def test_an_order_that_never_arrived_is_none() -> None:
    """The house asks for it, and hears that nobody knows it."""
    told = Story(OrderIntended(intent=intent(), at_ns=START), changed(OrderStatus.SENT, venue_order_id=None))
    told.account.add_market(BTC, None)
    assert list(told.account.engine.orders) == []


def test_an_order_that_had_ended_does_not_come_back() -> None:
    """It would rest for ever: nobody counts it any more."""
    told = Story(
        OrderIntended(intent=intent(), at_ns=START),
        changed(OrderStatus.ACKED),
        changed(OrderStatus.CANCELED, evidence=Evidence.STREAM),
    )
    told.account.add_market(BTC, None)
    assert list(told.account.engine.orders) == []


def test_what_was_over_a_day_ago_is_forgotten() -> None:
    """Not what rests, and not what is younger."""
    told = begun()
    told.enter("1")
    told.now_ns += DAY_NS
    told.account.forget()
    assert len(told.account.engine.executions) == 1
    told.now_ns += 1
    told.account.forget()
    assert told.account.engine.executions == []
    assert [order.trigger for order in told.account.engine.orders] == [D(90)]
    assert told.net() == 1


def test_ids_of_the_venue_are_others_in_another_life() -> None:
    """The clock has gone on: no execution is taken for one of before."""
    ids: set[VenueOrderId] = set()
    for life in range(2):
        told = Story()
        told.now_ns += life
        told.account.add_market(BTC, None)
        told.quote("100")
        told.enter("1")
        ids.update(order.order_id for order in told.account.engine.orders)
    assert len(ids) == 2
