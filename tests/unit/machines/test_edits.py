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


def looks_until_read(edits: Edits) -> tuple[Edits, int]:
    """Return how many looks at the same file it takes until it is read."""
    looks, look = 0, Look.NOTHING
    while look is Look.NOTHING:
        edits, look = edits.look(NEW)
        looks += 1
    return edits, looks


def test_a_file_of_which_nothing_is_known_is_read_again_by_itself_and_later_each_time() -> None:
    """Ten looks, twenty, and an hour in the end; what is wrong with it is told at once when it can be read."""
    edits = Edits(judged=OLD).put_off(NEW)
    waits = []
    for _ in range(11):
        edits, looks = looks_until_read(edits)
        waits.append(looks)
        edits = edits.put_off(NEW)
    assert waits == [11, 21, 41, 81, 161, 321, 641, 1281, 2561, 3601, 3601]
    edits, _ = looks_until_read(edits)
    assert edits.misread(NEW) == (Edits(judged=NEW), True)


def test_a_new_edit_of_a_file_that_was_put_off_is_read_at_once() -> None:
    """Nobody who puts it right has to wait; and one that is taken back is no edit."""
    put_off = Edits(judged=OLD).put_off(NEW).put_off(NEW)
    edits, look = put_off.look(NEWER)
    assert look is Look.NOTHING
    edits, look = edits.look(NEWER)
    assert look is Look.READ
    assert edits.put_off(NEWER).left == 10
    assert put_off.look(OLD) == (Edits(judged=OLD), Look.NOTHING)
