"""The live connection over a real websocket: snapshot, deltas, and a subscriber that does not keep up."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from kangbot.control import stream
from kangbot.control.stream import EVERY_S, Stream, concerns, difference, until_the_next_s
from kangbot.health.checks import Health, health_of
from kangbot.health.report import Report
from kangbot.model.ids import MarketId
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.settings.health import HealthSettings
from tests.support.control_desk import Served
from tests.support.pinging import ask_and_break_off, dialled, ping_and_break_off
from tests.support.reporting import a_market, a_report

from .conftest import got

Client = TestClient[web.Request, web.Application]


class Daemon:
    """A daemon whose report the test changes, and which counts how often it is asked."""

    def __init__(self) -> None:
        self.now = a_report()
        self.asked = 0
        self.fault: Exception | None = None
        self.over = False  # the session of whoever listens

    def report(self) -> Report:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        self.now = msgspec.structs.replace(self.now, at_ns=self.now.at_ns + 1)
        return self.now

    def judge(self, report: Report) -> Health:
        return health_of(report, HealthSettings().thresholds)

    def change(self, **fields: Any) -> None:
        """Have the next report say something else."""
        self.now = msgspec.structs.replace(self.now, **fields)


@pytest.fixture
def daemon() -> Daemon:
    """What is reported."""
    return Daemon()


@pytest.fixture
async def live(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Client, Stream]]:
    """A server with the stream alone, twenty times as quick as usual."""
    monkeypatch.setattr(stream, "EVERY_S", 0.025)
    one = Stream(daemon.report, daemon.judge, Clock())

    async def listen(request: web.Request) -> web.StreamResponse:
        return await one.listen(request, "read", lambda: not daemon.over)

    app = web.Application()
    app.router.add_get("/stream", listen)
    async with TestClient(TestServer(app)) as client:
        yield client, one
        await one.aclose()


async def said(socket: ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message."""
    message: dict[str, Any] = await socket.receive_json(timeout=60)
    return message


async def test_a_subscriber_gets_the_whole_and_then_what_changes(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """A field that stays is not sent again."""
    client, _ = live
    socket = await client.ws_connect("/stream")
    first = await said(socket)
    assert (first["type"], first["access"], first["report"]["frames"]) == ("snapshot", "read", daemon.now.frames)
    daemon.change(frames=777, markets=[a_market(net=Decimal("4E-10"))])
    delta = await said(socket)
    assert delta["type"] == "delta"
    assert delta["report"]["frames"] == 777
    assert set(delta["report"]) == {"frames", "at_ns", "markets"}
    assert delta["report"]["markets"][0]["net"] == "0.0000000004"
    await socket.close()


async def test_health_is_told_with_the_reasons_and_again_only_where_it_changes(
    daemon: Daemon, live: tuple[Client, Stream]
) -> None:
    """A score, and each check that is not well; a figure that moves in its fourth digit is no news."""
    client, _ = live
    daemon.change(disk_free_mb=100.04)
    socket = await client.ws_connect("/stream")
    health = (await said(socket))["health"]
    assert (health["status"], [check["name"] for check in health["checks"]]) == ("critical", ["disk"])
    assert (health["checks"][0]["figure"], health["checks"][0]["unit"]) == (100.0, "MB")
    daemon.change(disk_free_mb=100.01)
    assert "health" not in await said(socket)
    daemon.change(disk_free_mb=50_000.0)
    well = await said(socket)
    assert well["health"] == {"status": "healthy", "score": 100, "ready": "", "checks": []}
    await socket.close()


def test_a_check_without_a_figure_is_told_without_one() -> None:
    """What is stuck has no figure, and says which part it is."""
    (check,) = concerns(health_of(a_report(stuck="the journal"), HealthSettings().thresholds))["checks"]
    assert (check["name"], check["figure"], check["says"]) == ("vitals", None, "the journal")


async def test_nothing_is_sent_while_nothing_changes_and_nothing_asked_while_nobody_listens(
    daemon: Daemon, live: tuple[Client, Stream]
) -> None:
    """A dashboard that nobody looks at costs nothing."""
    client, one = live
    await asyncio.sleep(0.1)
    assert daemon.asked == 0
    socket = await client.ws_connect("/stream")
    await said(socket)
    with pytest.raises(asyncio.TimeoutError):
        await socket.receive(timeout=0.2)
    await socket.close()
    while one._telling:
        await asyncio.sleep(0.01)
    asked = daemon.asked
    await asyncio.sleep(0.2)
    assert daemon.asked == asked


async def test_what_changed_is_worked_out_once_for_all(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """Ten subscribers ask the daemon no more often than one."""
    client, _ = live
    sockets = [await client.ws_connect("/stream") for _ in range(10)]
    for socket in sockets:
        await said(socket)
    before = daemon.asked
    await asyncio.sleep(0.5)
    assert daemon.asked - before <= 25
    for socket in sockets:
        await socket.close()


async def test_a_newcomer_keeps_nothing_from_the_others(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """What changed just before somebody else came is told to whoever listened before."""
    client, _ = live
    early = await client.ws_connect("/stream")
    await said(early)
    daemon.change(frames=777)
    late = await client.ws_connect("/stream")
    shown = await said(late)
    assert (await said(early))["report"]["frames"] == 777
    if shown["report"]["frames"] != 777:  # its snapshot is up to half a second old, and the next delta makes up for it
        assert (await said(late))["report"]["frames"] == 777
    for socket in (early, late):
        await socket.close()


async def test_whoever_comes_as_the_last_one_goes_is_told_everything(
    daemon: Daemon, live: tuple[Client, Stream]
) -> None:
    """Its snapshot is what was told last, so what has changed since comes next."""
    client, _ = live
    early = await client.ws_connect("/stream")
    await said(early)
    await early.close()
    daemon.change(frames=777)
    late = await client.ws_connect("/stream")
    message = await said(late)
    if message["report"]["frames"] != 777:
        message = await said(late)
    assert message["report"]["frames"] == 777
    await late.close()


async def test_a_subscriber_that_does_not_read_is_dropped(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """The others go on."""
    client, one = live
    deaf, well = await client.ws_connect("/stream"), await client.ws_connect("/stream")
    transport = deaf._response.connection.transport  # type: ignore[union-attr]
    transport.pause_reading()  # type: ignore[union-attr]
    await said(well)
    for number in range(400):
        daemon.change(waiting=f"{number} " + "x" * 200_000)
        if one.dropped:
            break
        await said(well)
    assert one.dropped == 1
    daemon.change(frames=4242, waiting="")
    while (await said(well))["report"].get("frames") != 4242:
        pass
    await well.close()
    transport.resume_reading()  # type: ignore[union-attr]
    await deaf.close()


async def test_a_subscriber_whose_session_is_over_is_told_so_and_nothing_else(
    daemon: Daemon, live: tuple[Client, Stream]
) -> None:
    """Nothing that changed since is said to it."""
    client, _ = live
    socket = await client.ws_connect("/stream")
    await said(socket)
    daemon.over = True
    daemon.change(frames=777)
    message = await socket.receive(timeout=60)
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1008, "the session is over")


async def test_a_message_of_any_length_arrives_whole(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """The head of a frame has three forms; on both sides of where they meet."""
    client, _ = live
    socket = await client.ws_connect("/stream")
    await said(socket)
    nothing = len(msgspec.json.encode({"type": "delta", "report": {"version": "", "at_ns": daemon.now.at_ns}}))
    for length in (125, 126, 127, 65_535, 65_536, 200_000):
        daemon.change(version="x" * (length - nothing))
        message = await socket.receive(timeout=60)
        assert len(message.data) == length
        assert set(message.json()["report"]["version"]) == {"x"}
    await socket.close()


async def test_a_subscriber_that_has_gone_is_not_written_to(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """However it went, in order or not; whoever stays hears on, and in the end nobody is told anything."""
    client, one = live
    polite, rude, well = [await client.ws_connect("/stream") for _ in range(3)]
    for socket in (polite, rude, well):
        await said(socket)
    await polite.close()
    rude._response.connection.transport.abort()  # type: ignore[union-attr]
    daemon.change(frames=777)
    assert (await said(well))["report"]["frames"] == 777
    await well.close()
    while one._subscribers:
        await asyncio.sleep(0.01)
    assert one.dropped == 0


async def test_a_report_that_falls_lets_everybody_go(daemon: Daemon, live: tuple[Client, Stream]) -> None:
    """A page that was told nothing any more would show the last of it for ever; one that is let go dials again."""
    client, _ = live
    sockets = [await client.ws_connect("/stream") for _ in range(3)]
    for socket in sockets:
        await said(socket)
    daemon.fault = RuntimeError("a fault of ours")
    for socket in sockets:
        async with asyncio.timeout(120):
            while (await socket.receive()).type is WSMsgType.TEXT:
                pass
    daemon.fault = None
    again = await client.ws_connect("/stream")
    assert (await said(again))["type"] == "snapshot"
    daemon.change(frames=7)
    assert (await said(again))["type"] == "delta"


async def test_no_more_than_so_many_may_listen(live: tuple[Client, Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is told in an HTTP answer."""
    client, _ = live
    monkeypatch.setattr(stream, "MOST", 1)
    first = await client.ws_connect("/stream")
    await said(first)
    answer = await client.get("/stream")
    assert answer.status == 503
    await first.close()


async def test_the_end_of_the_daemon_closes_every_connection(live: tuple[Client, Stream]) -> None:
    """In order, so that a page knows to dial again."""
    client, one = live
    socket = await client.ws_connect("/stream")
    await said(socket)
    await asyncio.wait_for(one.aclose(), 60)
    message = await socket.receive(timeout=60)
    assert message.type.name in {"CLOSE", "CLOSED", "CLOSING"}


def test_a_difference_names_markets_that_changed_and_those_that_left() -> None:
    """With the fields that differ, and their name; one that joined with all of them."""
    stays, moves, leaves, joins = (a_market(market=MarketId(name)) for name in ("s", "m", "l", "j"))
    before = a_report(stays, moves, leaves, frames=1)
    moved = msgspec.structs.replace(moves, price=Decimal("2.5"), troubles={"silent": 1})
    after = msgspec.structs.replace(before, frames=2, markets=[a_market(market=MarketId("s")), moved, joins])
    assert difference(before, after) == {
        "frames": 2,
        "markets": [
            {"market": "m", "price": Decimal("2.5"), "troubles": {"silent": 1}},
            msgspec.structs.asdict(joins),
        ],
        "gone": ["l"],
    }
    assert difference(after, after) == {}


@given(st.integers(0, 10**19))
def test_it_is_told_a_quarter_after_each_half_second(now_ns: int) -> None:
    """Clear of the moment at which bars close, and never twice for one."""
    wait_s = until_the_next_s(now_ns)
    assert EVERY_S / 4 <= wait_s <= EVERY_S * 5 / 4
    at_ns = now_ns + round(wait_s * SECOND_NS)
    assert (at_ns - SECOND_NS // 4) % (SECOND_NS // 2) in (0, 1, SECOND_NS // 2 - 1)


async def test_a_subscriber_that_breaks_off_with_its_ping_is_no_fault(
    live: tuple[Client, Stream], caplog: pytest.LogCaptureFixture
) -> None:
    """What pinged is gone before it is answered, as after a `kill -9`."""
    client, one = live
    writer = await dialled("127.0.0.1", client.port or 0, "/stream")
    while not one._subscribers:
        await asyncio.sleep(0)
    ping_and_break_off(writer)
    while one._subscribers:
        await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_subscriber_that_breaks_off_with_its_handshake_is_no_fault(
    live: tuple[Client, Stream], caplog: pytest.LogCaptureFixture
) -> None:
    """It is gone before it is answered; whoever comes next is served."""
    client, one = live
    for _ in range(20):
        await ask_and_break_off("127.0.0.1", client.port or 0, "/stream")
    socket = await client.ws_connect("/stream")
    assert (await said(socket))["type"] == "snapshot"
    await socket.close()
    while one._subscribers:
        await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_live_connection_needs_a_token_and_begins_with_a_snapshot(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """A plain request to its address is told what it is."""
    async with client.ws_connect("/stream") as socket:
        said = await socket.receive_json()
        assert (said["type"], said["access"], said["report"]["total"]) == ("snapshot", "control", 1)
    assert "error" in await got(client, "/stream", 400)
    async with aiohttp.ClientSession(served.url) as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await stranger.ws_connect("/stream")


async def test_whoever_logs_out_is_told_nothing_more(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a connection that was open already."""
    monkeypatch.setattr(stream, "EVERY_S", 0.025)
    jar = aiohttp.CookieJar(unsafe=True)  # which means: for an address, too
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as browser:
        await browser.post("/login", json={"token": served.read})
        async with browser.ws_connect("/stream") as socket:
            assert (await said(socket))["access"] == "read"
            await browser.post("/logout", json={})
            served.desk.now = msgspec.structs.replace(served.desk.now, frames=777)
            message = await socket.receive(timeout=60)
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
