"""`ports.Feeds` over the simulated venue's events: what a hub of sockets tells its sinks, with the faults of sockets.

Public data come in order and at once. The private stream has a way of its own for each of its topics, as the venues
have: they overtake each other, single events may be lost or come twice, and the stream as a whole may go down.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from kangbot.errors import Refused
from kangbot.machines.session_words import Trouble
from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.orders import AccountEvent, Balance, CashFlow, Fill, OrderReport, VenuePosition
from kangbot.ports import Channel, Sink, Subscription, Topic
from kangbot.sim.exchange.events import SimEvent, account_event
from kangbot.sim.markets.klines import Candle
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.process import Process, Spot
from kangbot.sim.world.pump import Pump

_ACK_S = (0.05, 0.3)
_PUSH_S = (0.003, 0.03)
_SHUFFLED_S = (0.1, 3.0)
_WATCHDOG_S = 5.0  # silence after which a hub gives a topic up


class SimFeeds:
    """The feeds of one process. `break_public`, `break_private` and `mute` are what faults do; `heal` ends them."""

    def __init__(self, *, pump: Pump, faults: Faults, process: Process) -> None:
        self._pump = pump
        self._faults = faults
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._holds: dict[MarketId, list[_Hold]] = {}  # a market may be held more than once
        self._account: _Hold | None = None
        self._silent: dict[MarketId, None] = {}  # topics that say nothing; whether the hub knows is in the hold
        self._public_up = self._private_up = True
        self._arrivals: dict[str, float] = {}  # when the newest event of a private topic arrives
        pump.listen(self._take)

    # -------------------------------------------------------------------------------------------------- ports.Feeds
    def subscribe(
        self,
        instrument: Instrument,
        channels: Mapping[Channel, int | None],
        sink: Sink,
        *,
        eager: bool = True,  # noqa: ARG002 -- see below
    ) -> Subscription:
        """Ask for these channels of the market. Refused where bars are not of whole minutes.

        Events come as late as the plan has them, `eager` or not.
        """
        if (channels.get(Channel.BAR) or 0) % 60:
            raise Refused(f"there are no bars of {channels[Channel.BAR]} s", code="timeframe")
        topics = [
            Topic(
                market=instrument.market, channel=channel, native=f"{channel.value}.{timeframe_s}.{instrument.native}"
            )
            for channel, timeframe_s in channels.items()
        ]
        hold = _Hold(topics, sink, self._leave, timeframe_s=channels.get(Channel.BAR))
        hold.quotes, hold.trades = Channel.QUOTE in channels, Channel.TRADE in channels
        self._holds.setdefault(instrument.market, []).append(hold)
        self._ack(hold)
        return hold

    def account(self, sink: Sink) -> Subscription:
        """Ask for the account's private stream."""
        hold = _Hold([Topic(market=None, channel=Channel.ACCOUNT, native="account")], sink, self._leave_account)
        self._account = hold
        self._ack(hold)
        return hold

    def _leave(self, hold: "_Hold") -> None:
        """Let go of one hold; others of the same market stay. Harmless when repeated."""
        for market, holds in tuple(self._holds.items()):
            if hold in holds:
                holds.remove(hold)
                if not holds:
                    del self._holds[market]

    def _leave_account(self, hold: "_Hold") -> None:
        if self._account is hold:
            self._account = None

    def _public_holds(self) -> Sequence["_Hold"]:
        return [hold for holds in self._holds.values() for hold in holds]

    def deaf(self, market: MarketId) -> str:
        """Return why a market's data do not flow, as whoever subscribed to them was told; "" where they do."""
        holds = self._holds.get(market, ())
        return "" if holds and all(hold.is_up for hold in holds) else "its streams are down"

    def close(self) -> None:
        """Let go of the venue: the process is dead."""
        self._pump.forget(self._take)

    # ------------------------------------------------------------------------------------------------------- faults
    def break_public(self) -> None:
        """Lose the public connections."""
        self._public_up = False
        for hold in self._public_holds():
            hold.down(f"{Trouble.CLOSED}: the connection broke")

    def break_private(self) -> None:
        """Lose the private connection."""
        self._private_up = False
        if self._account is not None:
            self._account.down(f"{Trouble.CLOSED}: the connection broke")

    def fall_silent(self) -> None:
        """Let both connections stay open and say nothing; the hub finds out by its watchdog."""
        self._public_up = self._private_up = False
        self._loop.call_later(_WATCHDOG_S, self._noticed)

    def _noticed(self) -> None:
        if not self._public_up:
            self.break_public()
        if not self._private_up:
            self.break_private()

    def mute(self, market: MarketId) -> None:
        """Let one market fall silent."""
        self._silent[market] = None
        self._loop.call_later(_WATCHDOG_S, self._mute_noticed, market)

    def _mute_noticed(self, market: MarketId) -> None:
        if market in self._silent:
            for hold in tuple(self._holds.get(market, ())):
                hold.down(f"{Trouble.SILENT}: nothing came")

    def heal(self) -> None:
        """Connect again what is down, each topic after its acknowledgement."""
        self._public_up = self._private_up = True
        self._silent.clear()
        for hold in (*self._public_holds(), *([self._account] if self._account else [])):
            hold.down(f"{Trouble.CLOSED}: the connection is made anew")
            self._ack(hold)

    def _ack(self, hold: "_Hold") -> None:
        self._loop.call_later(self._faults.rng.uniform(*_ACK_S), self._acked, hold)

    def _acked(self, hold: "_Hold") -> None:
        up = self._private_up if hold is self._account else self._public_up
        known = hold is self._account or hold in self._public_holds()
        muted = hold.topics[0].market in self._silent
        if up and known and not muted and self._process.alive:
            hold.up()

    # -------------------------------------------------------------------------------------------------------- events
    def _take(self, events: Sequence[SimEvent]) -> None:
        if not self._process.alive:
            return
        for event in events:
            if isinstance(event, Quote | Trade):
                self._public(event.market, event)
            elif isinstance(event, Candle):
                self._candle(event)
            elif (told := account_event(event)) is not None:
                self._private(told)

    def _public(self, market: MarketId, event: Quote | Trade) -> None:
        for hold in tuple(self._holds.get(market, ())):
            if not hold.is_up or not self._public_up:
                continue
            if market in self._silent:
                self._faults.struck(Kind.MUTE)
            elif hold.quotes if isinstance(event, Quote) else hold.trades:
                hold.sink.offer(event, 0)

    def _candle(self, candle: Candle) -> None:
        """Tell of a bar; the venue tells of closed ones alone."""
        if not self._public_up or candle.market in self._silent:
            return
        for hold in tuple(self._holds.get(candle.market, ())):
            if hold.is_up and hold.timeframe_s == candle.timeframe_s:
                hold.sink.offer(candle.bar, 0)

    def _private(self, event: AccountEvent) -> None:
        hold, faults = self._account, self._faults
        if hold is None or not hold.is_up or not self._private_up:
            return
        topic = _topic(event)
        if faults.strikes(Kind.PRIVATE_DROP):
            return
        delay_s = faults.rng.uniform(*_PUSH_S)
        if faults.strikes(Kind.PRIVATE_SHUFFLE):
            delay_s += faults.rng.uniform(*_SHUFFLED_S)
        due_s = max(self._loop.time() + delay_s, self._arrivals.get(topic, 0.0) + 1e-6)  # in order within a topic
        self._arrivals[topic] = due_s
        self._loop.call_at(due_s, self._deliver, hold, event)
        if faults.strikes(Kind.PRIVATE_DUPLICATE):
            self._loop.call_at(due_s + faults.rng.uniform(*_PUSH_S), self._deliver, hold, event)

    def _deliver(self, hold: "_Hold", event: AccountEvent) -> None:
        if hold.is_up and self._private_up and self._process.at(Spot.NEWS):
            hold.sink.offer(event, 0)


class _Hold:
    """Implements `ports.Subscription`."""

    def __init__(
        self,
        topics: Sequence[Topic],
        sink: Sink,
        release: Callable[["_Hold"], object],
        *,
        timeframe_s: int | None = None,
    ) -> None:
        self.topics = topics
        self.sink = sink
        self.timeframe_s = timeframe_s
        self.quotes = self.trades = False
        self.is_up = False
        self._release = release
        self._acked = asyncio.Event()

    def up(self) -> None:
        """Learn that the topics are acknowledged."""
        if not self.is_up:
            self.is_up = True
            self._acked.set()
            for topic in self.topics:
                self.sink.feed_changed(topic, live=True, reason="acknowledged")

    def down(self, reason: str) -> None:
        """Learn that they are not there any more."""
        if self.is_up:
            self.is_up = False
            for topic in self.topics:
                self.sink.feed_changed(topic, live=False, reason=reason)

    async def live(self) -> None:
        """Wait for the acknowledgement."""
        await self._acked.wait()

    async def aclose(self) -> None:
        """Let the topics go."""
        self.is_up = False
        self._release(self)


def _topic(event: AccountEvent) -> str:
    """Return the topic of a private event: those of one come in their order."""
    match event:
        case OrderReport():
            return "order"
        case Fill() | CashFlow():
            return "execution"
        case VenuePosition():
            return "position"
        case Balance():
            return "wallet"
