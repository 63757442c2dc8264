"""A daemon's memory to back up: a configuration, its journal, and half of that in its history."""

from pathlib import Path

from kangbot.journal.writer import JournalWriter
from kangbot.runtime.world import real_world
from tests.support.databases import Database
from tests.support.records import noted, records

_TEXT = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def configured(folder: Path, database: Database | None) -> Path:
    """Return a configuration with its history in that database, or in the state folder."""
    folder.mkdir(exist_ok=True)
    config = folder / "kangbot.toml"
    if database is None:
        config.write_text(_TEXT)
        return config
    (folder / "url").write_text(database.url.full)
    (folder / "url").chmod(0o600)
    config.write_text(f'[database]\nurl_file = "url"\n{_TEXT}')
    return config


async def kept(folder: Path, database: Database) -> None:
    """Write a journal of twenty records, and ten of them into the history."""
    async with await JournalWriter.open(folder / "state", real_world()) as journal:
        await journal.append(*(noted(number) for number in range(20)))
        await database.history().store(records([noted(number) for number in range(10)], journal=journal.tag))
