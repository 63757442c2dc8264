"""A proxy on loopback that does to a connection what networks and venues do: sockets and websocket frames alike.

It runs on a loop of its own in a thread, so that a test which starts, stops and asks processes can stay a plain story.
Switches are attributes; what they mean is said beside them. Bytes pass untouched as long as no switch is set, and
frames are looked at only on connections that became websockets.
"""

import asyncio
import contextlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.support.frames import TEXT, FrameReader, framed

T = TypeVar("T")
Look = Callable[[dict[str, Any]], dict[str, Any] | None]  # a frame of the venue, decoded: as it is, changed, or None


class Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, venue: asyncio.StreamWriter) -> None:
        self.client = client
        self.venue = venue
        self.frozen = False  # half open: nothing passes, nothing is closed
        self.websocket = False

    def cut(self) -> None:
        """End both halves without a word."""
        for half in (self.client, self.venue):
            half.transport.abort()


class FaultProxy:
    """Forwards a loopback port of its own to `target`. `with FaultProxy(port) as proxy`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{target}", daemon=True)
        self._server: asyncio.Server | None = None
        self._links: dict[Link, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connects: list[float] = []  # time.monotonic() of every connection that was accepted
        self.answered: list[tuple[float, str]] = []  # when `answer` was said, and to which request line
        self.forwarded: Counter[str] = Counter()  # events by topic that were passed on
        self.gaps_s: defaultdict[str, float] = defaultdict(
            float
        )  # the longest time between two frames of a topic that were passed on
        self._passed_s: dict[str, float] = {}
        self.look: Look | None = None  # sees every text frame of the venue
        self.answer: bytes | None = None  # said to every new connection in place of the venue's words; then closed
        self.hang_up = False  # websockets are closed as soon as they are open
        self.hold_s = 0.0  # answers to requests are held back for so long

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    # ----------------------------------------------------------------------------------------------------- switches
    def freeze(self) -> int:
        """Make every connection that is open now half open; new ones pass. Returns how many there were."""
        return self._call(self._freeze)

    def cut(self) -> None:
        """Break every connection."""
        self._call(self._cut)

    def refuse(self) -> None:
        """Listen no more, and break what is open: connections are refused by the system."""
        self._run(self._deafen())

    def accept(self) -> None:
        """Listen again, on the same port."""
        self._run(self._listen())

    def ban(self, answer: bytes) -> None:
        """Break what is open, and say `answer` to whoever comes."""
        self.answer = answer
        self.cut()

    def inject(self, frame: bytes) -> int:
        """Write these bytes, as if the venue had sent them, to every open websocket; return how many there were."""
        return self._call(lambda: self._inject(frame))

    def since(self, at: float) -> int:
        """Return how many connections were accepted after `at`, by time.monotonic()."""
        return sum(when >= at for when in self.connects)

    # ---------------------------------------------------------------------------------------------------- the thread
    def _call(self, do: Callable[[], T]) -> T:
        async def done() -> T:
            return do()

        return self._run(done())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._cut()

    async def _end(self) -> None:
        await self._deafen()
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.sleep(0.001)

    def _cut(self) -> None:
        for link in tuple(self._links):
            link.cut()

    def _freeze(self) -> int:
        for link in self._links:
            link.frozen = True
        return len(self._links)

    def _inject(self, frame: bytes) -> int:
        open_now = [link for link in self._links if link.websocket and not link.frozen]
        for link in open_now:
            link.client.write(frame)
        return len(open_now)

    # --------------------------------------------------------------------------------------------------- connections
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connects.append(time.monotonic())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._pass(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.answer is not None:
            head = await reader.readuntil(b"\r\n\r\n")
            self.answered.append((time.monotonic(), head.split(b"\r\n", 1)[0].decode()))
            writer.write(self.answer)
            await writer.drain()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        link = Link(writer, back)
        self._links[link] = None
        upwards = asyncio.create_task(self._up(link, reader))
        try:
            await self._down(link, there)
        finally:
            self._links.pop(link)
            upwards.cancel()
            back.close()
            with contextlib.suppress(asyncio.CancelledError):
                await upwards

    async def _up(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if not link.frozen:
                    link.venue.write(data)
        link.venue.close()

    async def _down(self, link: Link, reader: asyncio.StreamReader) -> None:
        frames = FrameReader()
        while data := await reader.read(1 << 16):
            if link.frozen:
                continue
            if link.websocket:
                self._frames(link, frames, data)
                continue
            if self.hold_s:
                await asyncio.sleep(self.hold_s)
            link.websocket = data.startswith(b"HTTP/1.1 101")
            if not link.websocket:
                link.client.write(data)
                continue
            head, _, rest = data.partition(b"\r\n\r\n")
            link.client.write(head + b"\r\n\r\n")
            if self.hang_up:
                await link.client.drain()
                return
            self._frames(link, frames, rest)

    def _frames(self, link: Link, frames: FrameReader, data: bytes) -> None:
        for opcode, payload in frames.feed(data):
            said = payload if opcode != TEXT else self._seen(payload)
            if said is not None and not link.client.is_closing():
                link.client.write(framed(said, opcode))

    def _seen(self, payload: bytes) -> bytes | None:
        message = json.loads(payload)
        if self.look is not None:
            shown = self.look(message)
            if shown is None:
                return None
            if shown is not message:
                message, payload = shown, json.dumps(shown, separators=(",", ":")).encode()
        if "topic" in message:
            inside, topic, now_s = message["data"], message["topic"], time.monotonic()
            self.gaps_s[topic] = max(self.gaps_s[topic], now_s - self._passed_s.get(topic, now_s))
            self._passed_s[topic] = now_s
            self.forwarded[topic] += len(inside) if isinstance(inside, list) else 1
        return payload
