"""A stranger at the door of a real daemon: no way in, no fault, and no secret in whatever it says or writes."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kangbot.cli.demo.processes import DemoFailedError
from tests.support.ports import own_port
from tests.support.processes import World

pytestmark = pytest.mark.process

CANARY = "canary-1f9c0e7b"
OPEN = ("/live", "/ready", "/login", "/logout")
HOSTILE = (
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"\xff\xfe\x00",
    b'{"reason": NaN}',
    b'{"reason": 1e999999}',
    b'{"reason": "\\ud800"}',
    b'{"reason": {"$ref": "x"}}',
    b'{"__class__": "os.system", "reason": "id"}',
    b"null",
    b"[]",
    b'"' + b"A" * 60_000 + b'"',
)
TRAVERSALS = (
    "/static/../../state/control.token",
    "/static/..%2f..%2f..%2fstate%2fcontrol.token",
    "/static/%2e%2e/%2e%2e/control.token",
    "/static//etc/passwd",
    "/static/%00",
    "/markets/..%2f..%2fconfig",
    "//etc/passwd",
)
GARBAGE = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /report HTTP/1.0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /report HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    b"POST /kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /kill HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"GET /" + b"A" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"B" * 100_000 + b"\r\n\r\n",
)


class Stranger:
    """Asks one daemon over TCP and keeps whatever it is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[bytes] = []
        self.statuses: dict[int, int] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        """Send a request and return the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            with contextlib.suppress(OSError):  # it may have heard enough
                connection.send(body or b"")
            answer = connection.getresponse()
            self.heard += [answer.read(), str(answer.getheaders()).encode()]
        finally:
            connection.close()
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        return answer.status

    def mumble(self, said: bytes) -> bytes:
        """Send what is hardly a request and return what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            heard = b""
            with contextlib.suppress(OSError):
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65_536):
                    heard += part
        self.heard.append(heard)
        return heard


@pytest.fixture
def guarded(world: World) -> Iterator[World]:
    """A daemon with a TCP door, whose database, chat and messages are away, and secrets that can be recognised."""
    world.environment |= {
        "KANGBOT_CONTROL__PORT": str(own_port()),
        "KANGBOT_DATABASE__URL": f"mysql://trader:{CANARY}-database@127.0.0.1:9/kangbot",
        "KANGBOT_TELEGRAM__TOKEN": f"1:{CANARY}-bot",
        "KANGBOT_TELEGRAM__API_URL": "http://127.0.0.1:9",
        "KANGBOT_NOTIFY__ADDRESSES": f"json://trader:{CANARY}-notify@127.0.0.1:9/",
        "KANGBOT_LOGS__LEVEL": "debug",
        "KANGBOT_LOGS__FORMAT": "json",
    }
    world.start()
    world.live()
    yield world
    world.stop()


def bearer(world: World, name: str) -> dict[str, str]:
    """Return the header with one of the daemon's tokens."""
    return {"Authorization": f"Bearer {(world.state / name).read_text().strip()}"}


def operations(stranger: Stranger, header: dict[str, str]) -> list[tuple[str, str]]:
    """Return every method and address of the API, out of its own document."""
    assert stranger.ask("GET", "/openapi.json", None, **header) == 200
    document: dict[str, Any] = json.loads(stranger.heard[-2])
    return [
        (method.upper(), path.replace("{market}", "bybit:BTC-USDT:USDT"))
        for path, methods in document["paths"].items()
        for method in methods
    ]


def leaks(heard: bytes, world: World) -> list[str]:
    """Return which secrets are in what was said or written."""
    tokens = [(world.state / name).read_text().strip() for name in ("control.token", "read.token")]
    return [secret for secret in (CANARY, *tokens) if secret.encode() in heard]


def written(world: World) -> bytes:
    """Return all that the daemon has written: its log, and its files but the tokens' own."""
    files = [path for path in world.state.rglob("*") if path.is_file() and path.suffix != ".token"]
    return b"".join(path.read_bytes() for path in (world.folder / "daemon.log", *files))


def test_a_stranger_gets_nothing_and_breaks_nothing(guarded: World) -> None:
    """Every address without token, with the wrong one, under foreign names; hostile bodies; paths; noise."""
    stranger = Stranger(int(guarded.environment["KANGBOT_CONTROL__PORT"]))
    read, control = bearer(guarded, "read.token"), bearer(guarded, "control.token")
    every = operations(stranger, read)
    assert len(every) > 25
    as_json = {"Content_Type": "application/json"}
    body = {"GET": None, "POST": b"{}"}
    for method, path in every:
        if path not in OPEN:
            assert stranger.ask(method, path, body[method], **as_json) == 401, path
            assert stranger.ask(method, path, body[method], **as_json, Authorization="Basic a2FuZ2JvdDo=") == 401
        assert stranger.ask(method, path, body[method], **control, **as_json, Host="evil.example") == 403
        assert stranger.ask(method, path, body[method], **control, **as_json, Origin="https://evil.example") == 403
        if method == "POST":
            if path not in OPEN:
                assert stranger.ask(method, path, b"{}", **read, **as_json) == 403, path
            assert stranger.ask(method, path, b"{" + b" " * 70_000 + b"}", **control, **as_json) == 413, path
            assert stranger.ask(method, path, b"{}", **control, Content_Type="text/plain") == 415, path
            for hostile in HOSTILE:
                assert stranger.ask(method, path, hostile, **control, **as_json) == 400, (path, hostile[:30])
        elif path not in OPEN:
            stranger.ask("GET", f"{path}?{CANARY[:6]}=1&limit=-1", None, **read)
            assert stranger.ask("GET", path, None, **read) in (200, 400, 503), (
                path
            )  # 400: /stream; 503: the history is away
    for path in TRAVERSALS:
        assert stranger.ask("GET", path, None, **read) in (400, 404), path
    for noise in GARBAGE:
        assert b" 200 " not in stranger.mumble(noise).partition(b"\r\n")[0]
    _nothing_was_obeyed(guarded)
    wrong = [stranger.ask("GET", "/report", Authorization=f"Bearer guess-{number}") for number in range(15)]
    assert wrong == [401] * 10 + [429] * 5
    assert stranger.ask("GET", "/report", None, **control) == 429
    assert set(stranger.statuses) <= {200, 400, 401, 403, 404, 413, 415, 429, 503}, stranger.statuses
    assert leaks(b"".join(stranger.heard), guarded) == []
    guarded.client.kill("something to tell people of", flatten=False)
    for event in (b"history.away", b"telegram.away", b"notify.away"):  # else the canary had no reason to be there
        _until_logged(guarded, event)
    assert b"control.fault" not in (guarded.folder / "daemon.log").read_bytes()
    assert leaks(written(guarded), guarded) == []


def _until_logged(world: World, event: bytes) -> None:
    deadline = time.monotonic() + 120  # a message is collected for a while, then a process of its own sends it
    while event not in (world.folder / "daemon.log").read_bytes():
        assert time.monotonic() < deadline, event
        time.sleep(0.2)


def _nothing_was_obeyed(world: World) -> None:
    report = world.client.report()
    assert report.killed == ""
    assert {market.desired for market in report.markets} == {"running"}


def test_a_command_over_tcp_is_obeyed_and_in_the_journal_with_its_caller(guarded: World) -> None:
    """The same daemon, the same routes as over its socket."""
    stranger = Stranger(int(guarded.environment["KANGBOT_CONTROL__PORT"]))
    control, as_json = bearer(guarded, "control.token"), {"Content_Type": "application/json"}
    assert stranger.ask("POST", "/markets/bybit:ETH-USDT:USDT/pause", b"{}", **control, **as_json) == 200
    guarded.until(lambda report: "paused" in [m.state for m in report.markets])
    deadline = time.monotonic() + 120
    while b"pause bybit:ETH-USDT:USDT, by control token from 127.0.0.1" not in written(guarded):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_key_that_is_refused_is_in_no_word_of_the_log(world: World) -> None:
    """Key and secret of the exchange, whatever it answers to them."""
    world.environment |= {
        "KANGBOT_VENUES__BYBIT__KEY": f"{CANARY}-key",
        "KANGBOT_VENUES__BYBIT__SECRET": f"{CANARY}-secret",
        "KANGBOT_LOGS__LEVEL": "debug",
        "KANGBOT_LOGS__FORMAT": "json",
    }
    with contextlib.suppress(DemoFailedError):  # it may answer for a moment
        world.start()
    deadline = time.monotonic() + 120
    while world.daemon.ended is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert world.daemon.ended == 78
    everything = b"".join(path.read_bytes() for path in _files(world.folder) if path.suffix != ".token")
    assert CANARY.encode() not in everything


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
