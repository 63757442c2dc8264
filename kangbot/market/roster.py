"""The run-state cache: where every market stands, what the operator wants of it, and why.

It lives in memory and is the only answer to "should this market run?"; nothing asks a database. What the operator wants
is journalled, so that a restart resumes it. Markets obey by commands in their inbox and report back by `move`, which is
where the table of `machines/runstate.py` is applied.

Start-all is staggered: a venue that counts connects and requests must not see twenty-seven markets in one instant.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from enum import Enum

import msgspec
import structlog

from kangbot.errors import Refused
from kangbot.machines.runstate import Signal, next_state
from kangbot.market.naming import UnknownMarketError
from kangbot.market.promises import Promises
from kangbot.model.events import Desired, DesiredChanged, Noted, RunState, RunStateChanged, Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Journal
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)


class Command(Enum):
    """What an operator can ask of a market."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


_WANTED = {
    Command.START: Desired.RUNNING,
    Command.RESUME: Desired.RUNNING,
    Command.PAUSE: Desired.PAUSED,
    Command.STOP: Desired.STOPPED,
}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one market stands."""

    state: RunState = RunState.STOPPED
    reason: str = "not started"
    since_ns: int = 0
    desired: Desired = Desired.STOPPED


class Roster:
    """All markets of the daemon; one writer, the loop. The order of `add` is the order of start-all."""

    def __init__(
        self, *, clock: Clock, journal: Journal, draw: Callable[[], float], interval_s: float, jitter_s: float
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._draw = draw
        self._interval_s = interval_s
        self._jitter_s = jitter_s
        self._places: dict[MarketId, Place] = {}
        self._obey: dict[MarketId, Callable[[Command], None]] = {}
        self._refuses: dict[MarketId, Callable[[], str]] = {}
        self._left: dict[MarketId, None] = {}  # they left the configuration: their books are kept, they never start
        self._given: dict[MarketId, int] = {}  # how many promises were broken when what is wanted was written last
        self._changed = asyncio.Event()
        self.promises = Promises()

    # ------------------------------------------------------------------------------------------------------- reading
    @property
    def places(self) -> Mapping[MarketId, Place]:
        """Every market's place, in the order of the configuration."""
        return self._places

    def __getitem__(self, market: MarketId) -> Place:
        """Return the market's place; UnknownMarketError where there is none."""
        try:
            return self._places[market]
        except KeyError:
            raise UnknownMarketError(f"no market {market!r} in the configuration") from None

    def count(self, *states: RunState) -> int:
        """Return how many markets are in one of `states`."""
        return sum(place.state in states for place in self._places.values())

    def wants_pause(self, market: MarketId) -> bool:
        """Whether the operator wants the market paused."""
        return self[market].desired is Desired.PAUSED

    async def reached(self, markets: Iterable[MarketId], *states: RunState) -> None:
        """Wait until every one of `markets` is in one of `states`."""
        waited = tuple(markets)
        place = there = 0  # how many in a row, without a wait between them, were found there
        while there < len(waited):
            if self[waited[place]].state in states:
                there, place = there + 1, (place + 1) % len(waited)
                continue
            there = 0
            self._changed.clear()
            await self._changed.wait()

    # ------------------------------------------------------------------------------------------------------- wanting
    def add(
        self,
        market: MarketId,
        obey: Callable[[Command], None],
        desired: Desired,
        *,
        refuses: Callable[[], str] = lambda: "",
    ) -> None:
        """Enter a market; `desired` is what the journal remembers, or the configuration where it does not.

        `refuses` tells why it takes no command but a stop; "" where it takes each.
        """
        self._refuses[market] = refuses
        self._obey[market] = obey
        self._places[market] = Place(since_ns=self._clock.now_ns(), desired=desired)

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        """Note what the operator wants, and have the market do it. Repeating a command changes nothing.

        One that may not be on disk is written again when it is repeated, as whoever heard of that was told to do.
        A market that is to stand still has nothing to pause or to resume: only START starts it. Refused for a market
        that has left the configuration, and for one that takes none, save for STOP.
        """
        place = self[market]
        if market in self._left and command is not Command.STOP:
            raise Refused(f"{market} is no longer in the configuration; put it back there, and it goes on as before")
        if command is not Command.STOP and (reason := self._refuses[market]()):
            raise Refused(f"{market}: {reason}")
        if place.desired is Desired.STOPPED and command in (Command.PAUSE, Command.RESUME):
            return place
        self._want(market, _WANTED[command], caller)
        self._obey[market](command)
        return self._places[market]

    def want_all(self, caller: str) -> None:
        """Note that every market is to run: `start_all` has them begin, or a restart does.

        One that has left the configuration too, for when it is back: else what stopped it with the others, `stop_all`,
        would keep it alone from trading then.
        """
        for market in self._places:
            self._want(market, Desired.RUNNING, caller)

    def _want(self, market: MarketId, desired: Desired, caller: str) -> None:
        place, broken = self._places[market], self.promises.broken
        if desired is not place.desired or self._given.get(market, broken) < broken:
            self._places[market] = msgspec.structs.replace(place, desired=desired)
            self._given[market] = broken
            # From the reserve: a market that was stopped on a full disk must not run again after a restart.
            changed = DesiredChanged(market=market, desired=desired, caller=caller, at_ns=self._clock.now_ns())
            self.promises.give(self._journal.append(changed, reserve=True))

    def leave(self, market: MarketId) -> None:
        """Stop a market that has left the configuration. What the operator wanted of it stands for when it is back."""
        self._left[market] = None
        self._obey[market](Command.STOP)

    def join(self, market: MarketId, caller: str) -> None:
        """Begin with a market that has joined, or is back, unless the operator had stopped it."""
        self._left.pop(market, None)
        if self[market].desired is not Desired.STOPPED:
            self._begin(market, caller)

    async def start_all(self, caller: str) -> None:
        """Start every market that is to run, one after another with the interval and jitter between them.

        One that is stopped before its turn comes stays so.
        """
        first = True
        for market in tuple(self._places):
            if not self._to_begin(market):
                continue
            if not first:
                await asyncio.sleep(self._interval_s + self._jitter_s * self._draw())
            first = False
            if self._to_begin(market):
                self._begin(market, caller)

    def _to_begin(self, market: MarketId) -> bool:
        return market not in self._left and self._places[market].desired is not Desired.STOPPED

    def _begin(self, market: MarketId, caller: str) -> None:
        """Start a market. A paused one is started too: it manages its position and does not enter."""
        if reason := self._refuses[market]():  # the others begin all the same
            log.error("market.not_started", market=market, why=reason)
            self._journal.append(
                Noted(
                    kind="market.not_started",
                    severity=Severity.ERROR,
                    market=market,
                    message=f"start-all passed it over: {reason}",
                    at_ns=self._clock.now_ns(),
                )
            )
            return
        pause = self[market].desired is Desired.PAUSED
        if pause:
            self._obey[market](Command.START)
        self.command(market, Command.PAUSE if pause else Command.START, caller)

    def stop_all(self, caller: str, *, remember: bool) -> None:
        """Stop every market. `remember` False is the daemon's own end: a restart starts them again."""
        for market in self._places:
            if remember:
                self.command(market, Command.STOP, caller)
            else:
                self._obey[market](Command.STOP)

    # ----------------------------------------------------------------------------------------------------- reporting
    def move(self, market: MarketId, signal: Signal, reason: str) -> RunState:
        """Apply a signal to the market's state and return what it is now; called by the market's own task."""
        place = self[market]
        after = next_state(place.state, signal)
        if after is place.state:
            if signal is Signal.CRASHED and after is RunState.STARTING:  # else it would say that it was started
                self._places[market] = msgspec.structs.replace(place, reason=reason)
            return after
        now_ns = self._clock.now_ns()
        self._places[market] = msgspec.structs.replace(place, state=after, reason=reason, since_ns=now_ns)
        self._journal.append(
            RunStateChanged(market=market, before=place.state, after=after, reason=reason, at_ns=now_ns)
        )
        tell = log.error if after is RunState.FAILED else log.info
        tell("market." + after.value, market=market, before=place.state.value, reason=reason)
        self._changed.set()
        return after
