"""Who may come in over TCP: a real server on loopback, asked as a script, a browser and a stranger would."""

import errno
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from kangbot.control.access import Access
from kangbot.control.server import ControlServer, Listen
from kangbot.control.tokens import tokens_in
from kangbot.errors import NeedsHuman
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


async def test_a_browser_exchanges_its_token_for_a_session(served: Served, client: aiohttp.ClientSession) -> None:
    """The cookie is out of reach of scripts and of other sites, and ends when it is told to."""
    async with client.post("/login", json={"token": served.read}) as answer:
        assert (answer.status, await answer.json()) == (200, {"access": "read"})
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert served.read not in cookie
    async with client.get("/session") as answer:
        assert await answer.json() == {"access": "read"}
    async with client.post("/start-all", json={}) as answer:
        assert answer.status == 403
    async with client.post("/logout", json={}) as answer:
        assert answer.status == 200
        assert "Max-Age=0" in answer.headers["Set-Cookie"], "the browser forgets it too"
        assert "HttpOnly" in answer.headers["Set-Cookie"]
    async with client.get("/session") as answer:
        assert answer.status == 401


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


async def test_bodies_are_json_small_and_said_to_be_so(served: Served, client: aiohttp.ClientSession) -> None:
    """A form that a foreign page sends without asking is none."""
    own = bearer(served.control)
    for body, kind, status in (
        (b"{}", "text/plain", 415),
        (b"reason=x", "application/x-www-form-urlencoded", 415),
        (b"[" * 60_000, "application/json", 400),
        (b"{" + b" " * 70_000 + b"}", "application/json", 413),
        (b"\xff\xfe", "application/json", 400),
        (b'{"flaten": true}', "application/json", 400),
        (b"{}", "application/json; charset=utf-8", 200),
    ):
        async with client.post("/kill", data=body, headers={"Content-Type": kind, **own}) as answer:
            assert answer.status == status, (body[:20], kind)
            assert "error" in await answer.json() or status == 200


async def test_every_answer_tells_a_browser_what_it_may_not_do(served: Served, client: aiohttp.ClientSession) -> None:
    """Errors as well."""
    for path in ("/report", "/live", "/nowhere"):
        async with client.get(path, headers={} if path == "/live" else bearer(served.read)) as answer:
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "kangbot"


def test_tokens_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    """32 random bytes each; the next start has the same."""
    control, read = tmp_path / "c", tmp_path / "r"
    made = tokens_in(control, read)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (control, read)} == {0o600}
    assert all(len(secret) == 43 for secret in made.secrets)
    assert tokens_in(control, read).secrets == made.secrets
    assert [made.access(token) for token in (*made.secrets, "", "x")] == [
        Access.CONTROL,
        Access.READ,
        Access.OPEN,
        Access.OPEN,
    ]
    assert made.secrets[0] not in repr(made)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("x" * 43, 0o644, "is open to others"),
        ("x" * 43, 0o620, "is open to others"),
        ("short", 0o600, "holds no token"),
        ("x" * 31, 0o600, "holds no token"),
        ("two words" * 9, 0o600, "holds no token"),
        ("x" * 42 + "é", 0o600, "holds no token"),
        ("x" * 42 + "\a" + "x", 0o600, "holds no token"),
        ("x" * 42 + "\udcff", 0o600, "cannot be used: it is no text"),
    ],
)
def test_a_token_file_that_is_no_secret_stops_the_start(tmp_path: Path, text: str, mode: int, words: str) -> None:
    """In words, with the remedy, and without the token."""
    path = tmp_path / "c"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    path.chmod(mode)
    with pytest.raises(NeedsHuman, match=words) as raised:
        tokens_in(path, tmp_path / "r")
    assert text not in str(raised.value)


def test_a_token_of_ones_own_may_have_32_characters(tmp_path: Path) -> None:
    """From another machine, or out of a vault; a group may read it, as that of systemd's credentials does."""
    path = tmp_path / "c"
    path.write_text("x" * 32)
    path.chmod(0o640)
    assert tokens_in(path, tmp_path / "r").access("x" * 32) is Access.CONTROL


def test_one_token_for_both_is_refused(tmp_path: Path) -> None:
    """Else whoever may look could command."""
    for name in ("c", "r"):
        (tmp_path / name).write_text("x" * 43)
        (tmp_path / name).chmod(0o600)
    with pytest.raises(NeedsHuman, match="hold the same token"):
        tokens_in(tmp_path / "c", tmp_path / "r")


def test_a_token_file_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    """Its folder is not there."""
    with pytest.raises(NeedsHuman, match="cannot be used: No such file"):
        tokens_in(tmp_path / "no" / "c", tmp_path / "r")


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


def test_a_full_disk_keeps_no_token_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file would refuse every start, also once there is room."""

    def full(handle: int) -> None:
        os.ftruncate(handle, 0)  # nothing of it was taken
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as without_room:
        without_room.setattr(os, "fsync", full)
        with pytest.raises(NeedsHuman, match="No space left"):
            tokens_in(tmp_path / "c", tmp_path / "r")
    assert len(tokens_in(tmp_path / "c", tmp_path / "r").secrets) == 2
