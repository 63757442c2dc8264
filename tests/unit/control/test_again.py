"""The same question on the same connection, over real sockets: what comes back, and what never takes the short way."""

import asyncio
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from kangbot.control import again, kept
from kangbot.control.again import Connections
from kangbot.control.kept import Kept
from tests.support.control_desk import Served, serving

ASKED = b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Peer:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, said: bytes) -> bytes:
        """Send the bytes as they are and return one answer."""
        self.writer.write(said)
        return await self.answer()

    async def answer(self) -> bytes:
        """Return the next answer, head and body."""
        async with asyncio.timeout(120):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            return head + await self.reader.readexactly(int(lines[b"Content-Length"]))

    async def over(self) -> bytes:
        """Return what comes until the other side hangs up."""
        async with asyncio.timeout(120):
            return await self.reader.read()


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError("nobody asked")


class House:
    """A server of one kept answer and one that takes its time, which counts what comes by the ordinary way."""

    def __init__(self) -> None:
        self.ordinary = 0
        self.body = b"{}"
        self.doubts = 0
        self.kept = Kept(lambda: (200, self.body))
        self.go_on = asyncio.Event()
        self.peers: list[Peer] = []
        self.port = 0
        self.connections: Connections

    def application(self) -> web.Application:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.ordinary += 1
            return await handler(request)

        async def answer(_: web.Request) -> web.Response:
            return self.kept.answer()

        async def slow(_: web.Request) -> web.Response:
            await self.go_on.wait()
            return web.Response(text="at last")

        app = web.Application(middlewares=[count])
        app.router.add_get("/kept", answer)
        app.router.add_post("/kept", answer)
        app.router.add_get("/slow", slow)
        return app

    async def peer(self) -> Peer:
        """Return a new connection."""
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self.peers.append(peer)
        return peer


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """The server; its answer is kept for as long as the test takes, whatever the machine does besides."""
    monkeypatch.setattr(kept, "KEPT_S", 3600.0)
    one = House()
    served = web.AppRunner(one.application(), access_log=None)
    await served.setup()
    assert served.server is not None
    one.connections = Connections(served.server, lambda: one.doubts)
    runner = web.ServerRunner(one.connections, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.port = runner.addresses[0][1]
    yield one
    for peer in one.peers:
        peer.writer.close()
    await runner.cleanup()
    await served.cleanup()


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The daemon's own server over both doors."""
    monkeypatch.setattr(kept, "KEPT_S", 3600.0)
    async with serving(tmp_path) as it:
        yield it


def question(path: str, token: str = "", host: str = "127.0.0.1", more: str = "") -> bytes:
    """Return a question as a probe sends it."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{more}\r\n".encode()


def undated(answer: bytes) -> bytes:
    """Return an answer without the second at which the ordinary way made it."""
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"Date: "))


async def test_the_same_question_gets_the_same_bytes_by_the_short_way(house: House) -> None:
    """It is counted as every other; another question in between takes the ordinary way and changes nothing."""
    peer = await house.peer()
    first = await peer.ask(ASKED)
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [await peer.ask(ASKED) for _ in range(3)] == [first] * 3
    assert house.ordinary == 1
    assert b" 404 " in (await peer.ask(ASKED.replace(b"kept", b"gone")))
    assert [undated(await peer.ask(ASKED)) for _ in range(2)] == [undated(first)] * 2
    assert house.ordinary == 3
    assert house.connections.requests_count == 7


@pytest.mark.parametrize("path", ["/health", "/live", "/ready", "/metrics"])
async def test_what_is_said_is_what_the_ordinary_way_says(served: Served, path: str) -> None:
    """Status, headers in their order, and body; over both doors. `Date` is that of the kept answer."""
    for token in (served.read, ""):
        said: list[list[bytes]] = []
        for repeats in (1, 1, 3):
            peer = Peer(
                *await asyncio.open_connection("127.0.0.1", served.port)
                if token
                else await asyncio.open_unix_connection(served.socket)
            )
            for _ in range(repeats):
                answer = await peer.ask(question(path, token))
                said.append([line for line in answer.split(b"\r\n") if not line.startswith(b"Date: ")])
                assert answer.count(b"\r\nDate: ") == 1
            peer.writer.close()
        assert said == [said[0]] * 5
        assert said[0][0] in (b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Service Unavailable")
        assert b"Server: kangbot" in said[0]


@pytest.mark.parametrize(
    "asked",
    [
        ASKED.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ASKED.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n"),
        ASKED.replace(b"Host", b"Connection: close\r\nHost"),
        ASKED.replace(b"Host", b"Cookie: a=b\r\nHost"),
        ASKED.replace(b"Host", b"Upgrade: tea\r\nConnection: upgrade\r\nHost"),
        ASKED.replace(b"Host", b"Content-Length: 2\r\nHost") + b"{}",
        ASKED.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost") + b"0\r\n\r\n",
        ASKED.replace(b"Host", b"X: " + b"x" * 5000 + b"\r\nHost"),
        ASKED.replace(b"GET", b"POST"),
        b"\r\n" + ASKED,
    ],
)
async def test_a_question_that_is_not_plain_takes_the_ordinary_way_every_time(house: House, asked: bytes) -> None:
    """HTTP/1.0, a connection that closes, a cookie, an upgrade, a body, a long head, another method, a stray line."""
    peer = await house.peer()
    for number in (1, 2, 3):
        assert (await peer.ask(asked)).endswith(b"\r\n\r\n{}")
        assert house.ordinary == number
        if b"HTTP/1.0\r\nHost" in asked or b"close" in asked:
            assert await peer.over() == b""
            peer = await house.peer()
    plain = await house.peer()
    assert [b"Connection" in await plain.ask(ASKED) for _ in range(2)] == [False, False]  # the way it came is its own


async def test_what_is_to_be_expected_is_said_before_every_answer(house: House) -> None:
    """`Expect: 100-continue` has an answer of its own."""
    peer = await house.peer()
    for _ in range(2):
        peer.writer.write(ASKED.replace(b"Host", b"Expect: 100-continue\r\nHost"))
        assert await peer.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await peer.answer()).endswith(b"\r\n\r\n{}")
    assert house.ordinary == 2


async def test_a_head_alone_is_answered_without_a_body(house: House) -> None:
    """Also where the same address was asked for in whole before."""
    peer = await house.peer()
    await peer.ask(ASKED)
    for _ in range(2):
        peer.writer.write(ASKED.replace(b"GET", b"HEAD"))
        assert b"Content-Length: 2\r\n" in await peer.reader.readuntil(b"\r\n\r\n")
    assert (await peer.ask(ASKED)).endswith(b"\r\n\r\n{}")
    assert house.ordinary == 4


async def test_questions_that_come_together_are_answered_one_by_one(house: House) -> None:
    """In their order, by the ordinary way, at first and after one that is known."""
    for known in (False, True):
        house.ordinary = 0
        peer = await house.peer()
        if known:
            await peer.ask(ASKED)
        for _ in range(2):
            peer.writer.write(ASKED + ASKED.replace(b"kept", b"gone") + ASKED)
            said = [(await peer.answer()).split(b" ")[1] for _ in range(3)]
            assert said == [b"200", b"404", b"200"]
        assert house.ordinary == 6 + known


@pytest.mark.parametrize("cut", [1, 17, len(ASKED) - 2])
async def test_a_question_that_comes_in_parts_is_put_together(house: House, cut: int) -> None:
    """At first and after the whole; what follows a part is never taken for a question of its own."""
    for known in (False, True):
        house.ordinary = 0
        peer = await house.peer()
        if known:
            await peer.ask(ASKED)
        peer.writer.write(ASKED[:cut])
        await asyncio.sleep(0.05)
        assert (await peer.ask(ASKED[cut:])).endswith(b"\r\n\r\n{}")
        assert (await peer.ask(ASKED)).endswith(b"\r\n\r\n{}")
        assert house.ordinary == 2 + known


async def test_the_end_of_a_question_is_no_question(house: House) -> None:
    """Whatever it looks like: what was let in was the whole, with what stood before."""
    peer = await house.peer()
    peer.writer.write(b"GET /kept HTTP/1.1\r\nX: ")
    await asyncio.sleep(0.05)
    for number in (1, 2, 3):
        assert (await peer.ask(ASKED)).endswith(b"\r\n\r\n{}")
        assert house.ordinary == number


async def test_a_body_that_comes_later_is_still_one(house: House) -> None:
    """Also where it is, byte for byte, the head that it belongs to."""
    peer = await house.peer()
    head = ASKED.replace(b"Host", b"Content-Length: %d\r\nHost" % (len(ASKED) + 20))
    assert len(head) == len(ASKED) + 20
    assert (await peer.ask(head)).endswith(b"\r\n\r\n{}")
    peer.writer.write(head)
    await asyncio.sleep(0.05)
    assert b" 404 " in await peer.ask(ASKED.replace(b"kept", b"gone"))


async def test_a_question_within_a_body_is_part_of_the_body(house: House) -> None:
    """A body that is the known question, byte for byte, is not answered."""
    peer = await house.peer()
    await peer.ask(ASKED)
    await peer.ask(ASKED)
    length = str(len(ASKED)).encode()
    peer.writer.write(b"POST /kept HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert (await peer.answer()).endswith(b"\r\n\r\n{}")
    peer.writer.write(ASKED)
    assert b" 404 " in (await peer.ask(ASKED.replace(b"kept", b"gone")))
    assert house.ordinary == 3


async def test_nobody_is_answered_before_their_turn(house: House) -> None:
    """A known question that comes while another one is being answered waits for it."""
    peer = await house.peer()
    await peer.ask(ASKED)
    peer.writer.write(SLOW)
    await asyncio.sleep(0.05)
    peer.writer.write(ASKED)
    await asyncio.sleep(0.05)
    house.go_on.set()
    assert (await peer.answer()).endswith(b"at last")
    assert (await peer.answer()).endswith(b"{}")
    assert house.ordinary == 3


async def test_a_doubt_sends_everybody_the_ordinary_way_once(house: House) -> None:
    """Every connection, then the short way is open again."""
    peers = [await house.peer() for _ in range(2)]
    for doubts in range(3):
        house.doubts = doubts
        for peer in peers * 3:
            await peer.ask(ASKED)
        assert house.ordinary == 2 * (doubts + 1)


async def test_the_ordinary_way_is_gone_once_in_a_while(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the server's timer of idle connections and the door are to see."""
    monkeypatch.setattr(again, "_ORDINARY_EVERY_S", 0.0)
    peer = await house.peer()
    for _ in range(3):
        await peer.ask(ASKED)
    assert house.ordinary == 3


async def test_an_answer_is_made_anew_for_the_short_way_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """No older than for whoever comes by the ordinary one."""
    monkeypatch.setattr(kept, "KEPT_S", 0.05)
    peer = await house.peer()
    for body in (b"1", b"22", b"333"):
        house.body = body
        await asyncio.sleep(0.1)
        for _ in range(2):
            assert (await peer.ask(ASKED)).endswith(b"\r\n\r\n" + body)


async def test_whoever_does_not_read_is_not_written_to(house: House) -> None:
    """Their answers would pile up in memory: the ordinary way knows what to do."""
    house.body = b"x" * 32_000_000
    peer = await house.peer()
    await peer.ask(ASKED)
    peer.writer.write(ASKED)
    while house.connections.requests_count < 2:
        await asyncio.sleep(0.01)
    peer.writer.write(ASKED)
    while house.connections.requests_count < 3:
        await asyncio.sleep(0.01)
    for _ in range(2):
        assert len(await peer.answer()) > len(house.body)
    assert house.ordinary == 2


async def test_a_server_that_ends_answers_nothing_more(house: House) -> None:
    """A known question on an idle connection meets its end; one that is being answered gets its answer first."""
    idle, busy = await house.peer(), await house.peer()
    await idle.ask(ASKED)
    await busy.ask(ASKED)
    busy.writer.write(SLOW)
    await asyncio.sleep(0.05)
    house.connections.pre_shutdown()
    idle.writer.write(ASKED)
    busy.writer.write(ASKED)
    async with asyncio.TaskGroup() as ending:
        ending.create_task(house.connections.shutdown(20.0))
        assert await idle.over() == b""
        house.go_on.set()
        said = await busy.over()
    assert said.endswith(b"at last")
    assert said.count(b"HTTP/1.1 ") == 1


async def test_a_connection_that_was_cut_takes_nothing_more(house: House) -> None:
    """What was read before it noticed goes nowhere."""
    peer = await house.peer()
    await peer.ask(ASKED)
    [connection] = house.connections.connections
    connection.force_close()
    connection.data_received(ASKED)
    assert await peer.over() == b""


async def test_an_address_that_is_locked_out_has_no_short_way(served: Served) -> None:
    """One wrong token is a doubt, ten lock the address out: then no known question is answered either."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    asked, guess = question("/health", served.read), question("/health", "guess")
    for _ in range(3):
        assert b" 503 " in (await peer.ask(asked)).partition(b"\r\n")[0]  # a check is critical
    stranger = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    assert b" 401 " in await stranger.ask(guess)
    for _ in range(3):
        assert b" 503 " in (await peer.ask(asked)).partition(b"\r\n")[0]  # which forgives that one
    for _ in range(10):
        assert b" 401 " in (await stranger.ask(guess)).partition(b"\r\n")[0]
    for _ in range(3):
        assert b" 429 " in (await peer.ask(asked)).partition(b"\r\n")[0]
    for one in (peer, stranger):
        one.writer.close()


@pytest.mark.parametrize(("host", "more"), [("evil.example", ""), ("127.0.0.1", "Origin: https://evil.example\r\n")])
async def test_a_foreign_name_never_comes_in(served: Served, host: str, more: str) -> None:
    """However often it is asked, also on a connection whose question under our own name is known."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    for path in ("/health", "/live"):
        for _ in range(2):
            assert b" 403 " not in await peer.ask(question(path, served.read))
        for _ in range(3):
            assert b" 403 " in await peer.ask(question(path, served.read, host, more))
    peer.writer.close()


async def test_a_session_that_has_ended_is_over_at_once(served: Served) -> None:
    """Its cookie opens nothing by the short way."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    login = f'{{"token": "{served.read}"}}'
    head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(login)}\r\n\r\n"
    said = await peer.ask(f"POST /login HTTP/1.1\r\n{head}{login}".encode())
    cookie = "Cookie: " + said.partition(b"Set-Cookie: ")[2].partition(b";")[0].decode() + "\r\n"
    other = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    for _ in range(3):
        assert b" 503 " in (await other.ask(question("/health", more=cookie))).partition(b"\r\n")[0]
    logout = f"POST /logout HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}Content-Length: 0\r\n\r\n".encode()
    assert b" 200 " in await peer.ask(logout)
    assert b" 401 " in await other.ask(question("/health", more=cookie))
    for one in (peer, other):
        one.writer.close()


async def test_connections_that_nobody_closes_make_room_for_who_asks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest idle one goes; whoever is being answered stays, and the newcomer is answered."""
    monkeypatch.setattr(again, "MOST", 4)
    busy = await house.peer()
    busy.writer.write(SLOW)
    spoken = await house.peer()
    await spoken.ask(ASKED)
    silent = [await house.peer() for _ in range(2)]
    async with asyncio.timeout(120):
        while house.ordinary < 2 or len(house.connections.connections) < 4:
            await asyncio.sleep(0.01)
    for gone in (spoken, *silent):
        late = await house.peer()
        assert (await late.ask(ASKED)).startswith(b"HTTP/1.1 200 OK")
        assert await gone.over() == b""
        assert len(house.connections.connections) == 4
    house.go_on.set()
    assert (await busy.answer()).endswith(b"at last")


async def test_half_a_question_keeps_nobody_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that stops in its head, nor one whose body never ends: a stranger without a token can send both."""
    monkeypatch.setattr(again, "MOST", 2)
    head = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    halves = [Peer(*await asyncio.open_connection("127.0.0.1", served.port)) for _ in range(2)]
    for half, said in zip(halves, (head, head + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{"), strict=True):
        half.writer.write(said)
    assert await halves[1].reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"  # its body is waited for
    late = []
    for gone in halves:
        late.append(Peer(*await asyncio.open_connection("127.0.0.1", served.port)))
        assert (await late[-1].ask(question("/live"))).startswith(b"HTTP/1.1 200 OK")
        assert await gone.over() == b""
    for one in (*halves, *late):
        one.writer.close()


async def test_a_low_limit_of_open_files_leaves_them_to_trading() -> None:
    """Four silent connections are all that this door has to spare; the fifth and the sixth cost the oldest theirs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (104, hard))
    try:
        door = Connections(web.Server(_never), lambda: 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    listening = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    silent = [Peer(*await asyncio.open_connection(host, port)) for _ in range(6)]
    for gone in silent[:2]:
        assert await gone.over() == b""
    assert len(door.connections) == 4
    for one in silent:
        one.writer.close()
    listening.close()
    await door.shutdown()


async def test_where_everybody_is_being_answered_a_newcomer_has_to_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by the end of its connection; once there is room, the next one is answered."""
    monkeypatch.setattr(again, "MOST", 2)
    busy = [await house.peer() for _ in range(2)]
    for one in busy:
        one.writer.write(SLOW)
    async with asyncio.timeout(120):
        while house.ordinary < 2:
            await asyncio.sleep(0.01)
    assert await (await house.peer()).over() == b""
    house.go_on.set()
    for one in busy:
        assert (await one.answer()).endswith(b"at last")
    assert (await (await house.peer()).ask(ASKED)).startswith(b"HTTP/1.1 200 OK")
