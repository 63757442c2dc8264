"""A small venue on loopback that can be told to misbehave, and a dialect for it.

Its wire: {"op":"sub"|"unsub","id":"1","topics":[...]}, {"op":"ping","id":"2"}, {"op":"login"}; it answers {"ack":"1"},
{"no":"1","topic":"...","why":"..."}, {"pong":"2"}, {"in":true|false}, and pushes {"t":"q.BTC","p":"1.5","at":7,"n":3}.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
import pytest
import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from kangbot.errors import Refused
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.failure import FailureKind
from kangbot.feed.hub import FeedHub
from kangbot.feed.rules import Budgets, StreamRules, Wait
from kangbot.machines.session_words import SessionRules, Terms
from kangbot.machines.watchdog import Patience
from kangbot.model.data import MarketData, Quote, Trade
from kangbot.model.ids import MarketId, Symbol, VenueName
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import AccountEvent, Balance, Side
from kangbot.ports import (
    Acked,
    Channel,
    Data,
    Denied,
    Gap,
    Garbled,
    Ignored,
    LoggedIn,
    LoginDenied,
    Message,
    PingAsked,
    Pong,
    Topic,
)
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import World, real_world

MS = 1_000_000


def instrument(name: str) -> Instrument:
    """A market called NAME/USD."""
    return Instrument(
        market=MarketId(f"word:{name}-USD"),
        venue=VenueName("word"),
        symbol=Symbol(f"{name}/USD"),
        native=name,
        kind=InstrumentKind.SPOT,
        base=name,
        quote="USD",
        settle="USD",
        tick=Decimal("0.1"),
        step=Decimal("0.1"),
        min_quantity=Decimal("0.1"),
        min_notional=Decimal(1),
    )


class WordDialect:
    """Speaks the small wire. `key`: what it logs in with."""

    topics_a_request = 4

    def __init__(self, url: str, *, key: str | None = None, ping_every_s: float | None = 0.2) -> None:
        self.url = url
        self.name = "word.private" if key else "word.public"
        self.ping_every_s = ping_every_s
        self._key = key
        self._markets: dict[str, MarketId | None] = {}

    def topics(self, instrument: Instrument | None, channel: Channel, timeframe_s: int | None) -> Sequence[Topic]:
        if channel is Channel.ACCOUNT:
            return (Topic(market=None, channel=channel, native="wallet"),)
        if instrument is None or channel is Channel.BAR:
            raise Refused(f"no {channel.value} here")
        return (Topic(market=instrument.market, channel=channel, native=f"{channel.value[0]}.{instrument.native}"),)

    def reset(self) -> None:
        self._markets.clear()

    def login(self, now_ns: int) -> str | None:
        return None if self._key is None else _text({"op": "login", "key": self._key})

    def subscribe(self, request: str, topics: Sequence[Topic]) -> str:
        self._markets.update({topic.native: topic.market for topic in topics})
        return _text({"op": "sub", "id": request, "topics": [topic.native for topic in topics]})

    def unsubscribe(self, request: str, topics: Sequence[Topic]) -> str:
        return _text({"op": "unsub", "id": request, "topics": [topic.native for topic in topics]})

    def ping(self, request: str) -> str:
        return _text({"op": "ping", "id": request})

    def decode(self, frame: bytes) -> Sequence[Message]:
        if frame == b"raise":
            raise ZeroDivisionError  # a dialect that breaks its promise
        try:
            return (self._message(msgspec.json.decode(frame)),)
        except (msgspec.DecodeError, LookupError, TypeError, UnicodeDecodeError) as error:
            return (Garbled(reason=repr(error)),)

    def _message(self, said: dict[str, Any]) -> Message:
        match said:
            case {"t": str(native)}:
                return Data(native=native, events=[self._event(native, said)])
            case {"ack": str(request)}:
                return Acked(request=request)
            case {"no": str(request)}:
                return Denied(request=request, native=said["topic"], message=said["why"])
            case {"gap": str(native)}:
                return Gap(native=native, missing=3)
            case {"bad": str(native)}:
                return Garbled(reason="bad", native=native)
            case {"pong": _}:
                return Pong()
            case {"asks": str(reply)}:
                return PingAsked(reply=reply)
            case {"in": True}:
                return LoggedIn()
            case {"in": _}:
                return LoginDenied(message="bad key")
            case _:
                return Ignored(kind="chatter")

    def _event(self, native: str, said: dict[str, Any]) -> MarketData | AccountEvent:
        price, at_ns, number = Decimal(said["p"]), int(said["at"]), int(said["n"])
        market = self._markets[native]
        if market is None:
            return Balance(currency="USD", equity=price, available=price, at_ns=at_ns)
        one = Decimal(1)
        if native.startswith("t."):
            return Trade(market=market, trade_id=str(number), side=Side.BUY, price=price, quantity=one, at_ns=at_ns)
        return Quote(
            market=market,
            bid=price,
            bid_quantity=one,
            ask=price + 1,
            ask_quantity=one,
            at_ns=at_ns,
            sequence=number,
        )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


class WordVenue:
    """The venue. Its attributes are its moods, and may change while it runs."""

    def __init__(self) -> None:
        self.url = ""
        self.every_s = 0.01  # between two pushes of a topic
        self.status: int | None = None  # answers the handshake with this status
        self.retry_after: str | None = None
        self.shut_at_once: int | None = None  # accepts, then closes with this code
        self.mute: set[str] = set()  # acknowledged, no data
        self.unanswered: set[str] = set()  # no acknowledgement, data flows all the same
        self.denied: dict[str, str] = {}  # topic: why
        self.pongs = True
        self.frozen = False  # neither reads nor writes: half-open
        self.stuck: set[str] = set()  # data whose time stands still
        self.lagging = False  # all connections but the newest are five pushes behind
        self.key = "good"
        self.binary = False
        self.connects = 0
        self.dialled_s: list[float] = []  # when, by the loop, whatever became of it
        self.refused_s: list[float] = []  # those of them that were answered with a status
        self.most_open = 0  # connections at the same time
        self.said: list[dict[str, Any]] = []  # what clients sent, in order
        self.sockets: list[ServerConnection] = []
        self._number = 0
        self._tasks = Tasks("word", lambda _name, _error: None)
        self._server: Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await serve(
            self._handle, "127.0.0.1", port, process_request=self._process, compression=None, ping_interval=None
        )
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def aclose(self) -> None:
        await self._tasks.aclose()
        if self._server is not None:
            for socket in self.sockets:
                socket.transport.abort()
            self._server.close()
            await self._server.wait_closed()

    def drop_all(self) -> None:
        """Cut every connection."""
        for socket in self.sockets:
            socket.transport.abort()

    async def push(self, frame: str | bytes) -> None:
        """Send a frame to every client."""
        for socket in self.sockets:
            await socket.send(frame)

    def asked(self, op: str, topic: str) -> int:
        """How often clients asked that of the topic."""
        return sum(said["op"] == op and topic in said["topics"] for said in self.said if "topics" in said)

    def _process(self, socket: ServerConnection, request: Request) -> Response | None:
        self.dialled_s.append(asyncio.get_running_loop().time())
        if self.status is None:
            return None
        self.refused_s.append(self.dialled_s[-1])
        response = socket.respond(HTTPStatus(self.status), "no")
        if self.retry_after is not None:
            response.headers["Retry-After"] = self.retry_after
        return response

    async def _handle(self, socket: ServerConnection) -> None:
        self.connects += 1
        if self.shut_at_once is not None:
            await socket.close(self.shut_at_once)
            return
        self.sockets.append(socket)
        self.most_open = max(self.most_open, len(self.sockets))
        topics: dict[str, None] = {}
        pushing = self._tasks.spawn("push", self._push(socket, topics))
        try:
            async for text in socket:
                said = msgspec.json.decode(text)
                self.said.append(said)
                if not self.frozen:
                    await self._answer(socket, said, topics)
        finally:
            pushing.cancel()
            self.sockets.remove(socket)

    async def _answer(self, socket: ServerConnection, said: dict[str, Any], topics: dict[str, None]) -> None:
        match said["op"]:
            case "login":
                await socket.send(_text({"in": said["key"] == self.key}))
            case "ping" if self.pongs:
                await socket.send(_text({"pong": said["id"]}))
            case "unsub":
                for topic in said["topics"]:
                    topics.pop(topic, None)
            case "sub":
                await self._subscribe(socket, said, topics)
            case _:
                pass

    async def _subscribe(self, socket: ServerConnection, said: dict[str, Any], topics: dict[str, None]) -> None:
        for topic in said["topics"]:
            if topic in self.denied:
                await socket.send(_text({"no": said["id"], "topic": "", "why": self.denied[topic]}))
                return
        topics.update(dict.fromkeys(said["topics"]))
        if not self.unanswered.intersection(said["topics"]):
            await socket.send(_text({"ack": said["id"]}))

    async def _push(self, socket: ServerConnection, topics: dict[str, None]) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.every_s)
                for topic in () if self.frozen else tuple(topics):
                    if topic in self.mute or topic == "wallet":
                        continue
                    self._number += 1
                    at = 1 if topic in self.stuck else self._number
                    behind = 5 if self.lagging and socket is not self.sockets[-1] else 0
                    text = _text({"t": topic, "p": "1.5", "at": at, "n": self._number - behind})
                    await socket.send(text.encode() if self.binary else text)


class Inbox:
    """A sink that keeps what it is offered, and what was wrong of it: whatever a sink raises, the pool swallows."""

    wrong: ClassVar[list[str]] = []  # told to any of the test's: `told_rightly` looks at it

    def __init__(self) -> None:
        self.events: list[MarketData | AccountEvent] = []
        self.changes: list[tuple[str, bool, str]] = []
        self.live: dict[str, bool] = {}
        self.unread: list[str] = []

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        if received_ns <= 0:
            self.wrong.append(f"{event} was read at {received_ns}")
        self.events.append(event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        if self.live.get(topic.native, False) is live:
            self.wrong.append(f"{topic.native} was told {'live' if live else 'down'} twice: {reason}")
        self.live[topic.native] = live
        self.changes.append((topic.native, live, reason))

    def garbled(self, topic: Topic) -> None:
        self.unread.append(topic.native)


async def until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until it is true; the limit is for hanging tests only."""
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.005)


QUICK = SessionRules(
    messages=50,
    login_ns=400 * MS,
    ack_ns=250 * MS,
    probe_ns=150 * MS,
    pong_ns=250 * MS,
    tick_ns=20 * MS,
    late_ns=100 * MS,  # a busy test machine is our own absence
    rest_first_ns=50 * MS,
    rest_most_ns=200 * MS,
    denied_ns=300 * MS,
    idle_ns=200 * MS,
)
_QUICKLY = Terms(patience=Patience(least_ns=300 * MS, most_ns=300 * MS), first_ns=300 * MS)
QUICK_BUDGETS = Budgets(quote=_QUICKLY, trade=_QUICKLY)
QUICK_RULES = StreamRules(
    session=QUICK,
    waits={FailureKind.TIMEOUT: Wait(first_s=0.04, most_s=0.1), FailureKind.LOGIN: Wait(first_s=0.1, most_s=0.2)},
    others=Wait(first_s=0.02, most_s=0.1),
    settle_s=0.5,
    open_s=30.0,
    close_s=0.4,
)


@asynccontextmanager
async def hub_of(venue: WordVenue, world: World | None = None, **changes: Any) -> AsyncIterator[FeedHub]:
    """A hub of the venue, with clocks a hundred times quicker than the real ones. `notes` holds what it noted."""
    world = world or real_world()
    notes: list[tuple[str, str, MarketId | None, str]] = []
    settings: dict[str, Any] = {
        "public": [lambda: WordDialect(venue.url)],
        "private": lambda: WordDialect(venue.url, key="good"),
        "connects": ConnectBudget(world.clock, most=1000, burst=100),
        "rules": QUICK_RULES,
        "budgets": QUICK_BUDGETS,
        "on_note": lambda kind, severity, market, message: notes.append((kind, severity, market, message)),
    } | changes
    async with FeedHub(world=world, name="word", **settings) as hub:
        hub.notes = notes  # type: ignore[attr-defined]
        yield hub


Log = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What was logged. It is not printed: a traceback takes longer than these clocks allow silence."""
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture(autouse=True)
def told_rightly() -> Iterator[None]:
    """See in the end that every sink of the test was told what it may be told: each change once."""
    Inbox.wrong.clear()
    yield
    assert Inbox.wrong == []


def times(log: Log, event: str) -> int:
    """How often the event was logged."""
    return sum(entry["event"] == event for entry in log)


@pytest.fixture
async def venue() -> AsyncIterator[WordVenue]:
    """A venue in a good mood."""
    venue = WordVenue()
    await venue.start()
    yield venue
    await venue.aclose()


BOTH = {Channel.QUOTE: None, Channel.TRADE: None}
QUOTES = {Channel.QUOTE: None}
BTC, ETH = instrument("BTC"), instrument("ETH")


async def alive(inbox: Inbox, *topics: str) -> None:
    """Wait until the topics are live."""
    await until(lambda: all(inbox.live.get(topic, False) for topic in topics))
