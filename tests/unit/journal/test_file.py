"""What the journal's file holds, and what it refuses to be."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.file import APPLICATION, FORMAT, JournalFile, JournalReader, _explained
from kangbot.runtime.disk import room
from tests.support.full_disk import mounted
from tests.support.unprivileged import interpreter

BIG = 1 << 30


def opened(path: Path, *, max_bytes: int = BIG, tag: str = "abcdefgh") -> JournalFile:
    """The file at `path`, made where it is not."""
    return JournalFile(path, max_bytes=max_bytes, new_tag=lambda: tag)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[JournalFile]:
    """A new journal."""
    one = opened(path)
    yield one
    one.close()


def alter(path: Path, *statements: str) -> None:
    """Change the file behind its back."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def test_tag_is_drawn_once(path: Path) -> None:
    """The name stays when the file is opened again."""
    opened(path, tag="firstone").close()
    again = opened(path, tag="another1")
    assert again.tag == "firstone"
    again.close()


def test_file_is_a_write_ahead_log_with_full_sync(file: JournalFile) -> None:
    """The settings that make a commit durable are the connection's."""
    assert file._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert file._db.execute("PRAGMA synchronous").fetchone() == (2,)
    file.mark_drained(0)
    assert file._db.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("count", [1, 2, 500, 501, 1234])
def test_batches_are_numbered_without_a_gap(file: JournalFile, path: Path, count: int) -> None:
    """Small batches are one statement, large ones several in one transaction; the numbers go on."""
    assert file.insert(["first"]) == 1
    assert file.insert([f"e{number}" for number in range(count)]) == 1 + count
    reader = JournalReader(path)
    rows = reader.read(0, BIG)
    assert [sequence for sequence, _ in rows] == list(range(1, count + 2))
    assert [event for _, event in rows] == ["first", *(f"e{number}" for number in range(count))]
    reader.close()


def test_a_batch_of_any_size_is_taken(file: JournalFile) -> None:
    """One statement takes 16,383 rows at most, or 125,000 where Debian has built SQLite."""
    assert file.insert(["x"] * 126_000) == 126_000


def test_the_log_stays_bounded_where_nobody_folds_it(file: JournalFile, path: Path) -> None:
    """Four thousand pages on a disk of a usual size; and a quarter of them is written out from the beginning."""
    assert file._db.execute("PRAGMA wal_autocheckpoint").fetchone() == (4000,)
    assert path.with_name(f"{path.name}-wal").stat().st_size == 1000 * (4096 + 24)


def test_a_log_that_somebody_made_long_by_reading_on_is_cut_again(file: JournalFile, path: Path) -> None:
    """A person with `sqlite3` and a transaction that is never ended, or a backup of years on a slow disk."""
    log, bound = path.with_name(f"{path.name}-wal"), 4000 * (4096 + 24)
    file.insert(["a"])
    person = sqlite3.connect(path, isolation_level=None)
    person.execute("BEGIN")
    person.execute("SELECT count(*) FROM records").fetchone()
    for _ in range(3):
        file.insert(["x" * 4000] * 2000)
    assert log.stat().st_size > bound
    person.close()
    for _ in range(2):
        file.insert(["x" * 4000] * 2000)
        JournalReader(path).fold()
    file.insert(["a"])
    assert log.stat().st_size <= bound


def test_the_log_is_folded_once_for_each_such_length(file: JournalFile) -> None:
    """Not at every commit that follows."""
    assert not file.foldable()
    for _ in range(2):
        file.insert(["x" * 4000] * 1100)
        assert (file.foldable(), file.foldable()) == (True, False)


def test_a_log_whose_file_was_moved_away_is_left_as_it_is(path: Path, file: JournalFile) -> None:
    """What is in it is nowhere else; SQLite would make an empty file there, and remove the log of an empty file."""
    file.insert(["a"])
    path.rename(path.with_name("aside"))
    JournalReader(path).fold()
    assert not path.exists()
    path.with_name("aside").rename(path)
    assert not file.lost()
    reader = JournalReader(path)
    assert reader.read(0, 10) == [(1, "a")]
    reader.close()


def test_what_is_read_at_once_is_of_one_moment(file: JournalFile, path: Path) -> None:
    """Whatever is written and removed meanwhile."""
    file.insert(["a", "b"])
    reader = JournalReader(path)
    reader.at_once()
    assert reader.last() == 2
    file.insert(["c"])
    file.compact(2, "all")
    assert (reader.last(), reader.checkpoint(), reader.read(0, 10)) == (2, None, [(1, "a"), (2, "b")])
    reader.close()


def test_what_was_stored_is_there_after_opening_again(path: Path) -> None:
    """Records, the newest sequence and the mark survive."""
    first = opened(path)
    first.insert(["a", "b", "c"])
    first.mark_drained(2)
    first.close()
    again = opened(path)
    assert (again.last, again.drained) == (3, 2)
    again.close()


@pytest.mark.parametrize("count", [40, 4000])
def test_batch_that_does_not_fit_is_not_there_at_all(path: Path, count: int) -> None:
    """Beyond `max_bytes` it is SQLite's own "disk is full", and nothing of the batch stays; less still fits."""
    file = opened(path, max_bytes=64 << 10)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        file.insert(["x" * 4000] * count)
    assert file.last == 0
    assert file.insert(["x"]) == 1
    file.limit_pages(64 << 10)
    file.insert(["x" * 4000] * 18)
    file.close()


def test_large_batch_that_is_rolled_back_by_hand_leaves_nothing(file: JournalFile) -> None:
    """A failure that leaves the transaction open is rolled back."""
    file._db.execute("INSERT INTO records VALUES (600, 'in the way')")
    with pytest.raises(sqlite3.IntegrityError):
        file.insert(["x"] * 700)
    assert not file._db.in_transaction
    assert file._db.execute("SELECT count(*) FROM records").fetchone() == (1,)


class Large(str):
    """An event that there is no memory for: where SQLite has none, Python says the same."""

    __slots__ = ()

    def __conform__(self, protocol: object) -> object:
        raise MemoryError


def test_want_of_memory_leaves_no_transaction_open(path: Path, file: JournalFile) -> None:
    """What is stored after it would be part of that: told to be on disk, and gone with the process."""
    assert file.insert(["before"]) == 1
    with pytest.raises(MemoryError):
        file.compact(1, Large("states"))
    with pytest.raises(MemoryError):
        file.insert(["x"] * 600 + [Large("x")])
    assert file.insert(["after"]) == 2
    file._db.execute("BEGIN IMMEDIATE")  # as where there is no memory to roll back either
    file._db.execute("INSERT INTO records VALUES (600, 'half')")
    assert file.insert(["later"]) == 3
    with contextlib.closing(JournalReader(path)) as reader:
        assert reader.read(0, 10) == [(1, "before"), (2, "after"), (3, "later")]


def test_empty_file_becomes_a_journal(path: Path) -> None:
    """What a crash while making it leaves is made anew."""
    path.write_bytes(b"")
    opened(path).close()
    again = opened(path)
    assert again.tag == "abcdefgh"
    again.close()


def test_later_format_is_refused_in_words(path: Path) -> None:
    """The later kangbot that wrote it must read it."""
    opened(path).close()
    alter(path, f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(NeedsHuman, match=f"has format {FORMAT + 1}; this kangbot knows formats up to {FORMAT}"):
        opened(path)


def test_foreign_sqlite_file_is_refused(path: Path) -> None:
    """It is somebody's data, with whatever version number."""
    alter(path, "CREATE TABLE theirs (x)", f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(NeedsHuman, match="no journal of kangbot"):
        opened(path)


def test_file_that_is_no_database_calls_a_human(path: Path) -> None:
    """The message says which file, and SQLite's reason."""
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(NeedsHuman, match=r"journal\.sqlite cannot be used: file is not a database"):
        opened(path)


def test_folder_that_is_gone_calls_a_human(tmp_path: Path) -> None:
    """SQLite cannot open it."""
    with pytest.raises(NeedsHuman, match="cannot be used"):
        opened(tmp_path / "gone" / "journal.sqlite")


def test_application_id_marks_the_file(path: Path, file: JournalFile) -> None:
    """So that `file` and we know what it is."""
    assert file._db.execute("PRAGMA application_id").fetchone() == (APPLICATION,)


def test_reading_returns_the_next_in_order_up_to_the_limit(path: Path, file: JournalFile) -> None:
    """After a sequence, at most so many, nothing at the end."""
    file.insert(["a", "b", "c", "d"])
    reader = JournalReader(path)
    assert reader.read(1, 2) == [(2, "b"), (3, "c")]
    assert reader.read(3, 2) == [(4, "d")]
    assert reader.read(4, 2) == []
    reader.close()


def test_missing_record_calls_a_human_with_its_sequence(path: Path, file: JournalFile) -> None:
    """A gap is damage, never passed over."""
    file.insert(["a", "b", "c"])
    file._db.execute("DELETE FROM records WHERE sequence = 2")
    reader = JournalReader(path)
    with pytest.raises(NeedsHuman, match=r"record 2 of the journal .* is missing"):
        reader.read(0, 10)
    with pytest.raises(NeedsHuman, match=r"record 2 of the journal .* is missing"):
        reader.read(1, 10)
    reader.close()


def test_reader_that_never_read_closes(path: Path) -> None:
    """Its connection comes with the first read."""
    JournalReader(path).close()


def test_reader_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    """No file, no records: SQLite's reason, in our words."""
    with pytest.raises(NeedsHuman, match="cannot be used: unable to open"):
        JournalReader(tmp_path / "gone.sqlite").read(0, 1)


def test_checkpoint_takes_the_place_of_records(path: Path, file: JournalFile) -> None:
    """They are gone, it is there, numbers go on; the newest checkpoint counts."""
    reader = JournalReader(path)
    file.insert(["a", "b", "c", "d"])
    assert (file.floor, reader.checkpoint()) == (0, None)
    file.compact(2, "first")
    file.compact(3, "second")
    assert (file.floor, file.last, reader.checkpoint()) == (3, 4, (3, "second"))
    assert reader.read(3, 10) == [(4, "d")]
    with pytest.raises(NeedsHuman, match=r"record 1 of the journal .* is missing") as caught:
        reader.read(0, 10)
    assert "kangbot journal rebuild" in caught.value.remedy
    reader.close()


def test_numbers_go_on_where_every_record_was_removed(path: Path) -> None:
    """What the checkpoint stands for has been."""
    first = opened(path)
    first.insert(["a", "b"])
    first.compact(2, "all")
    first.close()
    again = opened(path)
    assert (again.floor, again.last, again.insert(["c"])) == (2, 2, 3)
    again.close()


def test_compaction_that_fails_leaves_everything(file: JournalFile, path: Path) -> None:
    """Both or neither."""
    file.insert(["a", "b"])
    file._db.execute("CREATE TRIGGER stays BEFORE DELETE ON records BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError, match="no"):
        file.compact(1, "half")
    reader = JournalReader(path)
    assert (file.floor, reader.checkpoint(), reader.read(0, 10)) == (0, None, [(1, "a"), (2, "b")])
    reader.close()


def test_room_of_removed_records_is_used_again(path: Path) -> None:
    """Over many rounds the file stays as large as it was after the first."""
    file = opened(path)
    sizes = []
    for _ in range(12):
        file.insert(["x" * 300] * 2000)
        file.compact(file.last, "all")
        file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append(path.stat().st_size)
    file.close()
    assert sizes[-1] <= sizes[1] * 1.1


def test_journal_of_the_first_format_is_brought_up_to_this_one(path: Path) -> None:
    """It had no checkpoint; its records stay."""
    first = opened(path)
    first.insert(["a"])
    first.close()
    alter(path, "DROP TABLE checkpoint", "PRAGMA user_version = 1")
    path.with_name(f".{path.name}.copy").write_bytes(b"half of a copy")  # by a kill
    again = opened(path)
    assert (again.last, again.floor) == (1, 0)
    again.compact(1, "all")
    again.close()
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (FORMAT,)


def test_a_disk_without_room_is_said_with_what_helps(tmp_path: Path) -> None:
    """Making room; a backup would help against damage only."""
    with contextlib.closing(sqlite3.connect(tmp_path / "small.sqlite")) as database:
        database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(NeedsHuman) as caught, _explained(tmp_path):
            database.execute("CREATE TABLE t (a)")
    assert caught.value.code == "SQLITE_FULL"
    assert caught.value.remedy == "make room on the disk"


def test_a_disk_that_takes_no_file_more_is_said_with_what_helps(tmp_path: Path) -> None:
    """SQLite makes two beside the journal to open it, and says no more than that it cannot."""
    with mounted(tmp_path / "small", megabytes=4, files=5) as small:
        opened(small / "journal.sqlite").close()
        for number in range(room(small).files or 0):
            (small / str(number)).touch()
        with pytest.raises(NeedsHuman, match="unable to open database file, for no file can be made") as caught:
            opened(small / "journal.sqlite")
        assert "df -i" in caught.value.remedy
        (small / "0").unlink()
        (small / "1").unlink()
        opened(small / "journal.sqlite").close()


def test_a_folder_that_is_gone_is_not_called_full(tmp_path: Path) -> None:
    """Nothing can be told of its disk."""
    with pytest.raises(NeedsHuman, match=r"unable to open database file$") as caught:
        opened(tmp_path / "nowhere" / "journal.sqlite")
    assert "check the disk" in caught.value.remedy


def test_a_file_that_this_user_may_not_use_is_not_called_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is who began the daemon, once: nothing is to be moved away or made anew."""
    path.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NeedsHuman, match=r"for the permissions of journal\.sqlite bar its owner") as caught:
        opened(path)
    assert "chmod" in caught.value.remedy


def test_a_file_that_may_not_be_written_is_refused_at_once(path: Path) -> None:
    """Not by the first order: a daemon that goes live on it would trade nothing and say that all is well."""
    opened(path).close()
    path.chmod(0o444)
    program = (
        "import sys; from pathlib import Path; from kangbot.errors import NeedsHuman; "
        "from kangbot.journal.file import JournalFile\n"
        "try:\n    JournalFile(Path(sys.argv[1]), max_bytes=1 << 30, new_tag=str)\n"
        "except NeedsHuman as error:\n    print(error.message, '|', error.remedy)\n"
    )
    done = subprocess.run(
        [interpreter(path.parent), "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=300
    )
    assert "readonly" in done.stdout
    assert f"the permissions of journal.sqlite bar its owner | chmod -R u+rwX {path.parent}" in done.stdout


def test_a_journal_without_its_name_calls_a_human(path: Path) -> None:
    """Damage, and no fault of ours: a service manager must not start on it again and again."""
    opened(path).close()
    alter(path, "DELETE FROM meta")
    with pytest.raises(NeedsHuman, match=r"journal\.sqlite cannot be used: its name is missing") as caught:
        opened(path)
    assert "kangbot journal rebuild" in caught.value.remedy
