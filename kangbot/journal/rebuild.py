"""A journal made anew from the history, after the disk that held it was lost.

The history has every record but the bars, which nothing remembers by, and old marks of equity between an hour's lowest
and highest. So a replay of it gives the memory as it was when the last record reached the database, and that becomes
the checkpoint of an empty journal of the same name. What came after, the database may not have: at most what was on its
way when the disk died. Executions of that time are learnt from the venue at the next start; orders of that time that
still rest there bear our prefix and are orphans. Their numbers must never be given again, so counting goes on far
beyond any that they could have.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.journal import codec
from kangbot.journal.file import JournalFile
from kangbot.journal.folder import admit
from kangbot.journal.lock import FolderLock
from kangbot.journal.replay import Others, checkpoint_of
from kangbot.journal.writer import FILE
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.events import Record
from kangbot.model.ids import LOST_AT_MOST
from kangbot.runtime.there import there

_PAGE = 2_000
_MAX_BYTES = 1 << 30
_FRESH = "journal.rebuilt"


class Archive(Protocol):
    """A history as it is read here and nowhere else: no market is ever decided about by the database."""

    async def journals(self) -> Mapping[str, int]:
        """Return how far each journal is stored, by its tag."""

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` of its records with sequence > `after`, in order; bars are not among them."""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuilt journal remembers."""

    tag: str
    memory: Memory


async def rebuild(folder: Path, archive: Archive, *, tag: str | None, others: Others) -> Rebuilt:
    """Make the journal in `folder` from `archive`: the one named `tag`, or the only one there is.

    NeedsHuman: a journal is there already, a daemon runs on the folder, or the archive does not have it whole.
    """
    lock = FolderLock(folder)
    try:
        admit(folder)  # what a restore has begun is a restore's to end
        _must_be_lost(folder)
        stored = await archive.journals()
        tag = _chosen(stored, tag)
        memory = await _remembered(archive, tag, stored[tag], others)
        _write(folder, tag, memory, others)
        return Rebuilt(tag=tag, memory=memory)
    finally:
        lock.release()


def _must_be_lost(folder: Path) -> None:
    for name in (FILE, f"{FILE}-wal"):  # SQLite would take the log of another journal for that of the new one
        if there(folder / name):
            raise NeedsHuman(
                f"{folder / name} exists, and is not overwritten",
                remedy="start the daemon on it; only where it is damaged for good move it away, and rebuild it then",
            )


def _chosen(stored: Mapping[str, int], tag: str | None) -> str:
    if not stored:
        raise NeedsHuman(
            "the history has nothing of any journal",
            remedy="see that [database] url names the database that the daemon wrote to; where none was ever written, "
            "nothing is lost: start the daemon",
        )
    known = ", ".join(f"{name} ({count} records)" for name, count in stored.items())
    if tag is None and len(stored) == 1:
        return next(iter(stored))
    if tag is None:
        raise NeedsHuman(
            f"which journal was lost? The history has: {known}",
            remedy="name it by --tag; client order ids begin with kb and the tag",
        )
    if tag not in stored:
        raise NeedsHuman(f"the history has no journal {tag}; it has: {known}", remedy="name another by --tag")
    return tag


async def _remembered(archive: Archive, tag: str, stored: int, others: Others) -> Memory:
    recollection, after = Recollection(), 0
    while records := await archive.recall(tag, after, _PAGE):
        if not after and records[0].sequence != 1:
            raise NeedsHuman(
                f"the history has journal {tag} from record {records[0].sequence} on: what came before is unknown",
                remedy="restore a backup of the journal; or flatten the account by hand and begin with an empty folder",
            )
        for record in records:
            recollection.add(record)
            for other in others.values():
                other.observe(record.event)
        after = records[-1].sequence
    memory = recollection.memory()
    return msgspec.structs.replace(memory, last_sequence=stored, next_number=memory.next_number + LOST_AT_MOST)


def _write(folder: Path, tag: str, memory: Memory, others: Others) -> None:
    """Write the journal beside its place, and put it there whole."""
    fresh = folder / _FRESH
    for left in (fresh, folder / f"{_FRESH}-wal", folder / f"{_FRESH}-shm"):
        left.unlink(missing_ok=True)
    file = JournalFile(fresh, max_bytes=_MAX_BYTES, new_tag=lambda: tag)
    try:
        file.compact(memory.last_sequence, codec.encode_checkpoint(checkpoint_of(memory, others)))
        file.mark_drained(memory.last_sequence)
    finally:
        file.close()
    fresh.rename(folder / FILE)
