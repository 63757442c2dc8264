"""Who may come in over TCP: a real server on loopback, asked as a script, a browser and a stranger would."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from kangbot.control.server import ControlServer, Listen
from kangbot.runtime.world import Clock
from tests.support.control_desk import Desk, Served, serving
from tests.support.ports import own_port


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server over both doors, known as bot.example too."""
    async with serving(tmp_path, names=("bot.example",)) as it:
        yield it


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies as a browser does."""
    jar = aiohttp.CookieJar(unsafe=True)  # which means: for an address, too
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as session:
        yield session


def bearer(token: str) -> dict[str, str]:
    """Return the header of a script."""
    return {"Authorization": f"Bearer {token}"}


async def test_a_word_is_for_everybody_and_the_rest_for_a_token(served: Served, client: aiohttp.ClientSession) -> None:
    """Read looks, control acts, and nothing else opens anything."""
    for path, token, status in (
        ("/live", "", 200),
        ("/ready", "", 200),
        ("/report", "", 401),
        ("/openapi.json", "", 401),
        ("/report", "wrong", 401),
        ("/report", served.read, 200),
        ("/report", served.control, 200),
    ):
        async with client.get(path, headers=bearer(token) if token else {}) as answer:
            assert answer.status == status, path
            assert "application/json" in answer.headers["Content-Type"]
    async with client.post("/kill", headers=bearer(served.read)) as answer:
        assert answer.status == 403
        assert served.desk.obeyed == []
    async with client.post("/kill", headers=bearer(served.control)) as answer:
        assert answer.status == 200
    assert served.desk.obeyed == [("kill", "", False, "control token from 127.0.0.1")]


async def test_a_daemon_that_is_not_ready_says_only_that(served: Served, client: aiohttp.ClientSession) -> None:
    """Why is for those with a token."""
    served.desk.waits = "the venue does not answer"
    async with client.get("/ready") as answer:
        assert (answer.status, await answer.json()) == (503, {"ready": False})


async def test_a_name_that_points_here_is_not_enough(served: Served, client: aiohttp.ClientSession) -> None:
    """A page of the web that has its own name resolve to us (DNS rebinding) is refused, token or not."""
    for host, status in (
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
        ("bot.example:443", 200),
        ("BOT.example", 200),
        ("localhost:1", 200),
        ("[::1]:1", 200),
    ):
        async with client.get("/report", headers={"Host": host, **bearer(served.read)}) as answer:
            assert answer.status == status, host


async def test_a_page_of_another_origin_is_refused(served: Served, client: aiohttp.ClientSession) -> None:
    """Also one that another program on this machine serves."""
    for origin, status in (
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:3000", 403),
        (served.url, 200),
    ):
        async with client.post("/release", headers={"Origin": origin, **bearer(served.control)}) as answer:
            assert answer.status == status, origin
            assert not any(name.startswith("Access-Control") for name in answer.headers)


async def test_whoever_tries_tokens_is_left_alone_even_with_the_right_one(
    served: Served, client: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told once in the log; the Unix socket stays open to the operator, and so does a session that began before."""
    async with client.post("/login", json={"token": served.read}):
        pass
    async with aiohttp.ClientSession(served.url) as stranger:
        for _ in range(10):
            async with stranger.get("/report", headers=bearer("guess")) as answer:
                assert answer.status == 401
        for attempt in (
            stranger.get("/report", headers=bearer(served.read)),
            stranger.post("/login", json={"token": served.read}),
        ):
            async with attempt as answer:
                assert answer.status == 429
                assert int(answer.headers["Retry-After"]) <= 61
    async with client.get("/session") as answer:
        assert answer.status == 200
    said = capsys.readouterr().out
    assert said.count("control.locked_out") == 1
    assert "guess" not in said


async def test_every_answer_tells_a_browser_what_it_may_not_do(served: Served, client: aiohttp.ClientSession) -> None:
    """Errors as well."""
    for path in ("/report", "/live", "/nowhere"):
        async with client.get(path, headers={} if path == "/live" else bearer(served.read)) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "kangbot"


async def test_a_port_that_is_taken_leaves_the_socket(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon trades on and says so once."""
    other = tmp_path / "other"
    other.mkdir()
    listen = Listen(port=served.port, control_token=other / "c", read_token=other / "r")
    second = ControlServer(Desk(), other / "control.sock", clock=Clock(), listen=listen)
    await second.start()
    assert second.port == 0
    assert (other / "control.sock").exists()
    await second.aclose()
    said = capsys.readouterr().out
    assert said.count("control.no_port") == 1
    assert "another program has it" in said
    assert "set [control] port" in said


async def test_port_0_is_no_port_at_all(tmp_path: Path) -> None:
    """Not one that the system picks: nobody listens, and no token is made."""
    listen = Listen(port=0, control_token=tmp_path / "c", read_token=tmp_path / "r")
    server = ControlServer(Desk(), tmp_path / "control.sock", clock=Clock(), listen=listen)
    await server.start()
    assert [file.name for file in tmp_path.iterdir()] == ["control.sock"]
    await server.aclose()


async def test_the_tokens_are_hidden_before_anybody_can_use_them(tmp_path: Path) -> None:
    """The chain of the logs is told them."""
    hidden: list[str] = []
    listen = Listen(port=own_port(), control_token=tmp_path / "c", read_token=tmp_path / "r")
    server = ControlServer(
        Desk(), tmp_path / "control.sock", clock=Clock(), listen=listen, hide=lambda *secrets: hidden.extend(secrets)
    )
    await server.start()
    await server.aclose()
    assert hidden == [(tmp_path / name).read_text().strip() for name in ("c", "r")]
