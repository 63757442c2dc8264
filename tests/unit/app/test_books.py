"""What is written down, and who hears of it."""

import asyncio
from pathlib import Path

import pytest

from kangbot.app.books import Books
from kangbot.errors import NeedsHuman, Retryable
from kangbot.journal.writer import JournalWriter
from kangbot.machines.faults import Kind, Operation, kind_of
from kangbot.model.events import Event, Noted
from kangbot.runtime.tasks import close_task
from kangbot.runtime.world import Clock, World
from kangbot.storage.sqlite import SqliteHistory
from tests.support.records import noted

WORLD = World(clock=Clock(), seed=b"books")


async def never() -> None:
    """Bring no table up to date: nothing is asked of the history here."""


def books_of(writer: JournalWriter, history: SqliteHistory, changes: list[Exception | None]) -> Books:
    """Return books whose history is told of in `changes`."""
    return Books(
        writer=writer, history=history, kind="sqlite", world=WORLD, batch=1, fresh=dict, changed=changes.append
    )


async def test_people_hear_of_a_disk_that_takes_no_entries_though_it_does_not_take_the_words(tmp_path: Path) -> None:
    """Nobody reads a log for months, and a disk that has become read-only refuses the note of it as well."""
    heard: list[Event] = []
    async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=1 << 60) as writer:
        books = books_of(writer, SqliteHistory(tmp_path / "history.sqlite", never), [])
        books.overhear(heard.append)
        await writer.append(noted(1), reserve=True)
    told = [event for event in heard if isinstance(event, Noted)]
    assert [(note.kind, note.severity) for note in told] == [("journal.full", "error")]
    assert "the journal takes only exits: only its reserve is left" in told[0].message


@pytest.mark.parametrize(
    ("error", "severity", "kind"),
    [
        (Retryable("the server does not answer"), "warning", Kind.HISTORY),
        (NeedsHuman("the password is refused", remedy="correct url_file"), "error", Kind.NEEDS_HUMAN),
    ],
)
async def test_people_hear_of_a_history_that_is_away_and_the_policy_of_errors_by_its_own_kind(
    error: Exception, severity: str, kind: Kind, tmp_path: Path
) -> None:
    """A database that refuses us would be found out after months; `[errors.needs_human]` is about nothing else."""
    heard, changes = list[Noted](), list[Exception | None]()
    away = [error]

    async def prepare() -> None:
        if away:
            raise away[0]

    async with await JournalWriter.open(tmp_path, WORLD) as writer:
        books = books_of(writer, SqliteHistory(tmp_path / "history.sqlite", prepare), changes)
        books.overhear(lambda event: heard.append(event) if isinstance(event, Noted) else None)
        draining = asyncio.create_task(books.drain.run())
        async with asyncio.timeout(120):
            while not changes:
                await asyncio.sleep(0.01)
        assert [(note.kind, note.severity) for note in heard] == [("history.away", severity)]
        assert str(error) in heard[0].message
        assert getattr(error, "remedy", "") in heard[0].message
        assert books.history_away == str(error)
        assert changes[0] is error
        assert kind_of(error, Operation.HISTORY) is kind
        await close_task(draining)
        await books.history.aclose()
