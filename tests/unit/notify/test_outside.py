"""The process that sends: a real child, real Apprise, a real HTTP server on loopback."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kangbot.errors import NeedsHuman, Retryable
from kangbot.model.events import Severity
from kangbot.notify.outside import Outside, _environment, each
from kangbot.runtime import installation
from tests.support.certificates import Authority


def outside(addresses: str, *, timeout_s: float = 60.0) -> Outside:
    """Return a sender that waits for nobody's turn."""
    return Outside(addresses, turn=asyncio.Lock(), timeout_s=timeout_s)


def test_the_child_has_nothing_of_ours_but_whom_we_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and passwords may stand in our variables, and it is a library's process; that one asks another variable."""
    monkeypatch.setenv("KANGBOT_VENUES__BYBIT__SECRET", "hunter2")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ours.pem")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    given = _environment()
    assert "hunter2" not in given.values()
    assert given["PATH"]
    assert given["REQUESTS_CA_BUNDLE"] == "/etc/ours.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/theirs.pem")
    assert _environment()["REQUESTS_CA_BUNDLE"] == "/etc/theirs.pem"


class Service:
    """Takes messages as Apprise's `json://` sends them."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.hangs = False
        self.address = ""

    async def take(self, request: web.Request) -> web.Response:
        if self.hangs:
            await asyncio.sleep(60)
        self.got.append(json.loads(await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"} if self.status < 400 else None)

    async def look(self, _: web.Request) -> web.Response:
        return web.Response(text="what a browser is shown")


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service that listens."""
    one = Service()
    app = web.Application()
    app.router.add_post("/{tail:.*}", one.take)
    app.router.add_get("/{tail:.*}", one.look)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    one.address = f"json://127.0.0.1:{port}/a-token"
    yield one
    await runner.cleanup()


async def test_a_message_arrives_as_it_was_written(service: Service) -> None:
    """Title, text, and how loud it is."""
    await outside(service.address).send("a title", "two\nlines ✓", Severity.CRITICAL)
    (got,) = service.got
    assert (got["title"], got["message"], got["type"]) == ("a title", "two\nlines ✓", "failure")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "it answers 401, so the token or the address is wrong"),
        (404, "it answers 404, so the token or the address is wrong"),
        (429, "it wants fewer messages (429)"),
        (302, "it redirects (302), so use the address that it leads to"),
        (502, "it has a fault of its own (502)"),
        (400, "it refuses it (400), so look at the chat, the room or the receiver in its address"),
    ],
)
async def test_a_service_that_refuses_may_be_tried_again(service: Service, status: int, why: str) -> None:
    """It is said which it is and why; the address, with its token, is in no word about it."""
    service.status = status
    with pytest.raises(Retryable) as caught:
        await outside(service.address).send("t", "b", Severity.INFO)
    assert str(caught.value) == f"the service json:// did not take the message: {why}"


async def test_a_service_that_is_not_there_may_be_tried_again(unused_tcp_port: int) -> None:
    """So it is said, and no address."""
    with pytest.raises(Retryable) as caught:
        await outside(f"json://127.0.0.1:{unused_tcp_port}/a-token").send("t", "b", Severity.INFO)
    assert str(caught.value) == "the service json:// did not take the message: it was not reached"


async def test_of_several_services_none_is_named(service: Service) -> None:
    """What a daemon says last goes to all of them by one child, which cannot tell which of them it was."""
    service.status = 500
    with pytest.raises(Retryable, match=r"^a service did not take the message: it has a fault of its own \(500\)$"):
        await outside(f"{service.address} {service.address}").send("t", "b", Severity.INFO)


async def test_a_child_that_falls_blames_no_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a machine without memory: the service was not even asked."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Retryable, match=r"^the message could not be sent: its process ended with code 1$"):
        await outside(service.address).send("t", "b", Severity.INFO)


async def test_a_child_that_cannot_be_started_is_told_as_that(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what the system says; and where our own files are others by now, with that and what to do."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(Retryable, match=r"no process could be started for it: .*No such file or directory: .*python'$"):
        await outside(service.address).send("t", "b", Severity.INFO)
    monkeypatch.setattr(installation, "_began", {str(tmp_path / "kangbot.py"): (1, 1)})
    with pytest.raises(Retryable, match=rf"^the message could not be sent: {installation.REPLACED}$"):
        await outside(service.address).send("t", "b", Severity.INFO)


async def test_a_library_that_is_missing_may_be_there_at_the_next_try(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As while it is upgraded: what was to be told then is not lost."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['apprise'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Retryable, match=r"^Apprise is not installed: pip install 'kangbot\[notify\]'$"):
        await outside("json://localhost").send("t", "b", Severity.INFO)


@pytest.mark.parametrize("status", [301, 302, 303, 307])
async def test_a_service_that_has_moved_took_nothing(service: Service, status: int) -> None:
    """Whoever follows it asks by GET, without the text, and is told that all is well."""
    service.status = status
    with pytest.raises(Retryable):
        await outside(service.address).send("t", "b", Severity.INFO)
    assert len(service.got) == 1


async def test_a_service_that_hangs_is_left_behind(service: Service) -> None:
    """The child is killed when its time is over."""
    service.hangs = True
    with pytest.raises(Retryable, match="did not answer within 4 s"):
        await outside(service.address, timeout_s=4.0).send("t", "b", Severity.INFO)


async def test_an_address_that_nothing_knows_calls_a_human() -> None:
    """Said once; trying again changes nothing."""
    with pytest.raises(NeedsHuman, match="no address"):
        await outside("nonsense").send("t", "b", Severity.INFO)


async def test_an_address_that_nothing_knows_keeps_no_message_from_the_others(service: Service) -> None:
    """What a daemon says last goes to all of them by one child."""
    await outside(f"nosuch://token {service.address}").send("t", "b", Severity.INFO)
    assert len(service.got) == 1


def test_addresses_are_told_apart_where_apprise_does() -> None:
    """By spaces or commas before another address; a space within one belongs to it."""
    assert each(" tgram://a/b json://c?name=my bot,mailto://d@e\n") == [
        "tgram://a/b",
        "json://c?name=my bot",
        "mailto://d@e",
    ]
    assert each("nonsense") == ["nonsense"]


async def test_a_service_is_trusted_by_the_authorities_that_all_the_rest_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library of the child has a list of its own, and reads another variable than SSL_CERT_FILE."""
    authority, taken = Authority(tmp_path), asyncio.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("service"))

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        taken.set()

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=context) as server:
        address = f"jsons://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nobody.pem"))
        with pytest.raises(Retryable):
            await outside(address).send("t", "b", Severity.INFO)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
        await outside(address).send("t", "b", Severity.INFO)
    assert taken.is_set()
