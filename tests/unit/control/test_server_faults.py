"""What goes wrong at the control socket: faults of ours, requests that are none, sockets that are taken."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kangbot.control.beginning import MANY, Beginning
from kangbot.control.client import ControlClient
from kangbot.control.server import ControlServer
from kangbot.errors import NeedsHuman, Refused
from kangbot.health.checks import Health
from kangbot.health.report import LatencyReport, Reloaded, Report
from kangbot.market.drawdown import Recount
from kangbot.market.killswitch import Standing
from kangbot.market.roster import Command, Place
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.ports import Page, Row
from kangbot.runtime.disk import room
from kangbot.runtime.world import Clock
from tests.support.full_disk import mounted


class Faulty:
    """A daemon that falls over whatever it is asked, and is stopping."""

    def report(self) -> Report:
        raise ZeroDivisionError("a mean of nothing")

    def names(self) -> Collection[MarketId]:
        return (MarketId("v:A"),)

    def lately(self) -> Report:
        return self.report()

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        raise Refused("the daemon is stopping")

    async def page(self, page: Page) -> Sequence[Row]:
        raise ZeroDivisionError

    def reset_breaker(self, market: MarketId, lane: Lane | None, caller: str) -> None:
        raise ZeroDivisionError

    def isolate(self, market: MarketId, lane: Lane, caller: str) -> None:
        raise ZeroDivisionError

    def force_retry(self, market: MarketId, caller: str) -> None:
        raise ZeroDivisionError

    def stuck(self) -> str:
        raise ZeroDivisionError

    def metrics(self) -> str:
        raise ZeroDivisionError

    def health(self) -> Health:
        raise ZeroDivisionError

    def latency(self, market: MarketId) -> LatencyReport:
        raise ZeroDivisionError

    def judge(self, report: Report) -> Health:
        raise ZeroDivisionError

    def unready(self) -> str:
        raise ZeroDivisionError

    def config(self) -> Mapping[str, object]:
        raise ZeroDivisionError

    async def reload_config(self, caller: str) -> Reloaded:
        raise Refused(f"{caller} asks too early")

    def told(self, what: str, caller: str) -> None:
        raise ZeroDivisionError

    def command_all(self, command: Command, caller: str) -> None:
        raise Refused("the daemon is stopping")

    async def kept(self) -> None:
        """Nothing is on its way to a disk."""

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        raise ZeroDivisionError

    async def release(self, caller: str) -> Standing:
        raise ZeroDivisionError

    def reset_drawdown(self, caller: str) -> Recount:
        raise Refused(f"{caller} asks too early")

    async def release_market(self, market: MarketId, caller: str) -> None:
        raise ZeroDivisionError


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """A socket that is served."""
    server = ControlServer(Faulty(), tmp_path / "control.sock", clock=Clock())
    await server.start()
    yield tmp_path / "control.sock"
    await server.aclose()


async def apart(call: Any, *arguments: Any) -> Any:
    """Call the client, which blocks, beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)


async def answer(path: Path, request: bytes) -> tuple[int, bytes]:
    """Send a raw request and return status and body."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(request)
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def test_a_fault_of_ours_is_words_for_the_caller_and_one_event_in_the_log(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback over the socket; a dashboard that asks again and again does not fill the disk."""
    for _ in range(3):
        with pytest.raises(
            ValueError, match=r"a fault in the daemon, see its log: ZeroDivisionError: a mean of nothing"
        ):
            await apart(ControlClient(path).report)
    assert capsys.readouterr().out.count("control.fault") == 1


async def test_no_secret_is_told_with_a_fault(tmp_path: Path) -> None:
    """Whatever its words hold: they are masked as those of the log are."""
    path = tmp_path / "control.sock"
    server = ControlServer(Faulty(), path, clock=Clock(), mask=lambda text: text.replace("a mean of nothing", "***"))
    await server.start()
    with pytest.raises(ValueError, match=r"see its log: ZeroDivisionError: \*\*\*$"):
        await apart(ControlClient(path).report)
    await server.aclose()


async def test_a_command_that_comes_too_late_is_refused_in_words(path: Path) -> None:
    """As any refusal of ours."""
    with pytest.raises(ValueError, match="the daemon is stopping"):
        await apart(ControlClient(path).tell, "/start-all")


async def test_whatever_is_asked_the_answer_is_json(path: Path) -> None:
    """An unknown address, a wrong method, a body that is too large, a wish that nobody knows."""
    for request, status in (
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /kill HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"POST /kill HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999, 413),
        (b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: nonsense\r\n\r\n", 417),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: nonsense\r\n\r\n", 417),
    ):
        said, body = await answer(path, request)
        assert said == status
        assert json.loads(body)["error"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", "Got more than 8190 bytes when reading"),
        (b"POST /kill HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "Invalid character in Content-Length"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no HTTP request"),
        (b"\x16\x03\x01\x00\xc2\x01\x00\x00\xbe\x03\x03", "Received HTTPS traffic on an HTTP port"),
        (
            b"POST /kill HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
            "cannot be unpacked",
        ),
    ],
)
async def test_what_is_no_request_is_answered_in_words_and_fills_no_log(
    path: Path, request_: bytes, words: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It is no fault of ours, whoever sends it needs no token, and the log is for who looks after the daemon."""
    status, body = await answer(path, request_)
    assert status == 400
    assert words in json.loads(body)["error"]
    assert "aaaa" not in body.decode()
    assert "control.fault" not in capsys.readouterr().out
    assert "aiohttp.server" not in [record.name for record in caplog.records]


async def test_whoever_goes_before_the_end_of_a_body_is_no_fault_of_ours(
    path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A phone that loses its network, a script that is stopped."""
    for _ in range(3):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"POST /kill HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        await answer(path, b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")  # it was taken up
        writer.close()
        assert await reader.read() == b""
    await answer(path, b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert "control.fault" not in capsys.readouterr().out
    assert "aiohttp.server" not in [record.name for record in caplog.records]


async def test_a_market_with_a_strange_name_is_only_unknown(path: Path) -> None:
    """Spaces and signs are escaped on the way; the daemon answers for itself."""
    with pytest.raises(ValueError, match="no market 'no such/märket"):
        await apart(ControlClient(path).tell, f"/markets/{quote('no such/märket?' + chr(10), safe=':')}/stop")
    with pytest.raises(ValueError, match="the daemon is stopping"):
        await apart(ControlClient(path).tell, "/markets/a/stop")


async def test_a_socket_that_another_daemon_serves_is_left_to_it(path: Path) -> None:
    """Two state folders, one socket by mistake: the second one is refused, and the first still answers."""
    second = ControlServer(Faulty(), path, clock=Clock())
    with pytest.raises(NeedsHuman, match="another daemon answers"):
        await second.start()
    await second.aclose()
    with pytest.raises(ValueError, match="the daemon is stopping"):
        await apart(ControlClient(path).tell, "/start-all")


async def test_a_socket_of_a_killed_daemon_is_replaced(tmp_path: Path) -> None:
    """Nobody answers on it."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    server = ControlServer(Faulty(), tmp_path / "control.sock", clock=Clock())
    await server.start()
    await server.aclose()
    assert not (tmp_path / "control.sock").exists()


async def test_a_file_where_the_socket_is_to_be_is_left_alone(tmp_path: Path) -> None:
    """Whoever names the wrong file with [control] socket has it still."""
    file = tmp_path / "control.sock"
    file.write_text("somebody's")
    server = ControlServer(Faulty(), file, clock=Clock())
    with pytest.raises(NeedsHuman, match=r"cannot be made: .* in use") as caught:
        await server.start()
    assert caught.value.remedy.startswith("move away what lies there, or name one ")
    await server.aclose()
    async with Beginning(file, first=0, last=2 * MANY):
        assert file.read_text() == "somebody's"
    assert file.read_text() == "somebody's"


async def test_a_socket_that_cannot_be_made_calls_a_person(tmp_path: Path) -> None:
    """Its folder does not exist."""
    server = ControlServer(Faulty(), tmp_path / "nowhere" / "control.sock", clock=Clock())
    with pytest.raises(NeedsHuman, match="cannot be made: No such file"):
        await server.start()
    await server.aclose()


async def test_a_socket_for_which_a_disk_has_no_room_or_no_file_says_which(tmp_path: Path) -> None:
    """There are megabytes left, and as many files as it can have; the system's words are the same for both."""
    with mounted(tmp_path / "small", megabytes=4, files=10) as small:
        for number in range(room(small).files or 0):
            (small / str(number)).touch()
        server = ControlServer(Faulty(), small / "control.sock", clock=Clock())
        with pytest.raises(NeedsHuman, match="cannot be made: No space left on device, for no file can be") as caught:
            await server.start()
        assert "df -i" in caught.value.remedy
        (small / "0").unlink()
        await server.aclose()
        server = ControlServer(Faulty(), small / "control.sock", clock=Clock())
        await server.start()
        await server.aclose()
