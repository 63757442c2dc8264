"""When an edited file is read."""

from kangbot.machines.edits import Edits, Look

OLD, NEW, NEWER = (1, 10), (2, 10), (3, 10)


def test_a_file_that_nobody_touched_is_not_read() -> None:
    """The beat costs one look."""
    assert Edits(judged=OLD).look(OLD) == (Edits(judged=OLD), Look.NOTHING)


def test_a_file_is_read_once_it_holds_still() -> None:
    """An editor that writes in pieces is let finish."""
    edits, look = Edits(judged=OLD).look(NEW)
    assert look is Look.NOTHING
    edits, look = edits.look(NEWER)
    assert look is Look.NOTHING
    edits, look = edits.look(NEWER)
    assert look is Look.READ
    assert edits.understood(NEWER).look(NEWER)[1] is Look.NOTHING


def test_a_file_that_is_not_understood_is_read_once_more_before_it_is_told() -> None:
    """It may have been half-written; told once, it is not read again until it changes."""
    edits, _ = Edits(judged=OLD).look(NEW)
    edits, tell = edits.misread(NEW)
    assert not tell
    edits, look = edits.look(NEW)
    assert look is Look.READ
    edits, tell = edits.misread(NEW)
    assert tell
    assert edits.look(NEW)[1] is Look.NOTHING


def test_a_file_that_vanishes_for_a_moment_is_nobodys_business() -> None:
    """An editor that removes before it writes: what is there again as it was has not changed."""
    edits, _ = Edits(judged=OLD).look(())
    edits, _ = edits.misread(())
    assert edits.look(OLD) == (Edits(judged=OLD), Look.NOTHING)
