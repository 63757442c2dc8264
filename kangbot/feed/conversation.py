"""One open connection: what is read is taken in the turn that reads it, a keeper sends and watches the clock.

What is said and believed is decided by `machines/session.py`, in which bytes by the dialect. A frame that cannot be
decoded and a sink that raises are counted and never end the connection. Dialling is left to `feed/stream.py`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns

import structlog
from websockets.exceptions import ConnectionClosed

from kangbot.feed.listener import Listener, StreamCounters, TopicEffect
from kangbot.feed.socket import FeedSocket, Rest
from kangbot.machines.session import Session
from kangbot.machines.session_words import Close, Effect, Ping, Reply, Subscribe, Unsubscribe
from kangbot.ports import (
    Acked,
    Data,
    Denied,
    Dialect,
    Gap,
    Garbled,
    Ignored,
    LoggedIn,
    LoginDenied,
    PingAsked,
    Pong,
    Topic,
)
from kangbot.runtime.tasks import Tasks, close_task
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

Control = Acked | Denied | LoggedIn | LoginDenied | Pong | PingAsked | Gap | Ignored | Garbled  # all that is not data


class Conversation:
    """The shell of one connection's session: feed it, drain it, do what it says, come back by its deadline."""

    def __init__(
        self,
        *,
        socket: FeedSocket,
        dialect: Dialect,
        session: Session,
        topics: Mapping[str, Topic],
        listener: Listener,
        counters: StreamCounters,
        clock: Clock,
        close_s: float,
        tell: Callable[[TopicEffect], None],
        fault: Callable[[str, Exception], None],
        rest: Rest,
    ) -> None:
        self._socket = socket
        self._dialect = dialect
        self._session = session
        self._topics = topics
        self._deliver = listener.deliver
        self._garbled = listener.garbled
        self._counters = counters
        self._now_ns = clock.now_ns
        self._close_s = close_s
        self._tell = tell
        self._fault = fault
        self._rest_s = rest
        self._outbox: list[str] = []
        self._pings = 0  # transport pings to send
        self._wake = asyncio.Event()
        self.closing: Close | None = None  # why we ended it, where we did

    def wake(self) -> None:
        """Let the keeper look at what is wanted now."""
        self._wake.set()

    def abort(self) -> None:
        """Cut the connection; `run` ends."""
        self._socket.transport.abort()

    async def run(self, tasks: Tasks, login: str | None) -> None:
        """Converse until the connection ends: raises ConnectionClosed, whoever ended it."""
        self._dialect.reset()
        if login is not None:
            self._outbox.append(login)
        self._session.opened(self._now_ns(), logging_in=login is not None)
        keeper = tasks.spawn("keeper", self._keep())
        try:
            self._socket.attach(self._read, self._rest_s)
            await self._socket.recv()
        finally:
            self._socket.detach()
            await close_task(keeper)

    async def hang_up(self) -> None:
        """End the connection within `close_s`, whatever state either side is in."""
        try:
            async with asyncio.timeout(self._close_s):
                await self._socket.close()
        except TimeoutError:
            log.debug("feed.close_timeout", after_s=self._close_s)
        finally:
            self.abort()

    # ----------------------------------------------------------------------------------------------------- reading
    def _read(self, frame: bytes) -> None:
        """Take one frame. Whatever it does, the next one is another frame."""
        received_ns = perf_counter_ns()
        try:
            self._take(frame, received_ns)
        except Exception as error:  # noqa: BLE001 -- see above
            self._counters.last_data_ns = self._now_ns()
            self._fault("feed.frame_fault", error)

    def _take(self, frame: bytes, received_ns: int) -> None:
        """Decode one frame and hand on what it says: the hot path."""
        now_ns = self._now_ns()
        counters = self._counters
        counters.frames += 1
        for message in self._dialect.decode(frame):
            if not isinstance(message, Data):
                self._control(message, now_ns)
                continue
            counters.last_data_ns = now_ns
            events = message.events
            stamp = getattr(events[-1], "at_ns", 0) if events else 0
            if self._session.data(message.native, now_ns, stamp):
                self.do()
            if events:
                counters.events += len(events)
                self._deliver(message.native, events, received_ns)

    def _control(self, message: Control, now_ns: int) -> None:
        """Take a message that is not data."""
        session = self._session
        match message:
            case Acked():
                session.acked(message.request, message.natives, now_ns)
            case Denied():
                session.denied(message.request, message.native, message.message, now_ns)
            case LoggedIn():
                session.logged_in(now_ns)
            case LoginDenied():
                session.login_denied(message.message, now_ns)
            case Pong():
                session.pong(now_ns)
            case PingAsked():
                session.ping_asked(message.reply, now_ns)
            case Gap():
                session.gap(message.native, message.missing, now_ns)
            case Ignored() | Garbled():
                session.heard(now_ns)
                self._count(message, now_ns)
                return
        self.do()
        self._wake.set()

    def _count(self, message: Ignored | Garbled, now_ns: int) -> None:
        if isinstance(message, Ignored):
            ignored = self._counters.ignored
            ignored[message.kind] = ignored.get(message.kind, 0) + 1
            return
        self._counters.garbled += 1
        self._counters.last_data_ns = now_ns
        self._garbled(message.native)
        if self._counters.garbled == 1:
            log.warning("feed.garbled", dialect=self._dialect.name, reason=message.reason)

    # ----------------------------------------------------------------------------------------------------- keeping
    async def _keep(self) -> None:
        """Send what the session says, and come back by its deadline."""
        while (deadline_ns := self._look()) is not None:
            await self._send()
            await self._rest(deadline_ns)
        await self.hang_up()

    def _look(self) -> int | None:
        """Let the session look at its clocks; return its deadline, None once the connection is to end."""
        self._wake.clear()
        self._session.tick(self._now_ns())
        self.do()
        return self._session.deadline()

    async def _rest(self, deadline_ns: int) -> None:
        """Wait for the deadline, or until there is something new to look at."""
        try:
            async with asyncio.timeout(max(0.0, (deadline_ns - self._now_ns()) / SECOND_NS)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self) -> None:
        outbox, self._outbox = self._outbox, []
        pings, self._pings = self._pings, 0
        try:
            for frame in outbox:
                await self._socket.send(frame)
            for _ in range(pings):
                answered = asyncio.ensure_future(await self._socket.ping())  # noqa: TID251 -- it is a future already
                answered.add_done_callback(self._transport_pong)
        except ConnectionClosed:
            return  # `run` learns of it too, and says why

    def _transport_pong(self, answered: asyncio.Future[float]) -> None:
        if not answered.cancelled() and answered.exception() is None:
            self._session.pong(self._now_ns())

    def do(self) -> None:
        """Do what the session asks for; frames leave with the keeper's next turn."""
        for effect in self._session.drain():
            self._do_one(effect)

    def _do_one(self, effect: Effect) -> None:
        match effect:
            case Subscribe():
                self._outbox.append(self._dialect.subscribe(effect.request, self._known(effect.natives)))
            case Unsubscribe():
                self._outbox.append(self._dialect.unsubscribe(effect.request, self._known(effect.natives)))
            case Ping() if self._dialect.ping_every_s is None:
                self._pings += 1
            case Ping():
                self._outbox.append(self._dialect.ping(effect.request))
            case Reply():
                self._outbox.append(effect.frame)
            case Close():
                self.closing = effect
            case _:
                self._tell(effect)

    def _known(self, natives: Sequence[str]) -> Sequence[Topic]:
        return [self._topics[native] for native in natives]
