"""The look for the history database."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from kangbot.cli.doctor.database import database, plain_text
from kangbot.cli.doctor.finding import Mark
from kangbot.settings import Settings
from kangbot.settings.daemon import Database
from kangbot.settings.kinds import Secret
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl
from tests.support.impostor import Impostor


def with_database(url: str) -> Settings:
    """Settings with this address and nothing else."""
    return Settings(database=Database(url=Secret(url)))


async def test_a_database_without_the_tls_that_is_asked_for_is_wrong() -> None:
    """A person must decide; the password has stayed here."""
    with Impostor(tls=False) as there:
        look = await database(with_database(f"mysql://u:canary-9f3c@127.0.0.1:{there.port}/k?ssl-mode=REQUIRED"))
        assert await asyncio.to_thread(there.heard) == b""
    assert look.mark is Mark.WRONG
    assert "the server offers none" in look.says
    assert "switch TLS on in the server" in look.remedy


@pytest.mark.parametrize(
    ("options", "warned"), [("", True), ("?ssl-mode=REQUIRED", False), ("?ssl-mode=DISABLED", False)]
)
def test_a_database_in_plain_text_across_a_network_is_a_warning(options: str, warned: bool) -> None:
    """Until the address says that it is encrypted, or that it is meant so. What it costs to say nothing is shown."""
    looks = list(plain_text(with_database(f"mysql://u:canary-9f3c@db.example/k{options}")))
    assert [look.mark for look in looks] == [Mark.WARNING] * warned
    for look in looks:
        assert "the login and every row cross the network in plain text" in look.says
        assert "ssl-mode=VERIFY_IDENTITY" in look.remedy
        assert "canary" not in str(look)
    assert not list(plain_text(Settings()))


def embedded(folder: Path) -> Settings:
    """Return settings with the history in this folder."""
    return Settings(state_dir=folder)


async def test_a_history_that_is_not_there_yet_is_made_by_nobody_who_looks(tmp_path: Path) -> None:
    """Nor is its folder."""
    look = await database(embedded(tmp_path / "state"))
    assert (look.mark, look.says) == (Mark.OK, "embedded, history.sqlite will be made")
    assert list(tmp_path.iterdir()) == []


async def test_an_embedded_history_is_there_with_its_tables_or_with_older_ones(tmp_path: Path) -> None:
    """Either is in order: a start brings them forward."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    await asyncio.to_thread(partial(upgrade, url, to="0005"))
    look = await database(embedded(tmp_path))
    assert (look.mark, look.says) == (
        Mark.OK,
        "embedded, history.sqlite is there, its tables are brought up at the start",
    )
    await asyncio.to_thread(upgrade, url)
    look = await database(embedded(tmp_path))
    assert (look.mark, look.says) == (Mark.OK, "embedded, history.sqlite is there")


async def test_a_server_that_is_away_may_come_back_and_its_password_is_not_told() -> None:
    """By its name, once."""
    look = await database(with_database("mysql://u:canary-9f3c@127.0.0.1:1/kangbot"))
    assert (look.mark, look.says.count("mysql://u@127.0.0.1:1/kangbot")) == (Mark.AWAY, 1)
    assert "canary" not in f"{look}"
    assert "the daemon trades without it" in look.remedy
