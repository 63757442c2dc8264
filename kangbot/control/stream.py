"""The live connection: report and health as a snapshot, then what has changed, twice a second, while somebody listens.

It is told a quarter of a second after every whole and half second: bars close on whole ones, when every market decides
at once and nothing else should take the loop's time, and what came of it is told soon.

What changed is worked out once for all subscribers, down to the bytes on the wire, which go straight to each
connection: a message takes 10 microseconds there, and took 21 by a queue and a task of its own. A subscriber that does
not keep up is dropped, never waited for: its page dials again and gets a snapshot. Without subscribers nothing runs.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from kangbot.health.checks import Health
from kangbot.health.report import MarketReport, Report
from kangbot.machines.verdict import Status
from kangbot.model.plain_json import plain_json
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

EVERY_S = 0.5
MOST = 256  # subscribers
_BEHIND = 8  # times in a row that the last message may still wait when the next one comes
_AT_ONCE = 16  # subscribers that are sent to in one turn of the loop, a fifth of a millisecond
_BETWEEN_S = 0.001
_OVER = b"the session is over"
_TEXT = 0x81  # the first byte of a frame that is a whole message of text: RFC 6455, 5.2
_Plain = dict[str, Any]


class _Line(msgspec.Struct):
    """To one subscriber."""

    transport: asyncio.Transport
    still: Callable[[], bool]
    behind: int = 0


class Stream:
    """Serves every subscriber; `report` is asked while there is one, and `judge` how well is who says that."""

    def __init__(self, report: Callable[[], Report], judge: Callable[[Report], Health], clock: Clock) -> None:
        self._report = report
        self._judge = judge
        self._clock = clock
        self._subscribers: dict[web.WebSocketResponse, _Line] = {}
        self._last: Report | None = None
        self._health: _Plain = {}
        self._tasks = Tasks("stream", self._crashed)
        self._telling = False
        self.dropped = 0

    async def aclose(self) -> None:
        """Let everybody go, in order where they listen; at most two seconds."""
        subscribers, self._subscribers = self._subscribers, {}
        for socket in subscribers:
            self._tasks.spawn("close", socket.close(code=WSCloseCode.GOING_AWAY))
        await self._tasks.settle(2.0)
        await self._tasks.aclose()

    async def listen(self, request: web.Request, access: str, still: Callable[[], bool]) -> web.StreamResponse:
        """Serve one until it goes, or `still` may not; `access` is told to it. 503 where too many listen."""
        if len(self._subscribers) >= MOST:
            raise web.HTTPServiceUnavailable(text="too many listen already")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=1024, compress=False, timeout=2.0)
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest(text="this address is a websocket: it takes a client that speaks that")
        try:
            await socket.prepare(request)
        except ConnectionError:
            return web.Response()  # it went meanwhile, and nobody reads this
        if request.transport is None:
            return socket  # likewise
        if not self._telling:  # else nobody would ever be told what this newcomer's snapshot has already
            self._take(self._report())
        whole = {"type": "snapshot", "access": access, "report": self._last, "health": self._health}
        request.transport.write(frame(whole))
        self._subscribers[socket] = _Line(request.transport, still)
        self._begin()
        try:
            with contextlib.suppress(ConnectionError):  # it went before its ping was answered
                async for message in socket:  # nothing is expected: this notices that it closes
                    if message.type is WSMsgType.ERROR:
                        break
        finally:
            self._subscribers.pop(socket, None)
        return socket

    def _begin(self) -> None:
        if not self._telling:
            self._telling = True
            self._tasks.spawn("tell", self._tell())

    async def _tell(self) -> None:
        try:
            while self._subscribers:
                await asyncio.sleep(until_the_next_s(self._clock.now_ns()))
                report = self._report()
                await asyncio.sleep(0)  # half of the work is done: whoever has waited for it comes first
                changed = self._take(report)
                if len(changed) > 1 or changed["report"].keys() - {"at_ns"}:
                    await self._hand_out(frame({"type": "delta", **changed}))
        finally:
            self._telling = False

    async def _hand_out(self, said: bytes) -> None:
        """Hand it to everybody, a few at a time: the markets' turns come between them."""
        for number, (socket, line) in enumerate(tuple(self._subscribers.items()), 1):
            if number % _AT_ONCE == 1:
                await asyncio.sleep(_BETWEEN_S)
            if socket not in self._subscribers or socket.closed or line.transport.is_closing():
                continue  # it went meanwhile
            if not line.still():  # the session is over: nothing more is said to it
                self._subscribers.pop(socket)
                self._tasks.spawn("close", socket.close(code=WSCloseCode.POLICY_VIOLATION, message=_OVER))
                continue
            line.behind = line.behind + 1 if line.transport.get_write_buffer_size() else 0
            if line.behind > _BEHIND:
                self._subscribers.pop(socket)
                self.dropped += 1
                line.transport.abort()  # what waits would wait for ever
            else:
                line.transport.write(said)

    def _take(self, report: Report) -> _Plain:
        """Take this for the last report; return what differs from the one before, and the health where it does."""
        before, self._last = self._last, report
        was, self._health = self._health, concerns(self._judge(self._last))
        delta = {} if before is None else difference(before, self._last)
        return {"report": delta} if was == self._health else {"report": delta, "health": self._health}

    def _crashed(self, name: str, error: BaseException) -> None:
        log.error("control.stream_fault", task=name, exc_info=error)
        if not self._telling:  # nobody would be told anything any more: whoever dials again begins anew
            subscribers, self._subscribers = self._subscribers, {}
            for line in subscribers.values():
                line.transport.abort()


def until_the_next_s(now_ns: int) -> float:
    """Return how long to wait until the next is told: a quarter of the pace at least, five quarters at most."""
    every_ns = int(EVERY_S * SECOND_NS)
    wait_ns = every_ns - (now_ns - every_ns // 2) % every_ns
    return (wait_ns if 4 * wait_ns >= every_ns else wait_ns + every_ns) / SECOND_NS


def difference(before: Report, after: Report) -> _Plain:
    """Return the fields of `after` that differ; of the markets, those that differ with the fields that do."""
    delta = _changed(before, after)
    delta.pop("markets", None)
    known = {market.market: market for market in before.markets}
    markets = []
    for market in after.markets:
        was = known.pop(market.market, None)
        changed = msgspec.structs.asdict(market) if was is None else _changed(was, market)
        if changed:
            markets.append({"market": market.market, **changed})
    if markets:
        delta["markets"] = markets
    if known:
        delta["gone"] = list(known)
    return delta


def _changed(before: Report | MarketReport, after: Report | MarketReport) -> _Plain:
    """Return the fields of `after` that differ: both are of one type."""
    both = zip(after.__struct_fields__, msgspec.structs.astuple(before), msgspec.structs.astuple(after), strict=True)
    return {name: value for name, was, value in both if value is not was and value != was}


def concerns(health: Health) -> _Plain:
    """Return the health with those checks alone that are not well, and of their figures three digits.

    So it stays the same, and is not sent again, while nothing changes that a person would see.
    """
    checks = [
        {
            "name": check.name,
            "status": check.status.value,
            "figure": None if check.figure is None else float(f"{check.figure:.3g}"),
            "unit": check.unit,
            "says": check.says,
        }
        for check in health.checks
        if check.status is not Status.HEALTHY
    ]
    return {"status": health.status.value, "score": health.score, "ready": health.ready, "checks": checks}


def frame(message: _Plain) -> bytes:
    """Return the message as a server sends it: JSON in one frame of a websocket, not masked (RFC 6455, 5.2)."""
    text = plain_json(message)
    length = len(text)
    if length < 126:
        return struct.pack("!BB", _TEXT, length) + text
    if length < 1 << 16:
        return struct.pack("!BBH", _TEXT, 126, length) + text
    return struct.pack("!BBQ", _TEXT, 127, length) + text
