"""One life of the daemon in a simulation: whether it lives, and at which point of its work it dies.

The daemon reaches the world through its journal, its requests and its streams only. Each of them tells the process
where it stands; a process that is to die there is dead from that point on, in the middle of whatever it was doing:
nothing that its code still does has an effect. That is a crash at any await, in all that can be seen of it.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Protocol, TypeVar

from kangbot.errors import RateLimited
from kangbot.sim.world.network import Network, Stamp

T = TypeVar("T")


class Spot(Enum):
    """A point of the daemon's work at which it may die."""

    APPEND = auto()  # something was queued for the journal and is not on disk
    COMMIT = auto()  # a commit is under way: it may be on disk or not
    COMMITTED = auto()  # it is on disk, and nobody knows
    COMPACT = auto()  # a checkpoint is about to take the place of old records
    COMPACTED = auto()  # it has, and nobody knows
    BEFORE_SEND = auto()  # a request is about to leave
    AFTER_SEND = auto()  # it has left
    ANSWER = auto()  # an answer has arrived, and nothing was learnt from it yet
    NEWS = auto()  # a private event has arrived, likewise


class Process:
    """A life. `died` is called once, in the moment of death."""

    def __init__(self, died: Callable[[Spot | None], None]) -> None:
        self.alive = True
        self._died = died
        self._spot: Spot | None = None
        self._left = 0

    @property
    def doomed(self) -> bool:
        """Whether its death has been decided."""
        return self._spot is not None

    def doom(self, spot: Spot, passes: int) -> None:
        """Let it die when it passes `spot` for the `passes`-th time from now on."""
        self._spot, self._left = spot, passes

    def spare(self) -> None:
        """Let it live."""
        self._spot = None

    def fall_due(self) -> None:
        """Die where it stands, unless it was spared: its spot has not been passed in time."""
        if self.doomed:
            self.die()

    def at(self, spot: Spot) -> bool:
        """Pass a spot; returns whether it lives on."""
        if spot is self._spot and self.alive:
            self._left -= 1
            if self._left <= 0:
                self.die(spot)
        return self.alive

    def die(self, spot: Spot | None = None) -> None:
        """Die, here and now."""
        if self.alive:
            self.alive = False
            self._died(spot)


class Departures(Protocol):
    """Whoever watches what leaves."""

    def departs(self, *, public: bool) -> int:
        """Learn that a request leaves now; return when that is."""

    def arrives(self, left_ns: int, *, public: bool) -> None:
        """Learn that a request that left then is at the venue's door."""

    def told_to_wait(self, for_ns: int, *, public: bool) -> None:
        """Learn that the venue asked to be left alone for so long, and that the caller hears it now."""


class ProcessCarrier:
    """Implements `Carrier` for one process: a dead one sends nothing and hears nothing."""

    def __init__(self, network: Network, process: Process, departures: Departures) -> None:
        self._network = network
        self._process = process
        self._departures = departures

    async def carry(
        self, act: Callable[[], T], *, changes: bool, stamp: Stamp | None = None, public: bool = False
    ) -> T:
        """Send, wait, and return what came back."""
        if not self._process.at(Spot.BEFORE_SEND):
            return await never()
        left_ns = self._departures.departs(public=public)
        knocks = partial(self._departures.arrives, left_ns, public=public)
        answer = self._network.send(act, changes=changes, stamp=stamp, knocks=knocks)
        if not self._process.at(Spot.AFTER_SEND):
            answer.cancel()  # nobody will ever ask for it
            return await never()
        try:
            result = await answer
        except RateLimited as limited:
            self._departures.told_to_wait(limited.retry_after_ns, public=public)
            raise
        finally:
            self._process.at(Spot.ANSWER)
        return result


async def never() -> T:
    """Wait for what does not come: the dead wait until their tasks are cancelled."""
    nothing: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    return await nothing
