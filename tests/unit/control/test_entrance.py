"""How a browser comes in and goes out."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kangbot.control.entrance import LoginAsked
from tests.support.control_desk import Served


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies as a browser does."""
    jar = aiohttp.CookieJar(unsafe=True)  # which means: for an address, too
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as session:
        yield session


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


async def test_whoever_comes_in_and_goes_out_is_journalled_and_nobody_else(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """A wrong token, a second goodbye and a forged session write nothing: nobody else can make the journal grow."""
    async with client.post("/login", json={"token": "wrong" * 10}) as answer:
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
    for cookie in ("", "2.9999999999.forged.signature"):
        async with client.post("/logout", json={}, headers={"Cookie": f"kangbot_{served.port}={cookie}"}) as answer:
            assert (answer.status, await answer.json()) == (200, {"access": "open"})
    assert served.desk.journal == []
    async with client.post("/login", json={"token": served.control}) as answer:
        assert await answer.json() == {"access": "control"}
        given = answer.cookies[f"kangbot_{served.port}"]
        assert (given["path"], given["max-age"]) == ("/", str(12 * 3600))
    for _ in range(2):
        async with client.post("/logout", json={}):
            pass
    kept = {given.key: given.value}  # which the browser has forgotten
    async with aiohttp.ClientSession(served.url, cookies=kept) as thief, thief.get("/session") as answer:
        assert answer.status == 401
    assert served.desk.journal == [
        ("login", "control token from 127.0.0.1"),
        ("logout", "control session from 127.0.0.1"),
    ]


def test_what_is_typed_to_come_in_is_in_no_log() -> None:
    """Whoever prints a request prints no token."""
    assert "s3cret" not in repr(LoginAsked(token="s3cret"))
