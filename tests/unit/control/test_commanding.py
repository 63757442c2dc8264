"""Commands over the port: what is journalled with whose name, and what is told where no disk took them."""

import aiohttp
import pytest

from kangbot.health.report import Reloaded
from tests.support.control_desk import MARKET, Served

from .conftest import CALLER, got, told


@pytest.mark.parametrize(
    "path",
    [
        f"/reset-circuit-breaker/{MARKET}",
        f"/isolate-circuit-breaker/{MARKET}",
        f"/force-retry/{MARKET}",
        f"/markets/{MARKET}/resume",
        "/stop-all",
        "/drawdown/reset",
    ],
)
async def test_no_disk_took_what_was_commanded(served: Served, client: aiohttp.ClientSession, path: str) -> None:
    """Nobody is told that it is done who would find it undone after a restart."""
    served.desk.disk_full = True
    said = await told(client, path, {"lane": "entry"} if "isolate" in path else None, 503)
    assert said["error"] == "a restart would forget it; make room"


async def test_a_command_to_all_answers_where_they_stand(served: Served, client: aiohttp.ClientSession) -> None:
    """Starting goes on in the background."""
    said = await told(client, "/start-all")
    assert said["accepted"] == "start"
    assert said["markets"] == [{"market": MARKET, "state": "live", "desired": "running", "reason": "60 bars"}]
    assert served.desk.journal == [("start-all", CALLER)]


async def test_every_command_of_the_document_is_journalled_with_its_caller(served: Served) -> None:
    """One entry each, however often it comes again; who comes in and goes out as well, but nobody without a session."""
    bodies = {"/login": {"token": served.control}, "/isolate-circuit-breaker/{market}": {"lane": "entry"}}
    async with aiohttp.ClientSession(served.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await told(browser, "/login", bodies["/login"])
        document = await got(browser, "/openapi.json")
        commands = [path for path, methods in document["paths"].items() if "post" in methods and path != "/logout"]
        assert len(commands) >= 14
        for path in (*commands, *commands, "/logout"):
            before = len(served.desk.journal)
            await told(browser, path.replace("{market}", MARKET), bodies.get(path))
            by = "control token from 127.0.0.1" if path == "/login" else "control session from 127.0.0.1"
            assert [caller for _, caller in served.desk.journal[before:]] == [by], path
        before = len(served.desk.journal)
        await told(browser, "/logout")
        assert len(served.desk.journal) == before


async def test_what_was_wished_with_a_kill_and_what_became_of_a_file_are_kept(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether all is to be closed as well; and that a file was refused, in place of how much of it holds."""
    assert (await told(client, "/kill", {"reason": "news", "flatten": True}))["flatten"] is True
    assert served.desk.obeyed == [("kill", "news", True, CALLER)]

    async def refused(_: str) -> Reloaded:
        return Reloaded(problems=["markets: there is none"])

    await told(client, "/config/reload")

    async def going_on(_: str) -> Reloaded:
        return Reloaded(waiting="a disk")

    monkeypatch.setattr(served.desk, "reload_config", refused)
    await told(client, "/config/reload")
    monkeypatch.setattr(served.desk, "reload_config", going_on)
    assert (await told(client, "/config/reload"))["waiting"] == "a disk"
    assert [what for what, _ in served.desk.journal] == [
        "kill and flatten",
        "config/reload: 1 changes applied",
        "config/reload: refused",
        "config/reload: still being read",
    ]
