"""Rows of a history back into records, as either database's driver gives them."""

from decimal import Decimal

import pytest

from kangbot.errors import NeedsHuman
from kangbot.model.events import EquityMarked
from kangbot.storage import tables
from kangbot.storage.projection import Value, project
from kangbot.storage.recall import journals, recalled, same
from tests.support.records import EVERY, TAG, bar_stored, noted, records


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


def test_what_comes_again_is_passed_over_where_it_is_the_same() -> None:
    """Bars are elsewhere, and of marks of equity some have gone."""
    ours = records(EVERY)
    same(ours, recalled(stored(), TAG))
    same(ours, [record for record in recalled(stored(), TAG) if not isinstance(record.event, EquityMarked)])
    same([], [])


def test_what_the_history_has_not_or_has_otherwise_is_not_passed_over() -> None:
    """It would be lost, and nobody would know."""
    ours = records([noted(1), noted(2), noted(3)], after=4)
    with pytest.raises(NeedsHuman, match=f"it has record 6 of journal {TAG}, and has it not: another copy") as caught:
        same(ours, [ours[0], ours[2]])
    assert "name an empty database" in caught.value.remedy
    with pytest.raises(NeedsHuman, match=f"it has record 7 of journal {TAG}, and it is another one"):
        same(ours, [*ours[:2], *records([noted(8)], after=6)])
    marks = [record for record in records(EVERY) if isinstance(record.event, EquityMarked)]
    with pytest.raises(NeedsHuman, match="it is another one"):
        same(marks, records([noted(8)], after=marks[0].sequence - 1))
