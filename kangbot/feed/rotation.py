"""Planned rotation: a connection is replaced before the venue cuts it (24 h), without a gap.

The new connection carries the old one's topics beside it until each is acknowledged there, and quotes flow; then the
old one closes. Until it is closed each topic's events pass once (`feed/route.py`, Once): what was on its way is still
read, for a trade among it may have come before the new one listened. Where the new one does not come up in
time it is closed instead, and the old one stays until the next attempt.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from kangbot.feed.pool import Pool
from kangbot.feed.route import Once, Route
from kangbot.feed.stream import Stream
from kangbot.ports import Channel
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

_TAKEOVER_S = 60.0


class Rotation:
    """Watches the age of one pool's connections; replaces one at a time.

    A connection older than `age_s` is replaced; its successor has a minute to come up.
    """

    def __init__(self, pool: Pool, *, clock: Clock, age_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._age_ns = round(age_s * SECOND_NS)
        self._takeover_s = _TAKEOVER_S
        self._look_s = min(60.0, age_s / 20)
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Have every connection that is open replaced now, whatever its age."""
        self._hurried.set()

    async def run(self) -> None:
        """Replace connections as they come of age, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._hurried.wait()
            age_ns = 0 if self._hurried.is_set() else self._age_ns
            self._hurried.clear()
            for stream in self._pool.streams:
                await self._look_at(stream, age_ns)

    async def _look_at(self, stream: Stream, age_ns: int) -> None:
        try:
            if stream.opened_ns is not None and self._clock.now_ns() - stream.opened_ns >= age_ns:
                await self._replace(stream)
        except Exception:
            log.exception("feed.rotation_fault", stream=stream.name)  # the connection stays, and is tried again

    async def _replace(self, old: Stream) -> None:
        routes = self._pool.routes_of(old.name)
        new = self._pool.add()
        self._pool.retire(old.name, yes=True)
        for route in routes:
            route.once = Once()
            route.carry(new)
        ready = await self._ready(routes, new.name)
        keep, end = (new, old) if ready else (old, new)
        self._pool.retire(old.name, yes=False)
        for route in self._both(routes, old.name, new.name):
            # A quiet topic that is acknowledged is as live as it was; its own terms say for how long.
            route.carriers[keep.name].live |= ready and route.live
            route.drop(end.name)
        self._pool.hand_over(end.name)  # what was asked for, or moved to a new one that had room, meanwhile
        log.info("feed.rotated" if ready else "feed.rotation_failed", old=old.name, new=new.name)
        try:
            await self._pool.remove(end.name)
        finally:
            for route in routes:
                route.once = None

    async def _ready(self, routes: Sequence[Route], new: str) -> bool:
        """Wait until the new stream can take over."""
        try:
            async with asyncio.timeout(self._takeover_s):
                while not all(self._taken(route, new) for route in routes):
                    self._pool.news.clear()
                    await self._pool.news.wait()
        except TimeoutError:
            return False
        return True

    def _taken(self, route: Route, new: str) -> bool:
        carrier = route.carriers.get(new)
        if carrier is None:
            return True  # nobody wants it any more
        if len(route.carriers) > 1 and not any(c.live for name, c in route.carriers.items() if name != new):
            return carrier.acked or carrier.denied is not None  # it is no better where it is
        return carrier.live or (carrier.acked and route.topic.channel is not Channel.QUOTE)

    def _both(self, routes: Sequence[Route], *names: str) -> Sequence[Route]:
        return [route for route in routes if all(name in route.carriers for name in names)]
