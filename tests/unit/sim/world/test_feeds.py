"""What a process hears of the simulated venue, and what it does not when something is wrong with its streams."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import Refused
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.orders import Balance, Fill, OrderReport, OrderStatus, Side, VenuePosition
from kangbot.ports import Channel, Subscription
from kangbot.sim.exchange.events import Executed
from kangbot.sim.markets.spec import MINUTE_NS
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.feeds import SimFeeds
from kangbot.sim.world.loop import run
from kangbot.sim.world.process import Process, Spot
from kangbot.sim.world.pump import Pump
from tests.support.feed_words import Told
from tests.support.sim_bench import Bench

D = Decimal
BOTH = {Channel.QUOTE: None, Channel.TRADE: None}
_ACKED_S = 0.31  # the longest that an acknowledgement takes
_PUSHED_S = 0.04  # the longest that a private event takes, without a fault
_SILENT_S = 5.0  # after which a hub finds out


class Story:
    """One process, and a venue whose markets are moved by hand."""

    def __init__(self) -> None:
        self.bench = Bench(funding_interval_s=3600)
        self.pump = Pump(self.bench.venue, lambda: self.bench.now_ns)
        self.faults = Faults(random.Random(3))
        self.process = Process(lambda _: None)
        self.feeds = SimFeeds(pump=self.pump, faults=self.faults, process=self.process)
        self.told = Told()

    def ask(self, market: MarketId = Bench.btc, told: Told | None = None, **bars: int) -> Subscription:
        """Subscribe a market's quotes and trades, or its bars of so many seconds."""
        channels = {Channel.BAR: bars["bars"]} if bars else BOTH
        instrument = self.bench.venue.desks[market].spec.instrument
        return self.feeds.subscribe(instrument, channels, self.told if told is None else told)

    def move(self, bid: str, market: MarketId = Bench.btc) -> None:
        """Move a market, with a trade."""
        self.bench.quote(market, bid, trades=[(Side.BUY, bid, "1")])
        self.pump.flush()

    def bids(self, told: Told | None = None) -> list[Decimal]:
        """Return the bids that were heard."""
        return [quote.bid for quote in (told or self.told).of(Quote)]


def play(story: Callable[[Story], Coroutine[Any, Any, None]]) -> None:
    """Run it in virtual time."""

    async def main() -> None:
        await story(Story())

    run(main())


# -------------------------------------------------------------------------------------------------------------- public
def test_a_market_is_heard_from_its_acknowledgement_on() -> None:
    """At once, and in its order; both topics go live together."""

    async def story(told: Story) -> None:
        hold = told.ask()
        told.move("1001")
        await hold.live()
        told.move("1002")
        told.move("1003")
        assert [type(event) for event in told.told.events] == [Quote, Trade, Quote, Trade]
        assert told.bids() == [1002, 1003]
        assert told.told.changes == [("quote.None.BTCUSDT", True), ("trade.None.BTCUSDT", True)]

    play(story)


def test_bars_are_of_whole_minutes_and_of_the_timeframe_that_was_asked_for() -> None:
    """Closed ones alone: a quote or a trade is not asked for beside them."""

    async def story(told: Story) -> None:
        with pytest.raises(Refused) as refused:
            told.ask(bars=90)
        assert refused.value.code == "timeframe"
        other = Told()
        told.ask(bars=60)
        told.ask(bars=120, told=other)
        await asyncio.sleep(_ACKED_S)
        told.bench.now_ns = told.bench.now_ns // MINUTE_NS * MINUTE_NS + 2 * MINUTE_NS
        told.move("1010")
        bars = told.told.of(Bar)
        assert len(bars) == len(told.told.events) == 2
        assert bars[-1].close_ns <= told.bench.now_ns
        assert other.events == []  # the venue closes minutes, and no longer bars

    play(story)


def test_a_broken_connection_is_told_and_what_came_meanwhile_is_not() -> None:
    """Every market's, at once; the account's is another connection. Healed, each is live after its acknowledgement."""

    async def story(told: Story) -> None:
        account = Told()
        told.ask()
        told.feeds.account(account)
        await asyncio.sleep(_ACKED_S)
        told.feeds.break_public()
        told.move("1001")
        assert told.told.down_reasons() == ["closed: the connection broke"] * 2
        assert account.lives() == {"account": [True]}
        told.feeds.heal()
        told.move("1002")
        await asyncio.sleep(_ACKED_S)
        told.move("1003")
        assert told.bids() == [1003]
        assert told.told.lives()["quote.None.BTCUSDT"] == [True, False, True]
        assert account.lives() == {"account": [True, False, True]}

    play(story)


def test_a_market_is_heard_while_all_who_asked_hear_it() -> None:
    """Not before the acknowledgement, nor from the moment on in which somebody was told that it is down."""

    async def story(told: Story) -> None:
        assert told.feeds.deaf(Bench.btc)
        told.ask()
        assert told.feeds.deaf(Bench.btc)
        await asyncio.sleep(_ACKED_S)
        assert told.feeds.deaf(Bench.btc) == ""
        told.ask(told=Told())
        assert told.feeds.deaf(Bench.btc)
        await asyncio.sleep(_ACKED_S)
        assert told.feeds.deaf(Bench.btc) == ""
        told.feeds.break_public()
        assert told.feeds.deaf(Bench.btc) == "its streams are down"

    play(story)


def test_who_asks_while_the_connection_is_down_waits_for_it() -> None:
    """The acknowledgement comes after it is there again."""

    async def story(told: Story) -> None:
        told.feeds.break_public()
        told.ask()
        await asyncio.sleep(60)
        assert told.told.changes == []
        told.feeds.heal()
        await asyncio.sleep(_ACKED_S)
        assert told.told.lives()["quote.None.BTCUSDT"] == [True]

    play(story)


def test_silence_is_found_out_after_a_while() -> None:
    """Nothing says so before: the connections stay open. One that is healed by then was never down."""

    async def story(told: Story) -> None:
        account = Told()
        told.ask()
        told.feeds.account(account)
        await asyncio.sleep(_ACKED_S)
        told.feeds.fall_silent()
        await asyncio.sleep(_SILENT_S - 0.1)
        told.move("1001")
        assert (told.bids(), told.told.down_reasons(), account.down_reasons()) == ([], [], [])
        await asyncio.sleep(0.2)
        assert (len(told.told.down_reasons()), len(account.down_reasons())) == (2, 1)
        told.feeds.heal()
        await asyncio.sleep(_ACKED_S)
        told.feeds.fall_silent()
        told.feeds.heal()
        await asyncio.sleep(_ACKED_S)
        before = len(told.told.changes)
        await asyncio.sleep(2 * _SILENT_S)
        assert len(told.told.changes) == before

    play(story)


def test_one_market_may_fall_silent() -> None:
    """Each of its events is counted, its bars as well do not come, and the others go on; then that is found out."""

    async def story(told: Story) -> None:
        other, bars = Told(), Told()
        told.ask()
        told.ask(Bench.eth, other)
        told.ask(told=bars, bars=60)
        await asyncio.sleep(_ACKED_S)
        told.feeds.mute(Bench.btc)
        told.bench.now_ns += 2 * MINUTE_NS
        told.move("1001")
        told.move("101", Bench.eth)
        assert (told.told.events, bars.events) == ([], [])
        assert told.bids(other) == [101]
        assert told.faults.counts[Kind.MUTE] == 4  # a quote and a trade, at two holds
        await asyncio.sleep(_SILENT_S + 0.1)
        assert told.told.down_reasons() == ["silent: nothing came"] * 2
        assert other.down_reasons() == []
        told.ask(told=other)
        await asyncio.sleep(_ACKED_S)
        assert other.lives() == {"quote.None.ETHUSDT": [True], "trade.None.ETHUSDT": [True]}
        told.feeds.heal()
        await asyncio.sleep(_ACKED_S)
        told.move("1002")
        assert told.bids() == [1002]

    play(story)


def test_a_hold_that_was_let_go_is_told_nothing_more() -> None:
    """Not that its connection broke either. The other one of the market stays."""

    async def story(told: Story) -> None:
        stays = Told()
        hold = told.ask()
        told.ask(told=stays)
        await asyncio.sleep(_ACKED_S)
        await hold.aclose()
        before = list(told.told.changes)
        told.move("1001")
        told.feeds.break_public()
        told.feeds.heal()
        await asyncio.sleep(_ACKED_S)
        assert (told.bids(), told.told.changes) == ([], before)
        assert told.bids(stays) == [1001]

    play(story)


def test_a_hold_that_was_let_go_before_its_acknowledgement_never_goes_live() -> None:
    """It comes all the same, and nobody asked for it any more."""

    async def story(told: Story) -> None:
        await told.ask().aclose()
        await told.feeds.account(told.told).aclose()
        await asyncio.sleep(_ACKED_S)
        assert told.told.changes == []

    play(story)


def test_a_market_that_speaks_again_was_never_down() -> None:
    """Where that is before anybody found out."""

    async def story(told: Story) -> None:
        hold = told.ask()
        told.feeds.mute(Bench.btc)
        told.feeds.heal()
        await hold.live()
        await asyncio.sleep(2 * _SILENT_S)
        assert told.told.down_reasons() == []

    play(story)


# ------------------------------------------------------------------------------------------------------------- private
def test_the_account_is_told_a_moment_later_in_the_order_of_each_topic() -> None:
    """An order's changes one after the other, whatever overtakes them."""

    async def story(told: Story) -> None:
        told.feeds.account(told.told)
        await asyncio.sleep(_ACKED_S)
        told.faults.begin(Kind.PRIVATE_SHUFFLE, 0.5)
        for number in range(20):
            told.bench.submit(Side.BUY, "0.1", "900", client_id=f"kb{number}")
            told.bench.venue.cancel(told.bench.now_ns, client_id=f"kb{number}")
            told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        assert told.told.events == []
        await asyncio.sleep(60)
        ours = [report for report in told.told.of(OrderReport) if report.client_id is not None]
        assert [(report.client_id, report.status) for report in ours] == [
            (f"kb{number}", status) for number in range(20) for status in (OrderStatus.ACKED, OrderStatus.CANCELED)
        ]
        assert told.told.of(Fill) == [
            event.fill for event in told.bench.venue.executions if isinstance(event, Executed)
        ]
        first, last = (told.told.events.index(told.told.of(Fill)[place]) for place in (0, -1))
        assert first < told.told.events.index(told.told.of(VenuePosition)[-1])
        assert told.told.events.index(told.told.of(Balance)[0]) < last

    play(story)


def test_private_events_may_be_lost_or_come_twice() -> None:
    """Nobody says so; each is counted."""

    async def story(told: Story) -> None:
        told.feeds.account(told.told)
        await asyncio.sleep(_ACKED_S)
        told.faults.begin(Kind.PRIVATE_DROP, 1.0)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        await asyncio.sleep(_PUSHED_S)
        assert told.told.events == []
        told.faults.end(Kind.PRIVATE_DROP)
        told.faults.begin(Kind.PRIVATE_DUPLICATE, 1.0)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        await asyncio.sleep(2 * _PUSHED_S)
        twice = told.told.of(Fill)
        assert len(twice) == 2
        assert twice[0] == twice[1]
        assert min(told.faults.counts[kind] for kind in (Kind.PRIVATE_DROP, Kind.PRIVATE_DUPLICATE)) > 1

    play(story)


def test_what_is_on_its_way_when_the_private_stream_breaks_does_not_arrive() -> None:
    """Nor after it was made anew: the account is compared then. Public data go on."""

    async def story(told: Story) -> None:
        public = Told()
        told.feeds.account(told.told)
        told.ask(told=public)
        await asyncio.sleep(_ACKED_S)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        told.feeds.break_private()
        told.bench.submit(Side.BUY, "0.01")
        told.move("1001")
        await asyncio.sleep(1)
        assert told.told.events == []
        assert told.bids(public)[-1] == 1001
        assert told.told.lives() == {"account": [True, False]}
        told.feeds.heal()
        await asyncio.sleep(1)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        await asyncio.sleep(_PUSHED_S)
        assert len(told.told.of(Fill)) == 1

    play(story)


@pytest.mark.parametrize("how", ["silent", "let go"])
def test_what_is_on_its_way_does_not_arrive_where_nobody_listens(how: str) -> None:
    """The stream says nothing any more, or its hold was let go meanwhile."""

    async def story(told: Story) -> None:
        hold = told.feeds.account(told.told)
        await hold.live()
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        if how == "silent":
            told.feeds.fall_silent()
        else:
            await hold.aclose()
        await asyncio.sleep(1)
        assert told.told.events == []

    play(story)


def test_an_account_that_was_let_go_is_told_nothing_more() -> None:
    """A later hold takes its place, and does not lose it when the first is let go once more."""

    async def story(told: Story) -> None:
        first = told.feeds.account(told.told)
        await asyncio.sleep(_ACKED_S)
        await first.aclose()
        second = Told()
        told.feeds.account(second)
        await first.aclose()
        await asyncio.sleep(_ACKED_S)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        await asyncio.sleep(_PUSHED_S)
        assert (told.told.events, second.heard(Fill)) == ([], True)

    play(story)


# ------------------------------------------------------------------------------------------------------------- process
def test_a_dead_process_hears_nothing() -> None:
    """Neither a market, nor what was on its way to it, nor an acknowledgement."""

    async def story(told: Story) -> None:
        told.ask()
        told.feeds.account(told.told)
        await asyncio.sleep(_ACKED_S)
        late = Told()
        told.ask(Bench.eth, late)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        heard = len(told.told.events)
        told.process.die()
        told.move("1001")
        await asyncio.sleep(1)
        assert (len(told.told.events), late.changes) == (heard, [])
        told.feeds.close()

    play(story)


def test_a_process_may_die_of_what_it_hears() -> None:
    """A private event has arrived, and nothing was learnt from it."""

    async def story(told: Story) -> None:
        told.feeds.account(told.told)
        await asyncio.sleep(_ACKED_S)
        told.process.doom(Spot.NEWS, 2)
        told.bench.submit(Side.BUY, "0.01")
        told.pump.flush()
        await asyncio.sleep(_PUSHED_S)
        assert (len(told.told.events), told.process.alive) == (1, False)

    play(story)


def test_a_process_that_lets_go_of_the_venue_is_told_of_nothing() -> None:
    """Another one's feeds are in the same pump by then."""

    async def story(told: Story) -> None:
        told.ask()
        await asyncio.sleep(_ACKED_S)
        told.feeds.close()
        told.move("1001")
        assert told.told.events == []

    play(story)
