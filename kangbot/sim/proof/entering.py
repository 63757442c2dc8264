"""When a market may enter: it is live, its streams flow, it does not rest, no hand holds it, and few enough are open.

Counted from the events as they are made, as the daemon counts; what a crash takes with it is forgotten here too. How
many markets are open is looked up at the venue. How often one may enter in an hour is `rate.py`, what may be lost
`losses.py`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from kangbot.model.events import Event, FillApplied, OrderIntended, RoundTripClosed, RunState, RunStateChanged
from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId, ExecutionId, MarketId
from kangbot.model.orders import FillCause, Intent, Purpose
from kangbot.risk.limits import Limits
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.orders import Origin
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.hands import HandWatch
from kangbot.sim.proof.held import closable, is_spot, sellable
from kangbot.sim.proof.rate import RateWatch

_CLOCKS_NS = 1_500_000_000  # by which the clocks of two lives may differ
_STOPPED = (FillCause.STOP, FillCause.LIQUIDATION)


class EntryWatch:
    """Watches one session. `fail(what)` is told of a promise that was broken; `intents` are those on disk.

    Of the life that runs, `deaf` tells why it hears nothing of a market, "" where it does; `adopts`: what somebody
    trades by hand is the daemon's.
    """

    def __init__(
        self,
        *,
        engine: SimVenue,
        hands: HandWatch,
        limits: Limits,
        intents: Mapping[ClientId, Intent],
        fail: Callable[[str], None],
    ) -> None:
        self.deaf: Callable[[MarketId], str] = lambda _market: ""
        self.adopts = False
        self._engine = engine
        self._hands = hands
        self._intents = intents
        self._fail = fail
        self._rate = RateWatch(limits.entries_an_hour, fail)
        self._limits = limits
        self._kept = _Memory()  # what is on disk
        self._made = _Memory()  # and what has been made in this life beside it
        self._states: dict[MarketId, RunState] = {}
        self._applied: dict[ExecutionId, None] = {}  # on disk

    # ------------------------------------------------------------------------------------------------------ by session
    def begins(self) -> None:
        """Learn that a life begins, which knows what is on disk."""
        self._made = self._kept.copy()
        self._states.clear()

    def limited(self, limits: Limits) -> int:
        """Learn which limits hold from now on; return how many markets may not enter any more in this hour."""
        self._limits, self._rate.limit = limits, limits.entries_an_hour
        return self._rate.spent()

    def synced(self, event: Event) -> None:
        """Learn of an event that is on disk."""
        self._kept.count(event)
        if isinstance(event, OrderIntended):
            self._rate.synced(event.intent)
        elif isinstance(event, FillApplied):
            self._applied[event.fill.execution_id] = None

    def announced(self, event: Event) -> None:
        """Learn of an event as it is made."""
        if isinstance(event, RunStateChanged):
            self._states[event.market] = event.after
        if isinstance(event, OrderIntended) and event.intent.purpose is Purpose.ENTRY:
            self._rate.intended(event.intent)
            for why in (self._asleep, self._rests, self._beside, self._crowded):
                if words := why(event.intent):
                    self._fail(f"entry {event.intent.client_id} of {event.intent.market} is intended: {words}")
        self._made.count(event)

    # --------------------------------------------------------------------------------------------------------- reasons
    def _asleep(self, intent: Intent) -> str:
        state = self._states.get(intent.market, RunState.STOPPED)
        return f"the market is {state.value}" if state is not RunState.LIVE else self.deaf(intent.market)

    def _rests(self, intent: Intent) -> str:
        limits, now_ns = self._limits, intent.at_ns + _CLOCKS_NS
        memory = self._made.markets.get(intent.market)
        if memory is None:
            return ""
        row = limits.consecutive_losses
        if row is not None and memory.row >= row and now_ns < memory.lost_ns + limits.losses_pause_ns:
            return f"it has lost {memory.row} times in a row, and rests"
        if limits.stop_pause_ns is not None and memory.stopped_ns and now_ns < memory.stopped_ns + limits.stop_pause_ns:
            return "it was stopped out, and rests"
        return ""

    def _beside(self, intent: Intent) -> str:
        """Judge contracts, once every execution there is on disk."""
        market = intent.market
        theirs = self._hands.net(market) - self._hands.ours(market)
        if self.adopts or self._limits.beside_hand or not theirs or is_spot(self._engine, market):
            return ""
        executed = (told.fill for told in self._engine.executions if isinstance(told, Executed))
        known = all(fill.execution_id in self._applied for fill in executed if fill.market == market)
        return f"somebody holds {theirs} there by hand" if known else ""

    def _crowded(self, intent: Intent) -> str:
        most = self._limits.open_positions
        if most is None:
            return ""
        others = [market for market in self._engine.desks if market != intent.market and self._open(market)]
        if len(others) < most or self._open(intent.market):
            return ""
        return f"open are {', '.join(others)}, the limit is {most}"

    def _open(self, market: MarketId) -> bool:
        """Whether something of ours is held there that an order can close, or an entry of ours is under way."""
        ours = self._hands.ours(market)
        holds = bool(sellable(self._engine, market, ours)) if is_spot(self._engine, market) else bool(ours)
        return (holds and closable(self._engine, market, ours)) or any(
            order.origin is Origin.USER and self._enters(ClientId(order.request.client_id))
            for order in self._engine.orders.open(market)
        )

    def _enters(self, client_id: ClientId) -> bool:
        intent = self._intents.get(client_id)
        return client_id.startswith(CLIENT_ID_PREFIX) and intent is not None and intent.purpose is Purpose.ENTRY


class _Market(msgspec.Struct, frozen=True, kw_only=True):
    """What one market has come to."""

    row: int = 0  # losses, without a gain between them
    lost_ns: int = 0
    stopped_ns: int = 0


class _Memory(msgspec.Struct, kw_only=True):
    """What events have come to."""

    markets: dict[MarketId, _Market] = msgspec.field(default_factory=dict)

    def copy(self) -> "_Memory":
        """Return the same, to go on from."""
        return _Memory(markets={**self.markets})

    def count(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case RoundTripClosed(trip=trip, at_ns=at_ns) if trip.net_profit < Decimal(0):
                market = self.markets.get(trip.market, _Market())
                self.markets[trip.market] = msgspec.structs.replace(market, row=market.row + 1, lost_ns=at_ns)
            case RoundTripClosed(trip=trip):
                self.markets[trip.market] = msgspec.structs.replace(self.markets.get(trip.market, _Market()), row=0)
            case FillApplied(fill=fill, at_ns=at_ns) if fill.cause in _STOPPED:
                self.markets[fill.market] = msgspec.structs.replace(
                    self.markets.get(fill.market, _Market()), stopped_ns=at_ns
                )
            case _:
                return
