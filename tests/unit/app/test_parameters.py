"""What is said of settings when they become parts."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from kangbot.app.parameters import history, notifiers, terms
from kangbot.model.events import Noted, Severity
from kangbot.runtime.world import Clock, World
from kangbot.settings import Mode, Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret
from kangbot.settings.notify import Notify

WORLD = World(clock=Clock(), seed=b"parameters")


@pytest.mark.parametrize(
    ("address", "warnings"),
    [
        ("mysql://kangbot:s3cret@db.example/kangbot", ["mysql://kangbot@db.example:3306/kangbot"]),
        ("mysql://kangbot:s3cret@db.example/kangbot?ssl-mode=REQUIRED", []),
        ("mysql://kangbot:s3cret@db.example/kangbot?ssl-mode=DISABLED", []),
        ("mysql://kangbot:s3cret@127.0.0.1/kangbot", []),
        (None, []),
    ],
)
def test_plain_text_across_a_network_is_warned_of_at_the_start(
    address: str | None, warnings: list[str], tmp_path: Path
) -> None:
    """Once, and without the password; nobody is connected to meanwhile."""
    settings = Settings(state_dir=tmp_path, database=Database(url=Secret(address) if address else None))

    async def start() -> str:
        kind, made = history(settings, WORLD)
        await made.aclose()
        return kind

    with capture_logs() as logs:
        assert asyncio.run(start()) == ("mysql" if address else "sqlite")
    assert [one["database"] for one in logs if one["event"] == "history.in_plain_text"] == warnings
    assert "s3cret" not in str(logs)


@pytest.mark.parametrize(("mode", "on_paper"), [("paper", True), ("sandbox", False), ("live", False)])
def test_markets_know_whether_their_account_is_simulated_here(mode: Mode, on_paper: bool, tmp_path: Path) -> None:
    """What is left behind is another matter there."""
    assert terms(Settings(mode=mode, state_dir=tmp_path), 5000).on_paper is on_paper


async def test_a_service_that_is_away_costs_the_others_nothing(tmp_path: Path) -> None:
    """Two real services, one refuses, and an address that nothing knows: the good one gets each message, and once.

    The second event comes when the first was refused: it would wait for its tries, and the first be said again.
    """
    got: list[str] = []
    come = asyncio.Condition()

    async def take(request: web.Request) -> web.Response:
        await request.read()
        async with come:
            got.append(request.path)
            come.notify_all()
        return web.Response(status=429 if request.path == "/bad-token" else 200)

    async def until(path: str, count: int) -> None:
        async with come:
            await come.wait_for(lambda: got.count(path) >= count)

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here = f"json://127.0.0.1:{runner.addresses[0][1]}"
    addresses = Secret(f"{here}/bad-token nosuch://a-token {here}/good-token")
    made = notifiers(Settings(state_dir=tmp_path, notify=Notify(addresses=addresses)), WORLD, list)
    with capture_logs() as logs:
        async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one.run()) for one in made]
            for count, kind in enumerate(("first.thing", "second.thing"), start=1):
                for one in made:
                    one.tell(Noted(kind=kind, severity=Severity.CRITICAL, market=None, message="it did", at_ns=count))
                await until("/good-token", count)
                await until("/bad-token", 1)
            for task in running:
                task.cancel()
    await runner.cleanup()
    assert got.count("/good-token") == 2
    away = [entry["service"] for entry in logs if entry["event"] == "notify.away"]
    assert away == [1, 2]
    assert "token" not in str(logs)
