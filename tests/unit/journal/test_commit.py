"""Who may write when the disk is full."""

import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.commit import Committer, Group, Outcome
from kangbot.journal.file import JournalFile, JournalReader
from kangbot.journal.reserve import Reserve
from kangbot.journal.ticket import Ticket

KIB = 1024
LARGE = "x" * 3900  # a page each


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    """A journal of at most 64 KiB."""
    one = JournalFile(tmp_path / "journal.sqlite", max_bytes=64 * KIB, new_tag=lambda: "abcdefgh")
    yield one
    one.close()


def group(*events: str, reserve: bool = False) -> Group:
    """What one append was given."""
    return Group(events, reserve, Ticket())


def sequences(outcomes: Sequence[Outcome]) -> list[int]:
    """What was stored; 0 for what was refused."""
    assert all((outcome.error is None) == (outcome.sequence > 0) for outcome in outcomes)
    return [outcome.sequence for outcome in outcomes]


def test_each_group_learns_the_sequence_of_its_last_event(tmp_path: Path, file: JournalFile) -> None:
    """Groups share a commit and keep their order."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    assert sequences(committer.store([group("a"), group("b", "c", "d"), group("e")])) == [1, 4, 5]
    assert not committer.full


def test_full_disk_refuses_entries_and_writes_exits(tmp_path: Path, file: JournalFile) -> None:
    """In one and the same batch: the reserve is given back, and only its groups are written."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    filling = group(*[LARGE] * 40)
    outcomes = committer.store([filling, group("exit", reserve=True), group("entry")])
    assert [(outcome.group.events[0][:5], outcome.sequence) for outcome in outcomes] == [
        ("xxxxx", 0),
        ("entry", 0),
        ("exit", 1),
    ]
    assert isinstance(outcomes[0].error, NeedsHuman)
    assert "full" in outcomes[0].error.message
    assert "make room on the disk" in outcomes[0].error.remedy
    assert committer.full
    assert not (tmp_path / "reserve").exists()


def test_a_journal_at_its_bound_takes_exits_beyond_it(tmp_path: Path, file: JournalFile) -> None:
    """As many as the reserve is large, where the disk itself has room."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    while sequences(committer.store([group(LARGE)])) != [0]:
        pass
    bound = file.last
    while sequences(committer.store([group(LARGE, reserve=True)])) != [0]:
        pass
    assert 10 <= file.last - bound <= 16


def test_reserve_ends_too(tmp_path: Path, file: JournalFile) -> None:
    """When even the reserve is used up, exits are refused as well, with the disk's reason."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 16 * KIB))
    assert sequences(committer.store([group(*[LARGE] * 40, reserve=True)])) == [0]
    assert committer.full
    assert committer.why == "takes nothing, exits neither: database or disk is full"
    committer.store([group(*[LARGE] * 40)])
    assert "exits neither" in committer.why  # nobody has tried one since
    assert sequences(committer.store([group(*[LARGE] * 40), group("exit", reserve=True)])) == [0, 1]
    assert committer.why == "takes only exits: database or disk is full"


def test_room_is_used_again_as_soon_as_there_is_some(tmp_path: Path, file: JournalFile) -> None:
    """The next append finds out: the reserve is taken again first, then entries go on."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    while sequences(committer.store([group(LARGE)])) != [0]:
        pass
    assert sequences(committer.store([group(LARGE)])) == [0]
    file._db.execute("DELETE FROM records WHERE sequence < 10")  # what compaction will do
    assert sequences(committer.store([group("entry")]))[0] > 10
    assert not committer.full
    assert (tmp_path / "reserve").exists()


def test_disk_without_room_for_the_reserve_takes_exits_only(tmp_path: Path, file: JournalFile) -> None:
    """A start on a full disk: entries wait until the reserve can be held."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 1 << 60))
    assert committer.full
    assert committer.why.startswith("takes only exits: only its reserve is left: ")  # before anybody has tried
    outcomes = committer.store([group("entry"), group("exit", reserve=True)])
    assert sequences(outcomes) == [0, 1]
    assert isinstance(outcomes[0].error, NeedsHuman)
    assert "only its reserve is left: " in outcomes[0].error.message
    assert committer.why.endswith(("No space left on device", "File too large"))  # as the disk says it
    assert sequences(committer.store([group("entry")])) == [0]


def test_disk_that_refuses_whatever_is_asked_of_it_is_answered_for(tmp_path: Path, file: JournalFile) -> None:
    """Read-only by an error, it writes nothing and removes nothing: whoever waits is told so, exits too."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    (tmp_path / "reserve").unlink()
    (tmp_path / "reserve").mkdir()  # what no one may remove as a file
    with closing(JournalReader(tmp_path / "journal.sqlite")) as reader:
        assert reader.last() == 0  # so the files stay where they are
        file.close()
        for _ in range(2):
            outcomes = committer.store([group("entry"), group("exit", reserve=True)])
            assert sequences(outcomes) == [0, 0]
            assert committer.full
            assert committer.why == "takes nothing, exits neither: Cannot operate on a closed database."


def test_journal_that_another_program_writes_to_says_so(tmp_path: Path, file: JournalFile) -> None:
    """A shell with a transaction open: to make room would not help. Once it is closed all goes on by itself."""
    file._db.execute("PRAGMA busy_timeout = 1")
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as shell:
        shell.execute("BEGIN EXCLUSIVE")
        outcomes = committer.store([group("entry"), group("exit", reserve=True)])
        assert (tmp_path / "reserve").exists()
    assert committer.why.startswith("takes nothing, exits neither: database is locked by another program")
    assert sequences(outcomes) == [0, 0]
    for outcome in outcomes:
        assert isinstance(outcome.error, NeedsHuman)
        assert "locked by another program" in outcome.error.message
        assert "close the program" in outcome.error.remedy
    assert sequences(committer.store([group("entry")])) == [1]


@pytest.mark.parametrize(("bytes_a_file", "said"), [(0, "disk I/O error: File too large"), (4096, "disk I/O error")])
def test_what_sqlite_keeps_to_itself_the_system_is_asked_for(
    tmp_path: Path, file: JournalFile, bytes_a_file: int, said: str
) -> None:
    """A disk that is read-only or over its quota is an I/O error to it. Nothing is left of the asking."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, hard))  # for this process alone
    try:
        outcomes = committer.store([group("entry"), group("exit", reserve=True)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sequences(outcomes) == [0, 0]
    assert committer.why == f"takes nothing, exits neither: {said}"
    assert not list(tmp_path.glob("*.try"))
    assert sequences(committer.store([group("entry")])) == [1]


class Hungry(list[str]):
    """Events for which there is no memory: where SQLite has none, Python says the same."""

    def __iter__(self) -> Iterator[str]:
        raise MemoryError


def test_want_of_memory_is_answered_as_a_full_disk_is(tmp_path: Path, file: JournalFile) -> None:
    """A group that nobody answers for would end the process within a minute; what fits goes on."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    outcomes = committer.store([Group(Hungry(["large"]), reserve=False, ticket=Ticket()), group("exit", reserve=True)])
    assert sequences(outcomes) == [0, 1]
    assert isinstance(outcomes[0].error, NeedsHuman)
    assert outcomes[0].error.message == "the journal cannot be written: this process is given no more memory"
    assert "memory" in outcomes[0].error.remedy
    assert committer.why == "takes only exits: this process is given no more memory"
    assert sequences(committer.store([group("entry")])) == [2]


class HungryReserve(Reserve):
    """One that there is no memory for, either to give it back."""

    def release(self) -> None:
        raise MemoryError


def test_want_of_memory_while_a_refusal_is_put_into_words_is_answered(tmp_path: Path, file: JournalFile) -> None:
    """By the memory that there is then; nothing is on disk, and the next goes on."""
    committer = Committer(file, HungryReserve(tmp_path / "reserve", 64 * KIB))
    outcomes = committer.store([Group(Hungry(["large"]), reserve=False, ticket=Ticket()), group("exit", reserve=True)])
    assert sequences(outcomes) == [0, 0]
    assert {str(outcome.error) for outcome in outcomes} == {
        "the journal cannot be written: this process is given no more memory"
    }
    assert (file.last, committer.full) == (0, True)
    assert sequences(committer.store([group("entry")])) == [1]


def test_what_is_on_disk_is_told_so_though_memory_ran_out_behind_it(
    tmp_path: Path, file: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused is given again: a fill that is there already would count twice."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))

    def hungry(self: Committer, why: str) -> str:
        raise MemoryError

    monkeypatch.setattr(Committer, "_in_all", hungry)
    entry, exit_ = group(*[LARGE] * 40), group("a", "b", reserve=True)
    outcomes = committer.store([entry, exit_])
    assert [(outcome.group, outcome.sequence) for outcome in outcomes] == [(exit_, 2), (entry, 0)]
    assert file.last == 2


def test_journal_whose_log_was_removed_takes_exits_only_until_an_orderly_stop(
    tmp_path: Path, file: JournalFile
) -> None:
    """A kill would lose all that is in the log, so no entry may rely on it; the end in order folds it into the file."""
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    (tmp_path / "journal.sqlite-wal").unlink()
    outcomes = committer.store([group("entry"), group("exit", reserve=True)])
    assert sequences(outcomes) == [0, 1]
    assert isinstance(outcomes[0].error, NeedsHuman)
    assert "its -wal was removed" in outcomes[0].error.message
    file.close()
    with closing(JournalFile(tmp_path / "journal.sqlite", max_bytes=64 * KIB, new_tag=lambda: "abcdefgh")) as again:
        assert again.last == 1
        assert not again.lost()


def test_file_that_was_removed_takes_exits_only_until_it_is_back(tmp_path: Path, file: JournalFile) -> None:
    """What is written there would be lost at the next start: no entry may rely on it, nor on another in its place."""
    path, aside = tmp_path / "journal.sqlite", tmp_path / "aside.sqlite"
    committer = Committer(file, Reserve(tmp_path / "reserve", 64 * KIB))
    path.rename(aside)
    outcomes = committer.store([group("entry"), group("exit", reserve=True)])
    assert sequences(outcomes) == [0, 1]
    assert isinstance(outcomes[0].error, NeedsHuman)
    assert "its file was removed" in outcomes[0].error.message
    path.write_bytes(b"another")
    assert sequences(committer.store([group("entry")])) == [0]
    assert "another one stands in its place" in committer.why
    aside.rename(path)
    assert sequences(committer.store([group("entry")])) == [2]
    assert not committer.full
