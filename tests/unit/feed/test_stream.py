"""One stream against a venue that misbehaves, on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.failure import FailureKind
from kangbot.feed.rules import StreamRules, Wait
from kangbot.feed.stream import StreamState
from kangbot.machines.session_words import Trouble
from kangbot.ports import Channel
from kangbot.runtime.world import real_world
from tests.support.ports import own_port

from .conftest import QUICK, QUICK_RULES, Inbox, WordDialect, WordVenue, hub_of, instrument, until

QUOTES = {Channel.QUOTE: None}
BTC, ETH = instrument("BTC"), instrument("ETH")
BANNED, BAN_S = "1", 0.99  # a timer may be early by what a clock cannot tell


def noted(hub: Any) -> list[str]:
    return [note[0] for note in hub.notes]


async def test_a_cut_connection_is_dialled_again_and_resubscribed(venue: WordVenue) -> None:
    """Down and up are told once each, with the reason."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        venue.drop_all()
        await until(lambda: len(inbox.changes) == 3)
        assert [live for _, live, _ in inbox.changes] == [True, False, True]
        assert inbox.changes[1][2].startswith("closed: ")
        assert noted(hub) == ["feed.down", "feed.up"]
        (stream,) = hub.streams
        assert (stream.counters.connects, stream.counters.reconnects) == (2, 1)
        assert stream.state is StreamState.OPEN


async def test_why_it_does_not_come_back_is_told_once_as_well(venue: WordVenue) -> None:
    """That it broke off says little; what the dials meet from then on says what to do."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        (stream,) = hub.streams
        assert stream.down == ""
        venue.status = 502
        venue.drop_all()
        await until(lambda: stream.counters.dials >= 5)
        assert noted(hub) == ["feed.down", "feed.down"]
        assert stream.down.endswith("HTTP 502 in place of a websocket")
        venue.status = None
        await until(lambda: stream.down == "")
        assert noted(hub) == ["feed.down", "feed.down", "feed.up"]


async def test_a_stream_never_has_two_connections(venue: WordVenue) -> None:
    """However it is cut, frozen, wanted anew or let go: the old one has ended before the next is dialled."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hold = hub.subscribe(BTC, QUOTES, inbox)
        for frozen in (False, True, False, True):
            await until(lambda: inbox.live.get("q.BTC", False))
            dialled = venue.connects
            other = hub.subscribe(ETH, QUOTES, Inbox())
            venue.frozen = frozen
            if not frozen:
                venue.drop_all()
            await until(lambda: not inbox.live["q.BTC"])
            await until(lambda: venue.connects > dialled)  # noqa: B023 -- awaited within this round
            venue.frozen = False
            await other.aclose()
        await hold.aclose()
        assert venue.connects >= 5
        assert venue.most_open == 1
        assert len(hub.streams) == 1


async def test_accept_then_close_is_dialled_ever_more_rarely(venue: WordVenue) -> None:
    """A connection that opens and closes is a failure, however well the handshake went: the backoff is not reset."""
    venue.shut_at_once = 1000
    rules = StreamRules(session=QUICK, others=Wait(first_s=0.01, most_s=0.4), settle_s=60.0, close_s=0.4)
    async with hub_of(venue, rules=rules) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: venue.connects == 9)
        assert venue.dialled_s[8] - venue.dialled_s[0] > 0.7  # waits of at least 5, 10, 20, 40, 80, 160, 200, 200 ms
        assert noted(hub) == ["feed.down"]
        venue.shut_at_once = None
        await until(lambda: inbox.live.get("q.BTC", False))


async def test_failures_are_forgiven_only_after_data_has_flowed_for_a_while(venue: WordVenue) -> None:
    """A connection that lives for an instant forgives nothing; one that flows does."""
    async with hub_of(venue, rules=msgspec.structs.replace(QUICK_RULES, settle_s=3600.0)) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        (stream,) = hub.streams
        for _ in range(3):
            await until(lambda: inbox.live.get("q.BTC", False))
            venue.drop_all()
            await until(lambda: not inbox.live["q.BTC"])
        await until(lambda: stream._failures == 3)
        stream._rules = QUICK_RULES
        await until(lambda: inbox.live["q.BTC"])
        await asyncio.sleep(QUICK_RULES.settle_s + 0.1)
        venue.drop_all()
        await until(lambda: stream._failures == 1)


async def test_the_connect_budget_is_kept_whatever_happens(venue: WordVenue) -> None:
    """Several streams that are refused all the time never dial more than the host allows."""
    venue.shut_at_once = 1011
    world = real_world()
    connects = ConnectBudget(world.clock, most=6, span_s=60.0)
    rules = StreamRules(session=QUICK, others=Wait(first_s=0.001, most_s=0.002), close_s=0.4)
    async with hub_of(venue, world, connects=connects, rules=rules, topics_a_socket=1) as hub:
        for name in "ABC":
            hub.subscribe(instrument(name), QUOTES, Inbox())
        await until(lambda: venue.connects == 6)
        await until(lambda: all(stream.state is StreamState.WAITING for stream in hub.streams))
        await asyncio.sleep(0.2)
        assert venue.connects == 6
        assert len(connects.stamps) == 6
        assert all(stream.state is StreamState.WAITING for stream in hub.streams)


async def test_a_ban_is_obeyed(venue: WordVenue) -> None:
    """Retry-After: not one dial inside it."""
    venue.status, venue.retry_after = 429, BANNED
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: "feed.down" in noted(hub))
        venue.status = None
        await until(lambda: inbox.live.get("q.BTC", False))
        refused_s, admitted_s = venue.dialled_s
        assert admitted_s - refused_s > BAN_S


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_a_ban_is_obeyed_by_every_stream_of_the_host(venue: WordVenue, status: int) -> None:
    """The venue counts by address: what one stream was told holds for the others, and for those that come later."""
    async with hub_of(venue, topics_a_socket=1) as hub:
        first = Inbox()
        hub.subscribe(BTC, QUOTES, first)
        await until(lambda: first.live.get("q.BTC", False))
        venue.status, venue.retry_after = status, BANNED
        venue.drop_all()
        (stream,) = hub.streams
        # A dial that a standing machine has cut short is no refusal.
        await until(lambda: len(venue.refused_s) > 0 and stream.state is StreamState.WAITING)
        venue.status = None
        hub.subscribe(ETH, QUOTES, Inbox())
        await until(lambda: all(stream.state is StreamState.OPEN for stream in hub.streams))
        refused_s = venue.refused_s[-1]
        later_s = [dialled_s for dialled_s in venue.dialled_s if dialled_s > refused_s]
        assert len(later_s) == 2
        assert min(later_s) - refused_s > BAN_S


@pytest.mark.parametrize("status", [500, 503, 404])
async def test_a_refused_handshake_is_tried_again(venue: WordVenue, status: int) -> None:
    """Maintenance ends."""
    venue.status = status
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: hub.streams[0].counters.dials >= 3)
        venue.status = None
        await until(lambda: inbox.live.get("q.BTC", False))


async def test_a_host_that_is_not_there_is_tried_again() -> None:
    """Refused connects, then the venue comes up at that very port."""
    port, later = own_port(), WordVenue()
    later.url = f"ws://127.0.0.1:{port}"
    async with hub_of(later) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: hub.streams[0].counters.dials >= 3)
        await later.start(port)
        await until(lambda: inbox.live.get("q.BTC", False))
        await hub.aclose()
        await later.aclose()


async def test_a_handshake_that_hangs_times_out() -> None:
    """A listener that never answers costs `open_s`, no more; timeouts have waits of their own."""
    waits: list[bytes] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waits.append(await reader.read(100))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    venue = WordVenue()
    venue.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    rules = StreamRules(session=QUICK, waits={FailureKind.TIMEOUT: Wait(first_s=0.01, most_s=0.01)}, open_s=0.1)
    async with hub_of(venue, rules=rules) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: len(waits) >= 2)
        assert "timeout" in hub.notes[0][3]  # type: ignore[attr-defined]
    server.close()
    await server.wait_closed()


async def test_each_dial_tells_whether_it_found_a_way_out(venue: WordVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is none; a connection is one."""
    resolve, told = socket.getaddrinfo, list[bool]()
    venue.url = venue.url.replace("127.0.0.1", "localhost")

    def nobody(*_: object, **_named: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async with hub_of(venue, private=None) as hub:
        hub.on_dial(told.append)
        monkeypatch.setattr(socket, "getaddrinfo", nobody)
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: len(told) >= 2)
        assert set(told) == {False}
        host = venue.url.split("/")[2]
        said = next(note[3] for note in hub.notes if note[0] == "feed.down")  # type: ignore[attr-defined]
        assert f"{host}: its name does not resolve: Temporary failure" in said
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        await until(lambda: told[-1])


@asynccontextmanager
async def portal(answer: str) -> AsyncIterator[str]:
    """Who answers each handshake so; its address."""

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_a_redirect_is_told_and_not_followed(venue: WordVenue) -> None:
    """Where a portal sends us nobody is to learn our login."""
    async with portal(f"302 Found\r\nLocation: {venue.url}") as host:
        venue.url = f"ws://{host}/"
        async with hub_of(venue, private=None) as hub:
            hub.subscribe(BTC, QUOTES, Inbox())
            await until(lambda: len(hub.notes) > 0)  # type: ignore[attr-defined]
            assert f"{host}: HTTP 302" in hub.notes[0][3]  # type: ignore[attr-defined]


@pytest.mark.parametrize("waits", ["0\r\nRetry-After: 0", "99999999999", f"Mon, 01 Jan {10**20} 00:00:00 GMT"])
async def test_a_wait_that_cannot_be_read_does_not_end_the_stream(venue: WordVenue, waits: str) -> None:
    """A proxy adds a header to the venue's own, or writes nonsense: it is dialled again all the same."""
    async with portal(f"503 Away\r\nRetry-After: {waits}") as host:
        venue.url = f"ws://{host}/"
        async with hub_of(venue, private=None) as hub:
            hub.subscribe(BTC, QUOTES, Inbox())
            await until(lambda: hub.streams[0].counters.dials >= 3)
            assert (noted(hub), hub.streams[0].counters.faults) == (["feed.down"], 0)


async def test_a_failure_that_cannot_be_put_into_words_does_not_end_the_stream(
    venue: WordVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with ours, the markets are not to be deaf for good."""
    monkeypatch.setattr("kangbot.feed.stream.classify", lambda *_: 1 / 0)
    venue.status = 503
    async with hub_of(venue, private=None) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: hub.streams[0].counters.faults >= 2)
        venue.status = None
        await until(lambda: inbox.live.get("q.BTC", False))


async def test_the_proxy_of_the_environment_is_asked_for_the_way(
    venue: WordVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by requests; one that refuses is told, with its address."""
    asked: list[bytes] = []

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    proxy = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
    venue.url = "wss://venue.test/v5"
    async with hub_of(venue, private=None) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: len(hub.notes) > 0)  # type: ignore[attr-defined]
        said = hub.notes[0][3]  # type: ignore[attr-defined]
        assert f"venue.test by the proxy {proxy}: no way there: proxy rejected connection: HTTP 407" in said
    assert asked[0].startswith(b"CONNECT venue.test:443 ")
    server.close()
    await server.wait_closed()


async def test_a_refused_dial_says_nothing_of_the_way(venue: WordVenue) -> None:
    """Somebody answered, if only to refuse: that is the venue's."""
    told = list[bool]()
    await venue.aclose()
    async with hub_of(venue, private=None) as hub:
        hub.on_dial(told.append)
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: "feed.down" in noted(hub))
    assert told == []


async def test_a_half_open_socket_is_noticed_and_replaced(venue: WordVenue) -> None:
    """Nothing comes, not even pongs, and nobody says so: told stale within its budget, then dialled anew."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        venue.frozen = True
        await until(lambda: not inbox.live["q.BTC"])
        await until(lambda: "feed.down" in noted(hub))
        venue.frozen = False
        await until(lambda: inbox.live["q.BTC"])
        said = next(note[3] for note in hub.notes if note[0] == "feed.down")  # type: ignore[attr-defined]
        assert f"{venue.url.split('/')[2]}: no frame and no pong" in said


async def test_pongs_alone_do_not_make_a_topic_live(venue: WordVenue) -> None:
    """The socket answers, all topics are mute: the connection is given up as deaf."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        venue.mute.add("q.BTC")
        await until(lambda: not inbox.live["q.BTC"])
        await until(lambda: venue.connects >= 2)
        assert not inbox.live["q.BTC"]
        assert "1 of 1 topics are" in next(note[3] for note in hub.notes if note[0] == "feed.down")  # type: ignore[attr-defined]


async def test_a_venue_that_ignores_heartbeats_but_sends_data_is_kept(venue: WordVenue) -> None:
    """However many of them stay without an answer."""
    venue.pongs = False
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: sum(said["op"] == "ping" for said in venue.said) >= 3)
        assert (venue.connects, inbox.live) == (1, {"q.BTC": True})


async def test_the_transports_ping_serves_where_the_venue_has_none(venue: WordVenue) -> None:
    """A quiet account is kept by it for as long as its pongs come."""
    venue.pongs = False
    private = lambda: WordDialect(venue.url, key="good", ping_every_s=None)  # noqa: E731 -- what a hub is given
    rules = StreamRules(session=msgspec.structs.replace(QUICK, ping_ns=100_000_000), close_s=0.4)
    async with hub_of(venue, private=private, rules=rules) as hub:
        inbox = Inbox()
        hub.account(inbox)
        await until(lambda: inbox.live.get("wallet", False))
        await asyncio.sleep(1.0)
        assert (venue.connects, inbox.live) == (1, {"wallet": True})


async def test_the_venues_own_ping_is_answered(venue: WordVenue) -> None:
    """With the reply it asks for."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        await venue.push('{"asks":"{\\"op\\":\\"mine\\",\\"id\\":\\"9\\"}"}')
        await until(lambda: {"op": "mine", "id": "9"} in venue.said)


async def test_garbage_is_counted_and_harms_nothing(venue: WordVenue) -> None:
    """Broken JSON, binary noise, chatter, a decoder that raises: the connection goes on."""
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        for frame in ("{", b"\x00\xff\xfe", "[1]", '{"hello":1}', '{"t":"q.NOBODY","p":"1","at":1,"n":1}', "raise"):
            await venue.push(frame)
        counters = hub.streams[0].counters
        await until(lambda: counters.faults == 1)
        assert (counters.garbled, counters.ignored) == (3, {"chatter": 2})
        count = len(inbox.events)
        await until(lambda: len(inbox.events) > count + 3)
        assert (venue.connects, noted(hub)) == (1, ["feed.frame_fault"])


async def test_binary_frames_are_read_like_text(venue: WordVenue) -> None:
    """Some venues send JSON so."""
    venue.binary = True
    async with hub_of(venue) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: len(inbox.events) > 3)


async def test_a_frame_beyond_the_limit_ends_the_connection_only(venue: WordVenue) -> None:
    """Memory is bounded; the stream dials again."""
    rules = StreamRules(session=QUICK, others=Wait(first_s=0.02, most_s=0.1), close_s=0.4, max_bytes=10_000)
    async with hub_of(venue, rules=rules) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        await venue.push("x" * 20_000)
        await until(lambda: venue.connects == 2)
        await until(lambda: inbox.live["q.BTC"])
        assert "1009" in hub.notes[0][3]  # type: ignore[attr-defined]


async def test_a_peer_that_never_says_goodbye_cannot_hold_the_close() -> None:
    """It neither reads nor answers our closing handshake: we leave within our bound."""
    asleep = asyncio.Event()

    async def deaf(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await asleep.wait()

    server = await serve(deaf, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1)
    venue = WordVenue()
    venue.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with hub_of(venue) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: hub.streams[0].state is StreamState.OPEN)
        async with asyncio.timeout(9):  # without a bound of ours it would be the library's ten seconds
            await hub.aclose()
    asleep.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("ends", ["we leave", "it leaves"])
async def test_a_peer_that_does_not_read_cannot_hold_us(ends: str) -> None:
    """Our own words pile up before a peer that reads nothing: whoever ends it, it ends."""
    sockets: list[ServerConnection] = []
    asleep = asyncio.Event()

    async def deaf(socket: ServerConnection) -> None:
        sockets.append(socket)
        socket.transport.pause_reading()
        await asleep.wait()

    class Verbose(WordDialect):
        def subscribe(self, request: str, topics: Any) -> str:
            return "x" * 30_000_000  # beyond every buffer between us

    server = await serve(deaf, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1)
    venue = WordVenue()
    venue.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with hub_of(venue, public=[lambda: Verbose(venue.url)]) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: bool(sockets))
        await asyncio.sleep(0.1)
        if ends == "it leaves":
            sockets[0].transport.abort()
            await until(lambda: hub.streams[0].counters.dials >= 2)
        async with asyncio.timeout(9):  # without a bound of ours it would be the library's ten seconds
            await hub.aclose()
    asleep.set()
    server.close()
    await server.wait_closed()


async def test_a_dialect_that_cannot_write_costs_its_connection_not_the_stream(venue: WordVenue) -> None:
    """An error in the keeper ends the connection; the stream dials again, and says what happened."""

    class Stumbling(WordDialect):
        stumbles = 2

        def subscribe(self, request: str, topics: Any) -> str:
            if Stumbling.stumbles:
                Stumbling.stumbles -= 1
                raise ZeroDivisionError
            return super().subscribe(request, topics)

    async with hub_of(venue, public=[lambda: Stumbling(venue.url)]) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        assert (venue.connects, hub.streams[0].counters.faults) == (3, 2)
        assert "feed.task_crashed" in noted(hub)


async def test_a_dialect_that_cannot_log_in_is_our_own_fault(venue: WordVenue) -> None:
    """Counted and told; the stream goes on trying."""

    class Forgetful(WordDialect):
        def login(self, now_ns: int) -> str | None:
            raise RuntimeError("no key at hand")

    async with hub_of(venue, public=[lambda: Forgetful(venue.url)]) as hub:
        hub.subscribe(BTC, QUOTES, Inbox())
        await until(lambda: hub.streams[0].counters.faults >= 2)
        assert noted(hub) == ["feed.stream_fault", "feed.down"]


async def test_a_note_that_fails_reaches_nobody(venue: WordVenue) -> None:
    """Book-keeping never reaches the data."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    async with hub_of(venue, on_note=fail) as hub:
        inbox = Inbox()
        hub.subscribe(BTC, QUOTES, inbox)
        await until(lambda: inbox.live.get("q.BTC", False))
        venue.drop_all()
        await until(lambda: len(inbox.changes) == 3)
        assert hub.streams[0].session.troubles == {}
        assert Trouble.SILENT not in hub.streams[0].session.troubles
