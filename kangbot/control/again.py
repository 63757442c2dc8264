"""The same question once more on the same connection: answered without the way through the server.

Who watches a daemon asks for one thing over and over. The answer is kept (`kept.py`), and still the parser, a task, the
routes, the door and the headers took most of what such a question cost: 1,000 of them a second were 17 % of a core, and
are 6 % by this way, half of which is the kernel's.

So a connection remembers its last question, byte for byte, where that came whole and alone, was let in, and was
answered with a kept answer. The same bytes get the bytes of this moment's answer, as they were sent to whoever asked
first. All else goes the ordinary way, and nothing is decided here: who may ask is decided by the door, at the first
question, after every wrong token of anybody, and once in a while.

There are at most `MOST` connections to a listener, fewer where the process may have few files open: each is one, which
the sockets to the venue and the journal need more than a script that forgets to close. Beyond that the one goes that
has been open longest and waits for who asks: one that sends half of a question needs no token for it.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from kangbot.control.answers import HEADERS, failure
from kangbot.control.kept import KEPT, Kept
from kangbot.runtime.handles import for_onlookers

log = structlog.get_logger(__name__)

MOST = 512  # connections, twice as many as may listen to the stream
_LISTENERS = 2  # the socket and the port share what may go to those who look on
_LONGEST = 4096  # bytes of a question that is remembered
_ORDINARY_EVERY_S = 60.0  # far below the hour after which aiohttp closes a connection that asked nothing
_THEIRS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)  # what is wrong with what came, or broke off
_PARTICULAR = (hdrs.COOKIE, hdrs.EXPECT, hdrs.UPGRADE)  # a session ends, the others are answered in their own way


class Connections(web.Server):
    """Makes connections that are served as `server` serves them. `wrong_tokens` counts those that were shown."""

    def __init__(self, server: web.Server, wrong_tokens: Callable[[], int]) -> None:
        super().__init__(server.request_handler, request_factory=server.request_factory)
        self.wrong_tokens = wrong_tokens
        self._share = for_onlookers() // _LISTENERS
        self._crowded = False

    def make_room(self, newcomer: "Connection") -> None:
        """Close one where there are too many: the oldest that asks nothing, else the newcomer. Told once."""
        there, most = self.connections, min(MOST, self._share)
        if len(there) <= most:
            self._crowded &= len(there) > most // 2
            return
        idle = (one for one in there if isinstance(one, Connection) and one.idle and one is not newcomer)
        next(idle, newcomer).force_close()
        if not self._crowded:
            self._crowded = True
            log.warning("control.crowded", connections=len(there))

    def __call__(self) -> "Connection":
        """Return the protocol of a new connection."""
        return Connection(self)


class Connection(web.RequestHandler):
    """One of them. Nothing is remembered while something is being answered, or has come in part."""

    __slots__ = ("_answer", "_asked", "_at_rest", "_known", "_ours", "_time_s", "_until_s", "_wrong_tokens")

    def __init__(self, ours: Connections) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(ours, loop=loop, access_log=None)  # type: ignore[arg-type]  # which is how it takes none
        self._ours = ours
        self._time_s = loop.time
        self._at_rest = True  # whatever came is answered, and a new question begins with the next byte
        self._asked: bytes | None = None  # what is being answered, where it came whole and alone
        self._known: bytes | None = None  # what may be asked again
        self._answer: Kept | None = None  # to it
        self._wrong_tokens = 0  # when it was let in
        self._until_s = 0.0  # as the loop counts

    @property
    def idle(self) -> bool:
        """Whether it waits for who asks: for their next question, or for the rest of one that they began to send."""
        if self._force_close:
            return False
        if self._current_request is not None:
            return not self._current_request.content.is_eof()
        return self._waiter is not None and not self._messages

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, where there is room."""
        super().connection_made(transport)
        self._ours.make_room(self)

    def data_received(self, data: bytes) -> None:
        """Answer what is asked once more; hand the rest on."""
        if data == self._known and (said := self._said()):
            self._ours.requests_count += 1
            self.transport.write(said)  # type: ignore[union-attr]  # there is one, or nothing would be known
            return
        self._asked = data if self._at_rest and _whole(data) else None
        self._at_rest, self._known = False, None
        self._wrong_tokens = self._ours.wrong_tokens()
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer in the ordinary way; remember the question where it may be repeated."""
        if isinstance(resp, web.HTTPExpectationFailed):  # raised before any middleware, which has words for the rest
            resp = failure(417, f"{hdrs.EXPECT} may be 100-continue here, and nothing else", HEADERS)
        sent, lost = await super().finish_response(request, resp, start_time)
        asked, self._asked = self._asked, None
        if asked is None or lost or not sent.keep_alive or request.body_exists:
            return sent, lost
        self._at_rest = True
        kept = sent.get(KEPT)
        if kept is not None and isinstance(sent, web.Response) and _plain(request):
            kept.was_sent(sent)
            self._known, self._answer = asked, kept
            self._until_s = self._time_s() + _ORDINARY_EVERY_S
        return sent, lost

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is no request as whatever else is wrong: as JSON, in words."""
        said = super().handle_error(request, status, exc, message)
        if status >= 500:
            return said
        words = failure(status, f"this is no HTTP request that can be read: {_short(message or '')}", HEADERS)
        words.force_close()
        return words

    def log_exception(self, *args: object, **kw: object) -> None:
        """Log a fault of ours alone: whoever reaches the port, and has no token, could fill the log with their own."""
        if not isinstance(kw.get("exc_info"), _THEIRS):
            super().log_exception(*args, **kw)

    def close(self) -> None:
        """Answer nothing more than what is being answered."""
        self._forget()
        super().close()

    def force_close(self) -> None:
        """Answer nothing more."""
        self._forget()
        super().force_close()

    def _said(self) -> bytes:
        """Return the answer; nothing where the ordinary way is to be gone, which makes it anew."""
        now_s = self._time_s()
        if self.writing_paused or now_s >= self._until_s or self._wrong_tokens != self._ours.wrong_tokens():
            return b""
        return b"" if self._answer is None else self._answer.sent(now_s)

    def _forget(self) -> None:
        self._at_rest, self._asked, self._known = False, None, None


def _short(words: str) -> str:
    """Return the first line of the parser's words, without what came in full."""
    return words.partition("\n")[0].partition(": ")[0].rstrip(":")


def _whole(data: bytes) -> bool:
    """Whether these bytes are one question without a body, from its first byte to its last."""
    return (
        data.startswith(b"GET ")
        and len(data) <= _LONGEST
        and data.find(b"\r\n\r\n") == len(data) - 4
        and data.count(b"\n") == data.count(b"\r\n")  # else it may be two; the parser refuses it, too
    )


def _plain(request: web.BaseRequest) -> bool:
    """Whether the answer depends on nothing but what was asked for."""
    return request.version == HttpVersion11 and not any(name in request.headers for name in _PARTICULAR)
