"""What one connection does with each message that its dialect decodes, and how it ends; over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter_ns
from typing import Any, cast

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from kangbot.feed.conversation import Conversation
from kangbot.feed.listener import Events, StreamCounters, TopicEffect
from kangbot.feed.socket import FeedSocket
from kangbot.machines.session import Session
from kangbot.machines.session_words import (
    CloseKind,
    SessionRules,
    Terms,
    TopicAcked,
    TopicDown,
    TopicLive,
    TopicState,
    Trouble,
)
from kangbot.machines.watchdog import Patience
from kangbot.model.events import Severity
from kangbot.ports import Channel, Topic
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock

from .conftest import BTC, Log, WordDialect, times, until

QUOTE = Topic(market=BTC.market, channel=Channel.QUOTE, native="q.BTC")
HOUR_NS = 3600 * 1_000_000_000
CALM = SessionRules(
    login_ns=HOUR_NS, ack_ns=HOUR_NS, probe_ns=HOUR_NS, pong_ns=HOUR_NS, ping_ns=HOUR_NS, tick_ns=HOUR_NS
)
TERMS = Terms(patience=Patience(least_ns=HOUR_NS, most_ns=HOUR_NS), first_ns=HOUR_NS)

Serve = Callable[[ServerConnection], Awaitable[None]]


class Heard:
    """A listener that keeps what it is told."""

    eager = True

    def __init__(self) -> None:
        self.events: list[tuple[str, Events, int]] = []
        self.unread: list[str] = []
        self.order: list[object] = []  # data, and what was told of the topic
        self.raises: Exception | None = None

    def deliver(self, native: str, events: Events, received_ns: int) -> None:
        self.order.append("data")
        if self.raises is not None:
            raise self.raises
        self.events.append((native, events, received_ns))

    def topic_changed(self, stream: str, effect: TopicEffect) -> None:
        raise NotImplementedError  # a stream's to tell

    def garbled(self, native: str) -> None:
        self.unread.append(native)

    def note(self, kind: str, severity: Severity, message: str) -> None:
        raise NotImplementedError  # likewise


class Talk:
    """A conversation under way, and what came of it."""

    def __init__(self, conversation: Conversation, session: Session, listener: Heard) -> None:
        self.it = conversation
        self.session = session
        self.listener = listener
        self.counters = conversation._counters
        self.effects: list[TopicEffect] = []
        self.faults: list[tuple[str, Exception]] = []
        self.running: asyncio.Task[None] | None = None
        self.tasks: Tasks | None = None

    async def ended(self) -> ConnectionClosed:
        """Wait for its end, and return how it ended."""
        assert self.running is not None
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(self.running, 60)
        assert self.tasks is not None
        assert len(self.tasks) == 0, "its keeper has ended before it"
        return caught.value


@asynccontextmanager
async def talking(
    serving: Serve,
    *,
    rules: SessionRules = CALM,
    dialect: WordDialect | None = None,
    login: str | None = None,
    wanted: bool = True,
) -> AsyncIterator[Talk]:
    """Converse with a server that does `serving`, then closes."""
    async with serve(serving, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.1) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        session, listener, counters = Session(rules), Heard(), StreamCounters()
        socket = await connect(url, create_connection=FeedSocket, compression=None, ping_interval=None)
        effects: list[TopicEffect] = []

        def tell(effect: TopicEffect) -> None:
            effects.append(effect)
            listener.order.append(type(effect))

        faults: list[tuple[str, Exception]] = []
        conversation = Conversation(
            socket=cast("FeedSocket", socket),
            dialect=dialect or WordDialect(url),
            session=session,
            topics={QUOTE.native: QUOTE},
            listener=listener,
            counters=counters,
            clock=Clock(),
            close_s=0.1,
            tell=tell,
            fault=lambda kind, error: faults.append((kind, error)),
            rest=lambda: 0.0,
        )
        talk = Talk(conversation, session, listener)
        talk.effects, talk.faults = effects, faults
        if wanted:
            session.want(QUOTE.native, TERMS, Clock().now_ns())
        talk.tasks = tasks = Tasks("test", lambda _name, error: pytest.fail(repr(error)))
        talk.running = tasks.spawn("talk", cast("Any", conversation.run(tasks, login)))
        try:
            yield talk
        finally:
            await conversation.hang_up()
            await asyncio.wait([talk.running])
            await tasks.aclose()


def said(text: str | bytes) -> dict[str, Any]:
    """Return what a client said."""
    return cast("dict[str, Any]", msgspec.json.decode(text))


def quote(number: int, at: int) -> str:
    """A push of the topic."""
    return f'{{"t":"q.BTC","p":"1.5","at":{at},"n":{number}}}'


async def subscribed(socket: ServerConnection) -> str:
    """Take the subscription; return its number."""
    asked = said(await socket.recv())
    assert asked["op"] == "sub"
    return str(asked["id"])


def pushing(*frames: str | bytes) -> Serve:
    """Acknowledge the subscription, push, and wait for the end."""

    async def serving(socket: ServerConnection) -> None:
        await socket.send(f'{{"ack":"{await subscribed(socket)}"}}')
        for frame in frames:
            await socket.send(frame)
        await socket.wait_closed()

    return serving


# -------------------------------------------------------------------------------------------------------------- data
async def test_a_frame_of_data_is_counted_believed_and_handed_on() -> None:
    """With the moment at which it was read; the topic is live by it."""
    before_ns, wall_ns = perf_counter_ns(), Clock().now_ns()
    async with talking(pushing(quote(1, 7), quote(2, 8))) as talk:
        await until(lambda: len(talk.listener.events) == 2)
        assert [native for native, _, _ in talk.listener.events] == ["q.BTC"] * 2
        assert [event.sequence for _, events, _ in talk.listener.events for event in events] == [1, 2]  # type: ignore[union-attr]
        read_ns = [received_ns for _, _, received_ns in talk.listener.events]
        assert before_ns < read_ns[0] < read_ns[1] < perf_counter_ns()
        assert talk.effects == [TopicAcked("q.BTC"), TopicLive("q.BTC")]
        assert (talk.counters.frames, talk.counters.events) == (3, 2)
        assert wall_ns < talk.counters.last_data_ns <= Clock().now_ns()
        assert (talk.counters.garbled, talk.counters.ignored, talk.faults) == (0, {}, [])


async def test_what_is_true_of_a_topic_is_told_before_the_data_that_it_is_about() -> None:
    """Live before its first event; down by a gap before the next one, which is not to be decided on."""

    async def serving(socket: ServerConnection) -> None:
        await socket.send(f'{{"ack":"{await subscribed(socket)}"}}')
        await asyncio.sleep(0.05)  # the keeper has had its turn, and its deadline is an hour away
        for frame in (quote(1, 1), '{"gap":"q.BTC"}', quote(2, 2)):
            await socket.send(frame)
        await socket.wait_closed()

    async with talking(serving) as talk:
        await until(lambda: len(talk.listener.events) == 2)
        assert talk.listener.order == [TopicAcked, TopicLive, "data", TopicDown, "data"]


async def test_chatter_alone_proves_the_socket() -> None:
    """A venue that answers no ping and talks is there."""
    rules = msgspec.structs.replace(
        CALM, ping_ns=200_000_000, probe_ns=400_000_000, pong_ns=600_000_000, tick_ns=100_000_000
    )

    async def serving(socket: ServerConnection) -> None:
        while True:
            await socket.send('{"x":1}')
            await asyncio.sleep(0.01)

    async with talking(serving, rules=rules) as talk:
        await asyncio.sleep(2.0)
        assert talk.it.closing is None


class Several(WordDialect):
    """Decodes one frame into the quotes of a list, oldest first."""

    def decode(self, frame: bytes) -> Sequence[Any]:
        if not frame.startswith(b"["):
            return super().decode(frame)
        messages = [super(Several, self).decode(msgspec.json.encode(one))[0] for one in msgspec.json.decode(frame)]
        if not messages:
            return [type(super().decode(quote(0, 0).encode())[0])(native="q.BTC", events=())]  # type: ignore[call-arg]
        return [type(messages[0])(native="q.BTC", events=[one.events[0] for one in messages])]  # type: ignore[call-arg,union-attr]


async def test_of_several_events_the_newest_says_how_far_the_venue_is() -> None:
    """A topic whose time stands still is stuck, though data come; what has no event is data as well."""
    rules = msgspec.structs.replace(CALM, tick_ns=10_000_000)
    terms = msgspec.structs.replace(TERMS, patience=Patience(least_ns=200_000_000, most_ns=200_000_000))
    moving = asyncio.Event()

    async def serving(socket: ServerConnection) -> None:
        await socket.send(f'{{"ack":"{await subscribed(socket)}"}}')
        number = 1
        while not moving.is_set():  # the first of each frame stands still, its last moves on
            number += 1
            await socket.send(f"[{quote(1, 1)},{quote(number, number)}]")
            await asyncio.sleep(0.005)
        while True:
            await socket.send(f"[{quote(number, number)},{quote(1, 1)}]")
            await asyncio.sleep(0.005)

    async with talking(serving, rules=rules, dialect=Several("ws://x")) as talk:
        talk.session.want(QUOTE.native, terms, Clock().now_ns())
        await until(lambda: talk.session.state("q.BTC") is TopicState.LIVE)
        await asyncio.sleep(0.4)
        assert talk.session.state("q.BTC") is TopicState.LIVE
        moving.set()
        await until(lambda: any(isinstance(effect, TopicDown) for effect in talk.effects))
        (down,) = [effect for effect in talk.effects if isinstance(effect, TopicDown)][:1]
        assert down.trouble is Trouble.STUCK


async def test_data_without_an_event_prove_the_topic_and_reach_nobody() -> None:
    """As of a book whose one side is empty."""
    async with talking(pushing("[]"), dialect=Several("ws://x")) as talk:
        await until(lambda: talk.session.state("q.BTC") is TopicState.LIVE)
        assert (talk.listener.events, talk.counters.events) == ([], 0)
        assert talk.counters.last_data_ns > 0


async def test_whoever_raises_is_told_of_and_the_next_frame_is_another() -> None:
    """A decoder of ours, or a listener: data came all the same, so the venue is not to blame."""
    async with talking(pushing("raise", quote(1, 1), quote(2, 2))) as talk:
        talk.listener.raises = LookupError("on purpose")
        await until(lambda: len(talk.faults) == 3)
        assert [(kind, type(error)) for kind, error in talk.faults] == [
            ("feed.frame_fault", ZeroDivisionError),
            ("feed.frame_fault", LookupError),
            ("feed.frame_fault", LookupError),
        ]
        assert talk.counters.last_data_ns > 0
        assert talk.session.state("q.BTC") is TopicState.LIVE
    async with talking(pushing("raise")) as talk:
        await until(lambda: bool(talk.faults))
        assert talk.counters.last_data_ns > 0


async def test_what_cannot_be_read_is_counted_for_its_topic_and_logged_once(log: Log) -> None:
    """It came, so the venue is there; chatter is counted by its kind, and is no data."""
    async with talking(pushing('{"x":1}', '{"x":2}')) as talk:
        await until(lambda: talk.counters.ignored == {"chatter": 2})
        assert (talk.counters.last_data_ns, talk.listener.unread) == (0, [])
    async with talking(pushing('{"bad":"q.BTC"}', "{", '{"bad":"q.ETH"}')) as talk:
        await until(lambda: talk.counters.garbled == 3)
        assert talk.listener.unread == ["q.BTC", "", "q.ETH"]
        assert talk.counters.last_data_ns > 0
        assert times(log, "feed.garbled") == 1


# ----------------------------------------------------------------------------------------------------------- control
async def test_what_is_said_by_the_venue_is_the_sessions_to_judge() -> None:
    """A refusal with its words, a gap with its count, each for the topic that it names."""
    async with talking(pushing(quote(1, 1), '{"gap":"q.BTC"}')) as talk:
        await until(lambda: any(isinstance(effect, TopicDown) for effect in talk.effects))
        assert talk.effects[-1] == TopicDown("q.BTC", Trouble.GAP, "3 of its events are missing")

    async def refusing(socket: ServerConnection) -> None:
        await socket.send(f'{{"no":"{await subscribed(socket)}","topic":"q.BTC","why":"not here"}}')
        await socket.wait_closed()

    async with talking(refusing) as talk:
        await until(lambda: bool(talk.effects))
        assert talk.effects == [TopicDown("q.BTC", Trouble.DENIED, "not here")]


async def test_a_login_leaves_first_and_nothing_is_asked_for_before_it_is_taken() -> None:
    """The keeper is woken by the answer; the deadline is an hour away."""
    order: list[str] = []

    async def serving(socket: ServerConnection) -> None:
        order.append(said(await socket.recv())["op"])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
        await socket.send('{"in":true}')
        order.append(said(await socket.recv())["op"])
        await socket.wait_closed()

    async with talking(serving, login='{"op":"login"}'):
        await until(lambda: order == ["login", "sub"])


async def test_a_login_that_is_refused_ends_the_connection_with_the_venues_words() -> None:
    """By us, and `closing` says why."""

    async def serving(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"in":false}')
        await socket.wait_closed()

    async with talking(serving, login='{"op":"login"}') as talk:
        closed = await talk.ended()
        assert closed.sent is not None
        assert closed.sent.code == 1000
        assert talk.it.closing is not None
        assert (talk.it.closing.kind, talk.it.closing.reason) == (CloseKind.LOGIN, "login refused: bad key")


async def test_a_heartbeat_of_the_venue_is_answered_at_once_with_its_own_words() -> None:
    """Not at the next deadline."""
    answers: list[str | bytes] = []

    async def serving(socket: ServerConnection) -> None:
        await subscribed(socket)
        await socket.send('{"asks":"so it wants"}')
        answers.append(await socket.recv())
        await socket.wait_closed()

    async with talking(serving):
        await until(lambda: answers == ["so it wants"])


async def test_what_is_wanted_later_is_asked_for_once_the_keeper_is_woken() -> None:
    """And what is not wanted any more is ended."""
    asked: list[dict[str, Any]] = []

    async def serving(socket: ServerConnection) -> None:
        while True:
            asked.append(said(await socket.recv()))

    async with talking(serving, wanted=False) as talk:
        await asyncio.sleep(0.05)
        assert asked == []
        talk.session.want(QUOTE.native, TERMS, Clock().now_ns())
        talk.it.wake()
        await until(lambda: [one["op"] for one in asked] == ["sub"])
        talk.session.unwant(QUOTE.native, Clock().now_ns())
        talk.it.wake()
        await until(lambda: [one["op"] for one in asked] == ["sub", "unsub"])
        assert [one["topics"] for one in asked] == [["q.BTC"]] * 2


@pytest.mark.parametrize("own", [True, False])
async def test_a_heartbeat_is_the_venues_where_it_has_one_and_else_the_transports(*, own: bool) -> None:
    """Either answer keeps a connection on which nothing else comes; without any it is dead."""
    rules = msgspec.structs.replace(
        CALM, ping_ns=100_000_000, probe_ns=100_000_000, pong_ns=600_000_000, tick_ns=50_000_000
    )
    pings: list[str] = []

    async def serving(socket: ServerConnection) -> None:
        async for text in socket:
            if (asked := said(text))["op"] == "ping":
                pings.append(asked["id"])
                await socket.send(f'{{"pong":"{asked["id"]}"}}')

    async with talking(serving, rules=rules, dialect=WordDialect("ws://x", ping_every_s=0.2 if own else None)) as talk:
        await asyncio.sleep(2.0)
        assert talk.it.closing is None
        assert bool(pings) is own


async def test_a_connection_on_which_nothing_comes_is_ended_as_deaf() -> None:
    """Its peer does not even say goodbye: within the bound it is cut."""
    rules = msgspec.structs.replace(
        CALM, ping_ns=20_000_000, probe_ns=20_000_000, pong_ns=50_000_000, tick_ns=10_000_000
    )
    asleep = asyncio.Event()

    async def serving(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asleep.wait()

    async with talking(serving, rules=rules) as talk:
        await talk.ended()
        assert talk.it.closing is not None
        assert talk.it.closing.kind is CloseKind.DEAF
        asleep.set()


# --------------------------------------------------------------------------------------------------------- the end
async def test_the_end_of_a_connection_is_raised_whoever_ended_it() -> None:
    """With the code and the words; we have asked for nothing, so `closing` is empty."""

    async def serving(socket: ServerConnection) -> None:
        await subscribed(socket)
        await socket.close(1012, "be back soon")

    async with talking(serving) as talk:
        closed = await talk.ended()
        assert closed.rcvd is not None
        assert (closed.rcvd.code, closed.rcvd.reason) == (1012, "be back soon")
        assert talk.it.closing is None
    async with talking(pushing()) as talk:
        await until(lambda: talk.session.state("q.BTC") is TopicState.ACKED)
        talk.it.abort()
        await talk.ended()


async def test_nothing_is_taken_after_the_end() -> None:
    """What a venue sends before it hears our goodbye is nobody's any more."""

    async def serving(socket: ServerConnection) -> None:
        await socket.send(f'{{"ack":"{await subscribed(socket)}"}}')
        while True:
            await socket.send(quote(1, 1))
            await asyncio.sleep(0.002)

    async with talking(serving) as talk:
        await until(lambda: len(talk.listener.events) > 3)
        assert talk.running is not None
        talk.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talk.running
        count = talk.counters.frames
        await asyncio.sleep(0.05)
        assert talk.counters.frames == count


async def test_a_new_connection_begins_with_a_dialect_that_remembers_nothing() -> None:
    """What it knew of the last one's subscriptions is not so here."""
    dialect = WordDialect("ws://x")
    dialect.subscribe("1", [QUOTE])

    async def serving(socket: ServerConnection) -> None:
        await socket.send(quote(1, 1))
        await socket.wait_closed()

    async with talking(serving, dialect=dialect, wanted=False) as talk:
        await until(lambda: talk.counters.frames == 1)
        assert talk.counters.garbled == 1
