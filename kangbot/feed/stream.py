"""One websocket stream of a venue, over all its connections.

It dials one connection at a time, under the host's connect budget and its own backoff, and forgives its failures only
after data has flowed for a while: a venue that accepts and closes at once is dialled ever more rarely. Whatever fails
ends the connection, never the stream. What is said on a connection is in `feed/conversation.py`, who gets which events
in `feed/hub.py`.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import cast
from urllib.parse import urlsplit

import msgspec
import structlog
from websockets.exceptions import ConnectionClosed, WebSocketException

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.conversation import Conversation
from kangbot.feed.failure import Failure, FailureKind, classify, goodbye
from kangbot.feed.listener import Listener, StreamCounters, TopicEffect
from kangbot.feed.rules import StreamRules
from kangbot.feed.socket import DirectConnect, FeedSocket
from kangbot.machines.backoff import Backoff
from kangbot.machines.lull import rest_s
from kangbot.machines.session import Session
from kangbot.machines.session_words import CloseKind, Terms, TopicDown, TopicLive, Trouble
from kangbot.model.events import Severity
from kangbot.ports import Dialect, Topic
from kangbot.runtime.reach import HostNames, by_proxy, connected, proxy, trusted
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, World, sleep_until

log = structlog.get_logger(__name__)

_REASONS = 3  # of one absence that are told


class StreamState(Enum):
    """Where a stream stands."""

    IDLE = "idle"  # nothing is wanted
    WAITING = "waiting"  # for its backoff, or for a permit to dial
    DIALING = "dialing"
    OPEN = "open"
    CLOSED = "closed"


class Stream:
    """One stream: `start` it, `want` topics, `aclose` it."""

    def __init__(
        self,
        *,
        world: World,
        name: str,
        dialect: Dialect,
        connects: ConnectBudget,
        listener: Listener,
        rules: StreamRules,
        names: HostNames,
        venue_now_ns: Callable[[], int],
    ) -> None:
        self.name = name
        self.state = StreamState.IDLE
        self.opened_ns: int | None = None  # when the present connection opened
        self._clock = world.clock
        self._draw = world.fork(f"feed/{name}").random
        self._dialect = dialect
        self._connects = connects
        self._listener = listener
        self._rules = rules
        self._names = names
        self._venue_now_ns = venue_now_ns
        ping_ns = round(dialect.ping_every_s * SECOND_NS) if dialect.ping_every_s else rules.session.ping_ns
        self.session = Session(
            msgspec.structs.replace(rules.session, topics_a_request=dialect.topics_a_request, ping_ns=ping_ns)
        )
        self.counters = StreamCounters(troubles=self.session.troubles)
        self._topics: dict[str, Topic] = {}  # every topic that was ever wanted: one that left is still to be ended
        self._wanted = asyncio.Event()
        self._conversation: Conversation | None = None
        self._failures = 0  # since data last flowed for `settle_s`
        self._told: set[str] = set()  # kinds of faults
        self.down = ""  # why it is, the last that was met; "" since data flow
        self._reasons: set[str] = set()  # why it is down: those that were told
        self._tasks = Tasks(f"feed/{name}", self._crashed)

    # ------------------------------------------------------------------------------------------------------- wants
    def start(self) -> None:
        """Begin: dials as soon as something is wanted."""
        self._tasks.spawn("run", self._run())

    async def aclose(self) -> None:
        """End the connection and the stream; bounded by twice `close_s`, safe in every state and twice."""
        await self._tasks.aclose()
        self.state = StreamState.CLOSED

    def want(self, topic: Topic, terms: Terms) -> None:
        """Ask for a topic, now and after every reconnect."""
        self._topics[topic.native] = topic
        self.session.want(topic.native, terms, self._clock.now_ns())
        self._wanted.set()
        self._wake()

    def unwant(self, native: str) -> None:
        """Ask for it no longer."""
        self.session.unwant(native, self._clock.now_ns())
        self._wake()

    @property
    def wanted(self) -> Sequence[str]:
        """The topics this stream carries."""
        return self.session.wanted

    def _wake(self) -> None:
        if self._conversation is not None:
            self._conversation.wake()

    # --------------------------------------------------------------------------------------- connection by connection
    async def _run(self) -> None:
        while True:
            if not self.session.wanted:
                self.state = StreamState.IDLE
                self._wanted.clear()
                await self._wanted.wait()
            self.state = StreamState.WAITING
            await self._connects.permit()
            failure = await self._once()
            self.state = StreamState.WAITING
            if failure is not None:
                if failure.kind is FailureKind.OFFLINE:
                    self._connects.dialled(way_out=False)
                self._tell_down(failure)
                await self._obey(failure)
                await sleep_until(self._clock, self._clock.now_ns() + self._wait_ns(failure))

    async def _once(self) -> Failure | None:
        """Dial and converse; return why it ended, None where the connection was not needed any more."""
        self.state = StreamState.DIALING
        self.counters.dials += 1
        try:
            failure = await self._conversed()
        except Exception as error:  # noqa: BLE001 -- a stream that dies of its own fault leaves its markets deaf
            self._fault("feed.stream_fault", error)
            return Failure(kind=FailureKind.FAULT, message=repr(error))
        if failure is None:
            return None
        host = urlsplit(self._dialect.url).netloc  # what to look for in resolvers, routes and firewalls
        return msgspec.structs.replace(failure, message=f"{host}{by_proxy(self._dialect.url)}: {failure.message}")

    async def _conversed(self) -> Failure | None:
        try:
            return await self._converse(await self._dial())
        except (OSError, WebSocketException) as error:
            return classify(error, self._clock.now_ns())

    async def _dial(self) -> FeedSocket:
        rules, url = self._rules, urlsplit(self._dialect.url)
        secure, between = url.scheme == "wss", proxy(self._dialect.url)
        assert url.hostname is not None  # the settings see to it
        async with asyncio.timeout(rules.open_s):
            socket = await DirectConnect(
                self._dialect.url,
                sock=None
                if between
                else await connected(self._names, url.hostname, url.port or (443 if secure else 80)),
                ssl=trusted() if secure else None,
                compression=None,
                proxy=between,
                open_timeout=None,  # it is ours, which counts the connection too
                ping_interval=rules.transport_ping_s,
                ping_timeout=rules.transport_ping_s,
                close_timeout=rules.close_s / 2,
                max_size=rules.max_bytes,
                create_connection=FeedSocket,
            )
        return cast("FeedSocket", socket)  # what `create_connection` makes; the library's types name its own class

    async def _converse(self, socket: FeedSocket) -> Failure | None:
        conversation = Conversation(
            socket=socket,
            dialect=self._dialect,
            session=self.session,
            topics=self._topics,
            listener=self._listener,
            counters=self.counters,
            clock=self._clock,
            close_s=self._rules.close_s,
            tell=self._tell,
            fault=self._fault,
            rest=self._rest_s,
        )
        self._opened(conversation)
        reason = "the stream ends"
        try:
            await conversation.run(self._tasks, self._dialect.login(self._venue_now_ns()))
        except ConnectionClosed as error:
            reason = goodbye(error)
            if conversation.closing is None:
                raise
        finally:
            closing = conversation.closing
            self._ended(conversation, closing.reason if closing else reason)
            await conversation.hang_up()
        if closing is None or closing.kind is CloseKind.IDLE:
            return None
        return Failure(kind=FailureKind(closing.kind.value), message=closing.reason)

    def _opened(self, conversation: Conversation) -> None:
        self.state = StreamState.OPEN
        self.counters.reconnects += self.counters.connects > 0
        self.counters.connects += 1
        self.opened_ns = self._clock.now_ns()
        self._connects.dialled(way_out=True)
        self._conversation = conversation

    def _ended(self, conversation: Conversation, reason: str) -> None:
        """Forget the connection before it is closed: from now on nothing of it is believed."""
        if self.session.flowing_ns(self._clock.now_ns()) >= self._rules.settle_s * SECOND_NS:
            self._failures = 0
        self.session.closed(reason)
        conversation.do()
        self._conversation = self.opened_ns = None

    def _rest_s(self) -> float:
        return 0.0 if self._listener.eager else rest_s(self._venue_now_ns())

    # ----------------------------------------------------------------------------------------------------- failing
    async def _obey(self, failure: Failure) -> None:
        """Leave the host alone for as long as it asked: it counts by address, so that holds for every stream."""
        if failure.at_least_ns:
            self._connects.pause(failure.at_least_ns)
            await self._connects.keep()

    def _wait_ns(self, failure: Failure) -> int:
        self._failures += 1
        wait = self._rules.wait(failure.kind)
        first_ns, most_ns = round(wait.first_s * SECOND_NS), round(wait.most_s * SECOND_NS)
        backoff = Backoff(first_ns=first_ns, ceiling_ns=most_ns, failures=self._failures)
        return backoff.wait_ns(self._draw(), at_least_ns=failure.at_least_ns)

    def _tell(self, effect: TopicEffect) -> None:
        if self.down and isinstance(effect, TopicLive):
            self.down = ""
            self._reasons.clear()
            log.info("feed.up", stream=self.name, connects=self.counters.connects)
            self._listener.note("feed.up", Severity.INFO, f"{self.name}: data flows again")
        self._listener.topic_changed(self.name, effect)

    def _tell_down(self, failure: Failure) -> None:
        if failure.kind is FailureKind.LOGIN:  # nothing was asked for, and everything is refused
            for native in self.session.wanted:
                self._tell(TopicDown(native, Trouble.DENIED, failure.message))
        self.down = failure.message
        if self.down in self._reasons or len(self._reasons) == _REASONS:
            return
        self._reasons.add(self.down)  # how it ended says little; why it cannot come back says what to do
        log.warning("feed.down", stream=self.name, cause=failure.kind.value, message=failure.message)
        severity = Severity.CRITICAL if failure.kind is FailureKind.LOGIN else Severity.WARNING
        self._listener.note("feed.down", severity, f"{self.name}: {failure.kind}: {failure.message}")

    def _fault(self, kind: str, error: BaseException) -> None:
        """Count an error of our own; each kind is told once a stream, or one broken decoder would fill the disk."""
        self.counters.faults += 1
        if kind not in self._told:
            self._told.add(kind)
            log.error(kind, stream=self.name, exc_info=error)
            self._listener.note(kind, Severity.ERROR, f"{self.name}: {error!r}")

    def _crashed(self, _name: str, error: BaseException) -> None:
        """Learn that a task ended by an error: its connection is cut, and dialled again by `_run`."""
        self._fault("feed.task_crashed", error)
        if self._conversation is not None:
            self._conversation.abort()
