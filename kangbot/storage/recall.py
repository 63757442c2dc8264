"""Rows of `events` back into records: what a lost journal is rebuilt from, and nothing else reads."""

from collections.abc import Iterable

from kangbot.journal import codec
from kangbot.model.events import Record
from kangbot.storage.projection import Value

JOURNALS = "SELECT tag, `stored` FROM journals ORDER BY tag"


def recalled(rows: Iterable[tuple[Value, ...]], journal: str) -> list[Record]:
    """Return the records of rows of (sequence, body). NeedsHuman where one cannot be understood."""
    return [
        codec.decode(str(body), journal=journal, sequence=int(str(sequence)), file="in the history")
        for sequence, body in rows
    ]


def journals(rows: Iterable[tuple[Value, ...]]) -> dict[str, int]:
    """Return how far each journal is stored, from rows of (tag, stored); those with nothing are left out."""
    return {str(tag): int(str(stored)) for tag, stored in rows if int(str(stored))}
