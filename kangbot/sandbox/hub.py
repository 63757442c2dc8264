"""Who listens to what: topics and the sockets that subscribed to them. A frame is encoded once for all of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSMsgType
from aiohttp.web import WebSocketResponse

_BACKLOG = 20_000  # frames; a socket that is further behind is cut, as the venue does with slow readers


class Listener(Protocol):
    """Takes frames; never waits."""

    def push(self, frame: bytes) -> None:
        """Queue one frame."""


class Hub:
    """The subscriptions of all sockets; a topic is known by its stream ("linear", "spot", "private") and name."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, str], dict[Listener, None]] = {}

    def add(self, stream: str, topic: str, listener: Listener) -> None:
        """Subscribe a listener."""
        self._listeners.setdefault((stream, topic), {})[listener] = None

    def remove(self, stream: str, topic: str, listener: Listener) -> None:
        """End a subscription; harmless where there is none."""
        here = self._listeners.get((stream, topic))
        if here is None:
            return
        here.pop(listener, None)
        if not here:
            del self._listeners[stream, topic]

    def wanted(self, stream: str, topic: str) -> bool:
        """Whether anybody listens."""
        return (stream, topic) in self._listeners

    def topics(self) -> list[tuple[str, str]]:
        """Return every topic that somebody listens to."""
        return list(self._listeners)

    def publish(self, stream: str, topic: str, frame: bytes) -> None:
        """Give a frame to everybody who listens."""
        for listener in self._listeners.get((stream, topic), ()):
            listener.push(frame)


class Outbox:
    """The frames that wait for one socket; written in one turn, all that there are.

    `behind()` is called once, when too many wait: by then nobody can say so who waits for the socket himself.
    """

    def __init__(self, socket: WebSocketResponse, behind: Callable[[], None]) -> None:
        self._socket = socket
        self._behind = behind
        self._frames: deque[bytes] = deque()
        self._some = asyncio.Event()
        self._lost = False

    def push(self, frame: bytes) -> None:
        """Queue one frame."""
        if self._lost:
            return
        self._frames.append(frame)
        self._some.set()
        if len(self._frames) > _BACKLOG:
            self._lost = True
            self._frames.clear()
            self._behind()

    async def run(self) -> None:
        """Write until the socket is gone."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._frames:
                await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)
