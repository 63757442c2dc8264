"""The socket that hands messages on in the turn that reads them, against a real server."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.sync.server import ServerConnection as SyncConnection
from websockets.sync.server import serve as serve_in_thread

from kangbot.feed.socket import FeedSocket
from tests.support.certificates import Authority

from .conftest import until

Serve = Callable[[ServerConnection], Awaitable[None]]

_FLOOD = 400  # messages of 50 kB


@asynccontextmanager
async def connected(
    serving: Serve, max_size: int = 1 << 20, authority: Authority | None = None
) -> AsyncIterator[FeedSocket]:
    """A connection to a server that does `serving`, then closes; with TLS where there is an authority."""
    theirs = ours = None
    if authority is not None:
        theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=authority.ca)
        theirs.load_cert_chain(*authority.sign("server"))
    async with serve(serving, "127.0.0.1", 0, compression=None, ssl=theirs) as server:
        url = f"{'wss' if ours else 'ws'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(
            url, create_connection=FeedSocket, compression=None, max_size=max_size, close_timeout=60.0, ssl=ours
        ) as socket:
            yield cast("FeedSocket", socket)


async def test_messages_come_in_order_whole_or_in_fragments() -> None:
    """Text, binary, in one frame or in many, with an empty one and a ping between: each once, as bytes, in order."""

    async def serving(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.send(["t", "", "wo"])
        await socket.ping()
        await socket.send(b"three")
        await socket.send([b"", b"four"])
        await socket.send("")

    taken: list[bytes] = []
    async with connected(serving) as socket:
        socket.attach(taken.append)
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()
    assert taken == [b"one", b"two", b"three", b"four", b""]
    assert all(type(message) is bytes for message in taken)


async def test_what_came_before_anybody_was_attached_comes_first() -> None:
    """A venue may greet before we listen."""
    more = asyncio.Event()

    async def serving(socket: ServerConnection) -> None:
        await socket.send("hello")
        await more.wait()
        await socket.send("again")
        await socket.wait_closed()

    taken: list[bytes] = []
    async with connected(serving) as socket:
        await until(lambda: bool(socket._early))
        more.set()
        socket.attach(taken.append)
        assert taken == [b"hello"]
        await until(lambda: len(taken) == 2)
    assert taken == [b"hello", b"again"]


async def test_after_detaching_a_flood_does_not_keep_the_close_from_being_heard() -> None:
    """What nobody takes is dropped, so the closing handshake behind it is read in time."""
    flooding = asyncio.Event()

    async def serving(socket: ServerConnection) -> None:
        while True:
            await socket.send("x" * 1000)
            flooding.set()

    taken: list[bytes] = []
    async with connected(serving) as socket:
        socket.attach(taken.append)
        await flooding.wait()
        await until(lambda: len(taken) > 100)
        socket.detach()
        before = len(taken)
        await asyncio.sleep(0.05)
        assert len(taken) == before
        async with asyncio.timeout(50.0):
            await socket.close()
        assert socket.close_code == 1000


async def test_a_message_over_the_bound_ends_the_connection_in_fragments_too() -> None:
    """The library's bound holds for what is put together here."""

    async def serving(socket: ServerConnection) -> None:
        await socket.send(["x" * 600, "y" * 600])
        await socket.wait_closed()

    taken: list[bytes] = []
    async with connected(serving, max_size=1000) as socket:
        socket.attach(taken.append)
        with pytest.raises(ConnectionClosedError) as caught:
            await socket.recv()
    assert taken == []
    assert caught.value.sent is not None
    assert caught.value.sent.code == 1009


def test_a_venue_that_never_pauses_leaves_the_loop_its_turns() -> None:
    """However much waits in the socket, others run in between: uvloop alone reads on for as long as there is more."""

    def serving(socket: SyncConnection) -> None:
        for _ in range(_FLOOD):
            socket.send("x" * 50_000)
        socket.recv()

    async def most_at_once(port: int) -> int:
        turn, turns = 0, Counter[int]()
        async with connect(f"ws://127.0.0.1:{port}", create_connection=FeedSocket, compression=None) as socket:
            cast("FeedSocket", socket).attach(lambda _message: turns.update([turn]))
            time.sleep(0.3)  # noqa: ASYNC251 -- the loop is away, and the kernel's buffers fill up
            async with asyncio.timeout(120.0):
                while turns.total() < _FLOOD:
                    await asyncio.sleep(0)
                    turn += 1
            await socket.send("that was all")
        return max(turns.values())

    with serve_in_thread(serving, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert uvloop.run(most_at_once(server.socket.getsockname()[1])) <= 12  # two reads; without a pause 164
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("tls", [False, True])
def test_a_socket_that_rests_is_woken_by_much_and_by_the_end(
    tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop], *, tls: bool
) -> None:
    """What is little waits, and comes in its order; no end of a connection is missed for a rest of an hour."""

    async def story() -> None:
        more, sent = asyncio.Semaphore(0), asyncio.Event()

        async def serving(socket: ServerConnection) -> None:
            for message in ("first", "little", "much" * 10_000):
                await more.acquire()
                await socket.send(message)
                sent.set()
            await more.acquire()
            socket.transport.abort()

        taken: list[bytes] = []
        async with connected(serving, authority=Authority(tmp_path) if tls else None) as socket:
            socket.attach(lambda message: taken.append(message[:6]), lambda: 3600.0)
            more.release()
            await until(lambda: taken == [b"first"])
            sent.clear()
            more.release()
            await sent.wait()
            await asyncio.sleep(0.1)
            assert taken == [b"first"]
            more.release()
            await until(lambda: len(taken) == 3)
            assert taken == [b"first", b"little", b"muchmu"]
            more.release()
            with pytest.raises(ConnectionClosedError):
                await socket.recv()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


async def test_after_its_rest_a_socket_reads_what_came() -> None:
    """However little it was."""

    async def serving(socket: ServerConnection) -> None:
        for number in range(100):
            await socket.send(str(number))
            await asyncio.sleep(0.001)
        await socket.wait_closed()

    taken: list[bytes] = []
    async with connected(serving) as socket:
        socket.attach(taken.append, lambda: 0.01)
        await until(lambda: len(taken) == 100)
    assert taken == [str(number).encode() for number in range(100)]


@pytest.mark.parametrize(
    ("system", "release", "asked"),
    [
        ("Linux", "6.1.0-28-amd64", True),
        ("Linux", "5.15.167.4-microsoft-standard-WSL2", True),
        ("Linux", "4.18.0-553.el8.x86_64", True),
        ("Linux", "4.9.0-19-amd64", False),
        ("Linux", "3.10.0-1160.el7.x86_64", False),
        ("Linux", "unheard of", False),
        ("Darwin", "24.1.0", False),
    ],
)
async def test_only_a_kernel_that_wakes_at_the_end_of_a_rest_is_asked_for_one(
    monkeypatch: pytest.MonkeyPatch, system: str, release: str, *, asked: bool
) -> None:
    """An older one would leave what has come where it is until more comes, however long that takes."""
    rests = await _rests_of(monkeypatch, system, release)
    assert bool(rests) is asked


async def test_a_kernel_that_refuses_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And every frame is read as it comes."""
    monkeypatch.setattr("kangbot.feed.socket.sockets.SO_RCVLOWAT", 12_345)  # an option that no kernel has
    assert await _rests_of(monkeypatch, "Linux", "6.1.0") == 1


async def _rests_of(monkeypatch: pytest.MonkeyPatch, system: str, release: str) -> int:
    """How often a rest was asked for while two messages came, each of which had to be read before the next was sent."""
    monkeypatch.setattr("kangbot.feed.socket.platform.system", lambda: system)
    monkeypatch.setattr("kangbot.feed.socket.platform.release", lambda: release)

    async def serving(socket: ServerConnection) -> None:
        for message in ("one", "two"):
            await socket.recv()
            await socket.send(message)
        await socket.wait_closed()

    asked = Counter[str]()

    def rest() -> float:
        asked["rest"] += 1
        return 0.01

    taken: list[bytes] = []
    async with connected(serving) as socket:
        socket.attach(taken.append, rest)
        for count in (1, 2):
            await socket.send("go on")
            await until(lambda count=count: len(taken) == count)  # type: ignore[misc]
    return asked["rest"]
