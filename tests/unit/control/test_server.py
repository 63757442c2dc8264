"""The control socket: a real server on a real Unix socket, asked by the client that the command line uses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from kangbot.control import server as server_of
from kangbot.control.client import ControlClient
from kangbot.control.server import ControlServer
from kangbot.market.roster import Command
from kangbot.runtime.world import Clock
from tests.support.control_desk import RECOUNT, Desk


@pytest.fixture
def desk() -> Desk:
    """The daemon behind the socket."""
    return Desk()


@pytest.fixture
async def path(desk: Desk, tmp_path: Path) -> AsyncIterator[Path]:
    """A socket that is served."""
    server = ControlServer(desk, tmp_path / "control.sock", clock=Clock())
    await server.start()
    yield tmp_path / "control.sock"
    await server.aclose()


async def call(path: Path, text: str) -> str:
    """Send a raw request and return the answer."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(text.encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def posted(where: str, body: str = "") -> str:
    """Return a request as `curl --unix-socket` would send it."""
    return f"POST {where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"


async def test_the_kill_switch_is_a_call(desk: Desk, path: Path) -> None:
    """With its reason and its wish to flatten; an empty body is enough; the answer is how it stands."""
    client = ControlClient(path)
    standing = await asyncio.get_running_loop().run_in_executor(None, lambda: client.kill("news", flatten=True))
    assert standing == {"killed": "news", "flatten": True, "kept": ["file"]}
    assert "200 OK" in await call(path, posted("/kill"))
    released = await asyncio.get_running_loop().run_in_executor(None, client.release)
    assert released["killed"] == ""
    assert desk.obeyed == [
        ("kill", "news", True, "control socket"),
        ("kill", "", False, "control socket"),
        ("release", "control socket"),
    ]


async def test_the_drawdown_is_reset_by_a_call_that_says_from_what_to_what(desk: Desk, path: Path) -> None:
    """Amounts as the exchange writes them; who did it is in the journal, and that there was nothing to reset too."""
    client, loop = ControlClient(path), asyncio.get_running_loop()
    said = await loop.run_in_executor(None, client.tell, "/drawdown/reset")
    assert said == {
        "reset": True,
        "currency": "USDT",
        "equity": "874.5",
        "highest": "1000",
        "drawdown_percent": "12.55",
        "held": [],
    }
    desk.recount = structs.replace(RECOUNT, reset=False)
    await loop.run_in_executor(None, client.tell, "/drawdown/reset")
    assert desk.obeyed == 2 * [("reset drawdown", "control socket")]
    assert desk.journal == [
        ("drawdown/reset: reset", "control socket"),
        ("drawdown/reset: nothing to reset", "control socket"),
    ]


async def test_a_body_that_is_not_understood_sets_nothing(desk: Desk, path: Path) -> None:
    """A misspelt key must not be a kill that does less than was meant."""
    answer = await call(path, posted("/kill", '{"flaten": true}'))
    assert "400 Bad Request" in answer
    assert "flaten" in answer
    assert desk.obeyed == []


async def test_what_needs_a_person_is_said_in_words(desk: Desk, path: Path) -> None:
    """With the remedy."""
    desk.disk_full = True
    client = ControlClient(path)
    with pytest.raises(ValueError, match="no disk took it; make room"):
        await asyncio.get_running_loop().run_in_executor(None, lambda: client.kill("x", flatten=False))


async def test_a_markets_quarantine_is_lifted_by_its_name(desk: Desk, path: Path) -> None:
    """That of another market is not."""
    client, loop = ControlClient(path), asyncio.get_running_loop()
    await loop.run_in_executor(None, client.release_market, "v:A")
    with pytest.raises(ValueError, match="no market 'v:B'"):
        await loop.run_in_executor(None, client.release_market, "v:B")
    assert desk.obeyed == [("release", "v:A", "control socket")]


async def test_markets_are_commanded_one_by_one_and_together(desk: Desk, path: Path) -> None:
    """An unknown market and an unknown command are told so; what was obeyed is in the journal."""
    client, loop = ControlClient(path), asyncio.get_running_loop()
    place = await loop.run_in_executor(None, client.tell, "/markets/v:A/pause")
    assert place["state"] == "stopped"
    await loop.run_in_executor(None, client.tell, "/stop-all")
    for market, command, words in (("v:B", "stop", "no market 'v:B'"), ("v:A", "dance", "nothing is at this address")):
        with pytest.raises(ValueError, match=words):
            await loop.run_in_executor(None, client.tell, f"/markets/{market}/{command}")
    assert desk.obeyed == [("v:A", Command.PAUSE, "control socket"), (Command.STOP, "control socket")]
    assert desk.journal == [("pause v:A", "control socket"), ("stop-all", "control socket")]


def test_only_the_owner_may_open_the_socket(path: Path) -> None:
    """Whoever may open it commands the daemon."""
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.fixture
async def watched(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """A socket that is served and looked after, often, in a folder of its own."""
    monkeypatch.setattr(server_of, "_LOOK_S", 0.01)
    (tmp_path / "state").mkdir()
    server = ControlServer(desk, tmp_path / "state" / "control.sock", clock=Clock())
    await server.start()
    looking = asyncio.ensure_future(server.run())
    yield tmp_path / "state" / "control.sock"
    await server.aclose()
    await asyncio.sleep(0.05)
    assert not looking.done()
    looking.cancel()


@pytest.mark.parametrize("whole_folder", [False, True])
async def test_a_socket_that_was_removed_is_made_anew(watched: Path, *, whole_folder: bool) -> None:
    """Also where its folder was away for a while: else no command would reach the daemon any more."""
    watched.unlink()
    if whole_folder:
        watched.parent.rmdir()
        await asyncio.sleep(0.05)
        watched.parent.mkdir()
    while not watched.exists() or watched.stat().st_mode & 0o777 != 0o600:
        await asyncio.sleep(0.01)
    assert "200 OK" in await call(watched, posted("/kill"))


async def test_a_folder_that_takes_no_socket_is_asked_again(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only meanwhile."""
    refused: list[Path] = []

    async def refuse(_: ControlServer) -> None:
        refused.append(watched)
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(ControlServer, "_make", refuse)
        watched.unlink()
        while len(refused) < 2:
            await asyncio.sleep(0.01)
    while not watched.exists():
        await asyncio.sleep(0.01)


async def test_the_socket_of_a_daemon_that_came_after_is_left_alone(desk: Desk, path: Path) -> None:
    """It has made its own in our place: ours does not come back there, and ends without removing it."""
    older = ControlServer(desk, path, clock=Clock())
    path.unlink()
    await older.start()
    path.unlink()
    newer = ControlServer(desk, path, clock=Clock())
    await newer.start()
    await older.aclose()
    assert "200 OK" in await call(path, posted("/kill"))
    await newer.aclose()
    assert not path.exists()
