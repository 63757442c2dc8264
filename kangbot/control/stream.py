"""The live connection: the report as a snapshot, then what has changed, twice a second, while somebody listens.

What changed is worked out once for all listeners. A listener that does not keep up is dropped, never waited for: its
page dials again and gets a snapshot. Without listeners nothing runs.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from kangbot.health.report import Report
from kangbot.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

EVERY_S = 0.5
MOST = 256  # listeners
_BEHIND = 8  # messages that may wait for a listener
_AT_ONCE = 8  # listeners that are sent to in one turn of the loop, a fifth of a millisecond
_BETWEEN_S = 0.001
_Plain = dict[str, Any]


class Stream:
    """Serves every listener; `report` is asked while there is one."""

    def __init__(self, report: Callable[[], Report]) -> None:
        self._report = report
        self._listeners: dict[asyncio.Queue[str | None], None] = {}
        self._last: _Plain = {}
        self._tasks = Tasks("stream", self._crashed)
        self._telling = False
        self.dropped = 0

    async def aclose(self) -> None:
        """Let everybody go, in order where they listen; at most two seconds."""
        listeners, self._listeners = self._listeners, {}
        for waiting in listeners:
            _put(waiting, None)
        await self._tasks.settle(2.0)
        await self._tasks.aclose()

    async def listen(self, request: web.Request, access: str) -> web.WebSocketResponse:
        """Serve one listener until it goes; `access` is told to it. 503 where too many listen."""
        if len(self._listeners) >= MOST:
            raise web.HTTPServiceUnavailable(text="too many listen already")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=1024, compress=False, timeout=2.0)
        await socket.prepare(request)
        waiting: asyncio.Queue[str | None] = asyncio.Queue(_BEHIND)
        if not self._listeners:  # else the others would never be told what this newcomer's snapshot has already
            self._refresh()
        waiting.put_nowait(_text({"type": "snapshot", "access": access, "report": self._last}))
        self._listeners[waiting] = None
        self._begin()
        sending = self._tasks.spawn("send", self._send(socket, waiting))
        try:
            async for message in socket:  # nothing is expected: this notices that it closes
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._listeners.pop(waiting, None)
            sending.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse, waiting: "asyncio.Queue[str | None]") -> None:
        with contextlib.suppress(ConnectionError):
            while (text := await waiting.get()) is not None:
                await socket.send_str(text)
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def _begin(self) -> None:
        if not self._telling:
            self._telling = True
            self._tasks.spawn("tell", self._tell())

    async def _tell(self) -> None:
        try:
            while self._listeners:
                await asyncio.sleep(EVERY_S)
                delta = self._refresh()
                if len(delta) > 1 or "at_ns" not in delta:
                    await self._hand_out(_text({"type": "delta", "report": delta}))
        finally:
            self._telling = False

    async def _hand_out(self, text: str) -> None:
        """Hand it to everybody, a few at a time: the markets' turns come between them."""
        for number, waiting in enumerate(tuple(self._listeners), 1):
            if not number % _AT_ONCE:
                await asyncio.sleep(_BETWEEN_S)
            if waiting not in self._listeners:
                continue  # it went meanwhile
            if waiting.full():
                self._listeners.pop(waiting)
                self.dropped += 1
                _put(waiting, None)
            else:
                waiting.put_nowait(text)

    def _refresh(self) -> _Plain:
        """Take the report anew; return what differs from the last one."""
        before, self._last = self._last, msgspec.to_builtins(self._report())
        return difference(before, self._last)

    def _crashed(self, name: str, error: BaseException) -> None:
        log.error("control.stream_fault", task=name, exc_info=error)


def difference(before: _Plain, after: _Plain) -> _Plain:
    """Return the fields of `after` that differ; of the markets, those that differ with the fields that do."""
    delta = {key: value for key, value in after.items() if key != "markets" and before.get(key) != value}
    known = {market["market"]: market for market in before.get("markets", ())}
    markets = []
    for market in after.get("markets", ()):
        was = known.pop(market["market"], {})
        changed = {key: value for key, value in market.items() if was.get(key) != value}
        if changed:
            markets.append({"market": market["market"], **changed})
    if markets:
        delta["markets"] = markets
    if known:
        delta["gone"] = list(known)
    return delta


def _text(message: _Plain) -> str:
    return msgspec.json.encode(message).decode()


def _put(waiting: "asyncio.Queue[str | None]", last: None) -> None:
    """Make room, and put the end."""
    while waiting.full():
        waiting.get_nowait()
    waiting.put_nowait(last)
