"""What is said of settings when they become parts."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.app.parameters import history
from kangbot.runtime.world import Clock, World
from kangbot.settings import Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret

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
