"""What is seen of a journal without opening it for writing, as a start would see it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal import folder as folders
from kangbot.journal.file import FORMAT
from kangbot.journal.glance import glance
from kangbot.journal.replay import checkpoint_of
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.machines.memory import Memory
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import VenueName
from kangbot.modes.past import MODE_NOTED, Past
from kangbot.runtime.world import Clock, World
from tests.support.records import noted

WORLD = World(clock=Clock(), seed=b"glance")


async def write(folder: Path, count: int = 3) -> None:
    """Make a journal of so many records there."""
    async with await JournalWriter.open(folder, WORLD) as journal:
        await journal.append(*(noted(number) for number in range(1, count + 1)))


def alter(folder: Path, *statements: str) -> None:
    """Change the file behind its back."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


async def test_what_a_start_can_read_is_well(tmp_path: Path) -> None:
    """Before the first start, beside a daemon that runs, after its end, and where the newest were compacted."""
    assert glance(tmp_path, {}) is None
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert glance(tmp_path, {}) == 0
        await journal.append(noted(1), noted(2), noted(3))
        assert glance(tmp_path, {}) == 3
        journal.mark_drained(3)
        await journal.compact(checkpoint_of(Memory(last_sequence=3), {}))
        assert glance(tmp_path, {}) == 3
        await journal.append(noted(4))
        assert glance(tmp_path, {}) == 4
    assert glance(tmp_path, {}) == 4


async def test_where_a_journal_was_begun_is_heard_of_it(tmp_path: Path) -> None:
    """From the records that a daemon begins with, and once they were removed, from what stands for them."""
    begun = Noted(kind=MODE_NOTED, severity=Severity.INFO, market=None, message="paper", at_ns=1)
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(begun, noted(2))
        heard = Past(VenueName("bybit"))
        assert (glance(tmp_path, {"past": heard}), heard.mode) == (2, "paper")
        journal.mark_drained(2)
        await journal.compact(checkpoint_of(Memory(last_sequence=2), {"past": heard}))
    again = Past(VenueName("bybit"))
    assert (glance(tmp_path, {"past": again}), again.mode) == (2, "paper")


async def test_an_older_journal_is_brought_forward_by_the_start(tmp_path: Path) -> None:
    """It has no checkpoint, and stays as it is; an empty file is what a crash leaves of a first start."""
    await write(tmp_path)
    alter(tmp_path, "DROP TABLE checkpoint", "PRAGMA user_version = 1")
    assert glance(tmp_path, {}) == 3
    (tmp_path / FILE).write_bytes(b"")
    assert glance(tmp_path, {}) is None
    assert (tmp_path / FILE).read_bytes() == b""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (f"PRAGMA user_version = {FORMAT + 1}", f"has format {FORMAT + 1}; this kangbot knows formats up to {FORMAT}"),
        ("PRAGMA application_id = 7", "no journal of kangbot"),
        ("UPDATE records SET event = json_set(event, '$.later', 1) WHERE sequence = 2", "record 2 .* field `later`"),
        ('INSERT INTO checkpoint VALUES (1, 1, \'{"version": 9, "states": {}}\')', "has version 9"),
        ('INSERT INTO checkpoint VALUES (1, 1, \'{"version": 1, "states": {}}\')', "cannot be understood"),
        ("DELETE FROM records WHERE sequence = 2", "record 2 of the journal .* is missing"),
    ],
)
async def test_what_a_start_would_refuse_is_said(tmp_path: Path, statement: str, said: str) -> None:
    """In the same words, and nothing is changed by the look."""
    await write(tmp_path)
    alter(tmp_path, statement)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(NeedsHuman, match=said):
        glance(tmp_path, {})
    assert (tmp_path / FILE).read_bytes() == before


async def test_a_folder_of_a_later_kangbot_is_refused_before_its_journal(tmp_path: Path) -> None:
    """Whatever stands in it means something else; and a folder without a number gets none by a look."""
    await write(tmp_path)
    (tmp_path / folders.FILE).unlink()
    assert glance(tmp_path, {}) == 3
    assert not (tmp_path / folders.FILE).exists()
    (tmp_path / folders.FILE).write_text(f"{folders.FORMAT + 1}\n")
    with pytest.raises(NeedsHuman, match=r"the state folder .* has format"):
        glance(tmp_path, {})
