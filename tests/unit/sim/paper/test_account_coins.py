"""Coins on paper: what is held in a spot market, what rests beside it, and what pays for it."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import InsufficientFunds, Retryable
from kangbot.machines.memory import Recollection
from kangbot.model.data import Quote
from kangbot.model.events import Event, FillApplied, OrderChanged, OrderIntended, Record, StopSet
from kangbot.model.ids import MarketId, Symbol, VenueOrderId, client_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Evidence, Intent, OrderKind, OrderStatus, Purpose, Side
from kangbot.ports import Channel, Topic
from kangbot.runtime.world import Clock, World
from kangbot.sim.paper.account import PaperAccount
from kangbot.sim.paper.ledger import Ledger
from kangbot.sim.paper.ports import PaperVenue
from tests.support.instruments import instrument_of
from tests.support.paper_story import BALANCE, MarketVenue, trade
from tests.support.trade_words import START, TAG, fill, intent

D = Decimal
COINS = instrument_of(kind=InstrumentKind.SPOT)


def coins_of_an_earlier_life(clock: Clock, *then: Event) -> tuple[PaperVenue, PaperAccount]:
    """Two coins were bought, less the fee in them, and a stop at 90 rested beside them; `then` this happened."""
    bought = msgspec.structs.replace(intent(stop="90"), market=COINS.market, quantity=D(2), kind=OrderKind.MARKET)
    filled = msgspec.structs.replace(
        fill("x-1", 2, fee="0.0025"), market=COINS.market, client_id=bought.client_id, fee_currency="BTC"
    )
    events: tuple[Event, ...] = (
        OrderIntended(intent=bought, at_ns=START),
        FillApplied(fill=filled, net=D("1.9975"), entry=D(100), at_ns=START),
        StopSet(market=COINS.market, price=D(90), at_ns=START),
        *then,
    )
    ledger, recollection = Ledger(COINS.venue, "USDT"), Recollection()
    for sequence, event in enumerate(events, 1):
        ledger.observe(event)
        recollection.add(Record(journal="abcdefgh", sequence=sequence, event=event))
    world = World(clock=clock, seed=b"paper")
    account = PaperAccount(world=world, balance=BALANCE, memory=recollection.memory(), ledger=ledger)
    account.add_market(COINS, None)
    real = MarketVenue(clock=clock, kind=InstrumentKind.SPOT)
    return PaperVenue(real, account, clock, real.funding), account


def quote(bid: str, ask: str, clock: Clock) -> Quote:
    """Return the market's prices of now."""
    nine = D(9)
    return Quote(
        market=COINS.market, bid=D(bid), bid_quantity=nine, ask=D(ask), ask_quantity=nine, at_ns=clock.now_ns()
    )


def test_the_stop_beside_coins_rests_on() -> None:
    """The house asks for it again before there is a price: nothing is refused, and it triggers where it stood."""

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
        paper, account = coins_of_an_earlier_life(clock)
        (stop,) = await paper.open_orders()
        assert stop.client_id is not None
        assert (stop.client_id[:2], stop.trigger, stop.quantity, stop.protective) == ("ks", D(90), D("1.997"), True)
        last = intent().client_id
        assert await paper.cover(COINS, D(90), D("1.997"), last, fresh=False) == stop.client_id
        account.feed_changed(Topic(market=COINS.market, channel=Channel.TRADE, native="t"), live=True, reason="")
        account.offer(quote("95", "96", clock), 0)
        assert account.engine.account.coins["BTC"] == D("1.9975")
        account.offer(msgspec.structs.replace(trade("90"), market=COINS.market), 0)
        assert account.engine.account.coins["BTC"] == D("0.0005")
        assert await paper.open_orders() == []

    asyncio.run(main())


def test_before_the_first_price_nothing_is_refused_for_good() -> None:
    """A definitive no to a stop would have the house close the position that it was for."""

    async def main() -> None:
        paper, _ = coins_of_an_earlier_life(Clock(monotonic_ns=lambda: 0, anchor_ns=START))
        (stop,) = await paper.open_orders()
        assert stop.client_id is not None
        await paper.cancel(COINS, stop.client_id)
        with pytest.raises(Retryable, match="has no price yet"):
            await paper.cover(COINS, D(91), D("1.997"), intent().client_id, fresh=False)

    asyncio.run(main())


def acked(meant: Intent) -> OrderChanged:
    """Return what the journal has of an order that rests."""
    return OrderChanged(
        market=meant.market,
        client_id=meant.client_id,
        status=OrderStatus.ACKED,
        evidence=Evidence.STREAM,
        filled=D(0),
        venue_order_id=VenueOrderId(f"v{meant.number}"),
        at_ns=meant.at_ns,
    )


def test_a_resting_sale_of_coins_rests_on() -> None:
    """It is a plain order: a spot market has no position that it could reduce, and no stop rides with it."""
    selling = msgspec.structs.replace(
        intent(2, "1.5", purpose=Purpose.EXIT), market=COINS.market, side=Side.SELL, price=D(110), reduce_only=True
    )

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
        paper, account = coins_of_an_earlier_life(clock, OrderIntended(intent=selling, at_ns=START), acked(selling))
        account.offer(quote("109", "109.1", clock), 0)
        assert account.engine.account.coins["BTC"] == D("1.9975")
        account.offer(quote("111", "111.1", clock), 0)
        assert account.engine.account.coins["BTC"] == D("0.4975")
        report = (await paper.find(COINS, selling.client_id)).report
        assert report is not None
        assert (report.status, report.average) == (OrderStatus.FILLED, D(110))

    asyncio.run(main())


def test_coins_are_paid_with_what_the_account_has() -> None:
    """A market priced in another coin spends that one: Tether does not stand for it, and nothing is owed."""
    other = msgspec.structs.replace(
        instrument_of("ETH", InstrumentKind.SPOT, min_notional=D(0)),
        market=MarketId("bybit:ETH-BTC"),
        symbol=Symbol("ETH/BTC"),
        quote="BTC",
    )
    buying = msgspec.structs.replace(intent(7, 3), market=other.market, price=D(1))

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
        paper, account = coins_of_an_earlier_life(clock)
        account.add_market(other, None)
        account.offer(msgspec.structs.replace(quote("1", "1.1", clock), market=other.market), 0)
        with pytest.raises(InsufficientFunds, match="too little BTC"):
            await paper.submit(other, buying)
        for number, quantity in ((8, D("1.5")), (9, D("0.4"))):
            await paper.submit(
                other, msgspec.structs.replace(buying, quantity=quantity, client_id=client_id(TAG, number))
            )
        with pytest.raises(InsufficientFunds, match="too little BTC"):  # the rest is promised
            await paper.submit(other, msgspec.structs.replace(buying, quantity=D("0.1"), client_id=client_id(TAG, 10)))
        assert (await paper.balances())[0].available == BALANCE - 200  # less what the two coins cost
        account.offer(msgspec.structs.replace(quote("0.8", "0.9", clock), market=other.market), 0)
        assert account.engine.account.coins["BTC"] == D("0.0975")

    asyncio.run(main())


def test_a_sale_that_rests_on_waits_for_its_turn_again() -> None:
    """Nobody knows how much was before it: all that is quoted at its price when it is seen first."""
    selling = msgspec.structs.replace(
        intent(2, "1.5", purpose=Purpose.EXIT), market=COINS.market, side=Side.SELL, price=D(110), reduce_only=True
    )

    async def main() -> None:
        clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
        _, account = coins_of_an_earlier_life(clock, OrderIntended(intent=selling, at_ns=START), acked(selling))
        account.offer(quote("109", "110", clock), 0)
        bought = msgspec.structs.replace(trade("110", "9", Side.BUY), market=COINS.market)
        account.offer(bought, 0)
        assert account.engine.account.coins["BTC"] == D("1.9975")
        account.offer(quote("109", "110", clock), 0)  # a quote that is not the first changes nothing
        account.offer(msgspec.structs.replace(bought, quantity=D(1)), 0)
        assert account.engine.account.coins["BTC"] == D("0.9975")

    asyncio.run(main())
