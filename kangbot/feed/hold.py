"""A market's hold on its topics: `ports.Subscription`."""

import asyncio
from collections.abc import Callable, Sequence

from kangbot.errors import Refused
from kangbot.feed.route import Route
from kangbot.ports import Sink


class Hold:
    """What was asked of one pool. The pool calls `changed` whenever one of its topics moved."""

    def __init__(self, routes: Sequence[Route], sink: Sink, release: Callable[["Hold"], None]) -> None:
        self.routes = routes
        self.sink = sink
        self._release = release
        self._news = asyncio.Event()
        self._closed = False

    def changed(self) -> None:
        """Learn that one of the topics was acknowledged or denied."""
        self._news.set()

    async def live(self) -> None:
        """Wait until every topic is acknowledged. Refused when the venue denies one of them, or once it is closed."""
        while not self._settled():
            self._news.clear()
            await self._news.wait()

    def _settled(self) -> bool:
        if self._closed:
            raise Refused("the subscription is closed")
        for route in self.routes:
            if (words := route.denied) is not None:
                raise Refused(f"{route.topic.native}: {words}")
        return all(route.acked for route in self.routes)

    async def aclose(self) -> None:
        """Let the topics go; safe in every state and twice."""
        if not self._closed:
            self._closed = True
            self._news.set()
            self._release(self)


class Holds:
    """Several holds as one: a market whose channels need connections of different kinds."""

    def __init__(self, holds: Sequence[Hold]) -> None:
        self._holds = holds

    async def live(self) -> None:
        """Wait until every topic of every hold is acknowledged. Refused as one of them is."""
        for hold in self._holds:
            await hold.live()

    async def aclose(self) -> None:
        """Let all of them go."""
        for hold in self._holds:
            await hold.aclose()
