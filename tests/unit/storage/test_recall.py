"""Rows of a history back into records, as either database's driver gives them."""

from decimal import Decimal

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage import tables
from kangbot.storage.projection import Value, project
from kangbot.storage.recall import journals, recalled
from tests.support.records import EVERY, TAG, bar_stored, records


def stored() -> list[tuple[Value, ...]]:
    """The rows of `events` that the projection writes, as (sequence, body)."""
    for upsert, rows in project(records(EVERY)):
        if upsert is tables.EVENT:
            places = [upsert.columns.index(name) for name in ("sequence", "body")]
            return [tuple(row[place] for place in places) for row in rows]
    raise AssertionError("no events")


def test_what_the_projection_wrote_is_read_back_as_it_was() -> None:
    """Every kind but bars, which it keeps elsewhere."""
    assert recalled(stored(), TAG) == [record for record in records(EVERY) if record.event != bar_stored()]


def test_a_body_that_nobody_understands_calls_a_person() -> None:
    """A record left out would be an order that is forgotten; it is named."""
    with pytest.raises(NeedsHuman, match="record 7 of the journal in the history cannot be read"):
        recalled([*stored(), (7, '{"type":"of a later version"}')], TAG)


def test_journals_of_which_nothing_is_stored_are_left_out() -> None:
    """A row is made before the first record is; numbers come as the driver has them."""
    rows: list[tuple[Value, ...]] = [("a", 0), ("b", 12), ("c", Decimal(7)), ("d", "0")]
    assert journals(rows) == {"b": 12, "c": 7}
    assert journals([]) == {}
