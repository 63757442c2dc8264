"""The state folder's own number: made once, and never passed over."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.folder import FILE, FORMAT, RESTORING, admit
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.journal.writer import JournalWriter
from kangbot.runtime.disk import room
from kangbot.runtime.world import Clock, World
from tests.support.full_disk import mounted
from tests.support.records import noted

WORLD = World(clock=Clock(), seed=b"folder")


def test_a_folder_of_before_is_numbered_once(tmp_path: Path) -> None:
    """Also one that has a journal already; the second time nothing is written."""
    admit(tmp_path)
    assert (tmp_path / FILE).read_text() == f"{FORMAT}\n"
    written = (tmp_path / FILE).stat().st_mtime_ns
    admit(tmp_path)
    assert (tmp_path / FILE).stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


async def test_a_later_folder_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    """The journal in it is not even opened, and the folder is free again for the right version."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(noted(1))
    (tmp_path / FILE).write_text(f"{FORMAT + 1}\n")
    before = (tmp_path / JOURNAL).read_bytes()
    for _ in range(2):
        with pytest.raises(NeedsHuman, match=f"has format {FORMAT + 1}; this kangbot knows formats up to {FORMAT}"):
            await JournalWriter.open(tmp_path, WORLD)
    assert (tmp_path / JOURNAL).read_bytes() == before
    (tmp_path / FILE).write_text(f"{FORMAT}\n")
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert journal.last == 1


@pytest.mark.parametrize("text", [b"", b"one", b"-1", b"\xff\xfe", b"1.0"])
def test_what_is_no_number_calls_a_person(tmp_path: Path, text: bytes) -> None:
    """It is not guessed at."""
    (tmp_path / FILE).write_bytes(text)
    with pytest.raises(NeedsHuman, match="is no number of a format"):
        admit(tmp_path)


def test_a_number_that_cannot_be_read_calls_a_person(tmp_path: Path) -> None:
    """Whatever stands in its place."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(NeedsHuman, match="is no number of a format"):
        admit(tmp_path)


def test_a_folder_that_cannot_be_written_calls_a_person(tmp_path: Path) -> None:
    """Something stands where the number is written first."""
    (tmp_path / f".{FILE}.new").mkdir()
    with pytest.raises(NeedsHuman, match="cannot be written: Is a directory"):
        admit(tmp_path)


async def test_a_journal_of_the_first_format_is_copied_before_it_is_brought_forward(tmp_path: Path) -> None:
    """So the version before can be gone back to; a copy that is there is not written over."""
    for _ in range(2):
        async with await JournalWriter.open(tmp_path, WORLD) as journal:
            await journal.append(noted(1))
        with closing(sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)) as db:
            db.execute("DROP TABLE checkpoint")
            db.execute("PRAGMA user_version = 1")
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert journal.last == 2
    with closing(sqlite3.connect(tmp_path / f"{JOURNAL}.format-1")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT count(*) FROM records").fetchone() == (1,)


def test_a_restore_that_did_not_end_is_ended_first(tmp_path: Path) -> None:
    """A daemon that begins on half of a memory would not know what it holds."""
    (tmp_path / RESTORING).touch()
    with pytest.raises(NeedsHuman, match="did not come to its end") as told:
        admit(tmp_path)
    assert told.value.remedy.startswith("type the same kangbot restore again")


def test_a_disk_that_takes_no_file_more_is_said_with_what_helps(tmp_path: Path) -> None:
    """There are megabytes left; the system's words are those of a disk without room."""
    with mounted(tmp_path / "small", megabytes=4, files=10) as small:
        for number in range(room(small).files or 0):
            (small / str(number)).touch()
        with pytest.raises(NeedsHuman, match="No space left on device, for no file can be made") as caught:
            admit(small)
        assert "df -i" in caught.value.remedy
        (small / "0").unlink()
        admit(small)
