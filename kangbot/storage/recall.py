"""Rows of `events` back into records: a lost journal is rebuilt from them, and what comes again is compared to them."""

from collections.abc import Iterable, Sequence

from kangbot.errors import NeedsHuman
from kangbot.journal import codec
from kangbot.model.events import BarStored, EquityMarked, Record
from kangbot.storage.projection import Value

JOURNALS = "SELECT tag, `stored` FROM journals ORDER BY tag"


def recalled(rows: Iterable[tuple[Value, ...]], journal: str) -> list[Record]:
    """Return the records of rows of (sequence, body). NeedsHuman where one cannot be understood."""
    return [
        codec.decode(str(body), journal=journal, sequence=int(str(sequence)), file="in the history")
        for sequence, body in rows
    ]


def same(passed: Sequence[Record], there: Iterable[Record]) -> None:
    """NeedsHuman where a record that is passed over as stored is not what the history has `there` in its place.

    Somebody may have put another database in place under a daemon that runs, whose mark is ahead of it. Of bars and of
    marks of equity the history does not have each.
    """
    known = {record.sequence: record for record in there}
    for record in passed:
        has = known.get(record.sequence)
        if has != record and (has or not isinstance(record.event, BarStored | EquityMarked)):
            raise NeedsHuman(
                f"the history says that it has record {record.sequence} of journal {record.journal}, "
                f"and {'it is another one' if has else 'has it not'}: another copy of the database was put in place",
                remedy="put the copy in place that belongs to this journal, or name an empty database: it gets what "
                "the journal still has",
            )


def journals(rows: Iterable[tuple[Value, ...]]) -> dict[str, int]:
    """Return how far each journal is stored, from rows of (tag, stored); those with nothing are left out."""
    return {str(tag): int(str(stored)) for tag, stored in rows if int(str(stored))}
