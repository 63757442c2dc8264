"""The shapes of rows: what finds a row, what a later record changes in it, and how tables are named."""

from kangbot.storage import tables
from kangbot.storage.tables import LATER, NAMES, REVISION, Upsert

SHAPES = {name: shape for name, shape in vars(tables).items() if isinstance(shape, Upsert)}


def test_every_row_is_found_by_its_key_and_names_the_record_that_wrote_it() -> None:
    """The key stands first and is never changed; each column once."""
    for name, shape in SHAPES.items():
        assert shape.columns[: len(shape.key)] == shape.key, name
        assert not set(shape.key) & set(shape.change), name
        assert len(set(shape.columns)) == len(shape.columns), name
        assert {"journal", "sequence"} <= set(shape.columns), name


def test_what_happened_once_stands_as_it_was_told_first() -> None:
    """Of all else a later record overwrites every column that is its own."""
    stand = {name for name, shape in SHAPES.items() if not shape.change}
    assert stand == {"FILL", "CASH_FLOW", "TRANSFER"}
    for name in SHAPES.keys() - stand:
        assert set(SHAPES[name].change) == set(SHAPES[name].columns) - set(SHAPES[name].key), name


def test_an_execution_and_a_transfer_are_told_apart_whichever_journal_tells_them() -> None:
    """A journal that was begun anew tells them again, and they count once; what has no name of its own is a record."""
    for name in ("FILL", "CASH_FLOW", "TRANSFER", "BAR", "POSITION", "ORDER_INTENDED", "ORDER_CHANGED"):
        assert "journal" not in SHAPES[name].key, name
    for name in ("EVENT", "EQUITY", "RUN_STATE", "ROUND_TRIP"):
        assert SHAPES[name].key == ("journal", "sequence"), name


def test_each_table_is_named_once_and_the_marks_of_journals_before_all() -> None:
    """A dump has them first, so that who looks for marks need not read all of it."""
    assert NAMES[0] == "journals"
    assert set(NAMES[1:]) == {shape.table for shape in SHAPES.values()}
    assert len(set(NAMES)) == len(NAMES)
    assert set(LATER) <= set(NAMES)
    assert all("0001" < revision <= REVISION for revision in LATER.values())
