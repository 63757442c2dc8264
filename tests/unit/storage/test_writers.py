"""One daemon at a time writes into a database."""

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.writers import ALIVE_S, Mark, another, marks, stored

HERE, THERE, WHERE = "vps-1:/state", "vps-2:/state", "mysql://trader@db.example:3306/kangbot"


def mark(tag: str, place: str, age_s: float | None) -> Mark:
    """Return a journal's mark, with ten records."""
    return Mark(tag=tag, stored=10, place=place, age_s=age_s)


def asked(*known: Mark) -> int:
    """Ask how far the journal of our daemon is, whose tag is "m"."""
    return stored(known, "m", HERE, WHERE)


@pytest.mark.parametrize(
    "other",
    [
        mark("a", HERE, 1),  # of the folder that was emptied and begun anew
        mark("a", THERE, ALIVE_S),
        mark("a", THERE, -ALIVE_S),  # by a clock that was put back by as much
        mark("a", THERE, None),
        mark("a", "", None),  # of a version that did not say
    ],
)
def test_who_is_gone_is_in_nobodys_way(other: Mark) -> None:
    """Silent for an hour, or our own predecessor."""
    assert asked(other) == 0
    assert asked(other, mark("m", HERE, 5)) == 10


@pytest.mark.parametrize("age_s", [0, 59, ALIVE_S - 1, -30])
def test_who_lives_keeps_a_newcomer_out(age_s: float) -> None:
    """By words that name the database and the other one; also where the database's clock was put back meanwhile."""
    with pytest.raises(NeedsHuman, match=rf"^{WHERE} is written by another kangbot: {THERE}, journal z, "):
        asked(mark("z", THERE, age_s))


def test_who_was_away_for_an_hour_does_not_push_out_who_took_over() -> None:
    """Each of the two is told of one that lives, and it is the same one."""
    with pytest.raises(NeedsHuman, match="journal z"):
        asked(mark("m", HERE, ALIVE_S + 1), mark("z", THERE, 3))
    assert stored([mark("m", HERE, ALIVE_S + 1), mark("z", THERE, 3)], "z", THERE, WHERE) == 10


def test_of_two_that_began_at_once_one_stays() -> None:
    """Both have written before either looked: the lower tag goes on, on both sides."""
    both = [mark("m", HERE, 2), mark("z", THERE, 2)]
    assert stored(both, "m", HERE, WHERE) == 10
    with pytest.raises(NeedsHuman, match="journal m"):
        stored(both, "z", THERE, WHERE)


def test_a_journal_that_comes_from_two_places_is_a_copys() -> None:
    """A folder that was moved is gone on with; once we have written, nobody else has our journal in good faith."""
    moved = mark("m", THERE, 3)
    assert stored([moved], "m", HERE, WHERE) == 10
    with pytest.raises(NeedsHuman, match=f"^{WHERE} gets this daemon's journal from another kangbot as well: {THERE}"):
        stored([moved], "m", HERE, WHERE, wrote=True)
    assert stored([mark("m", THERE, ALIVE_S)], "m", HERE, WHERE, wrote=True) == 10
    assert stored([mark("m", HERE, 3)], "m", HERE, WHERE, wrote=True) == 10


def test_somebody_who_asks_beside_the_daemon_is_told_of_another_one() -> None:
    """By the place alone, for the journal is the daemon's; nobody is in the way of one that writes already."""
    assert another([mark("z", THERE, 3)], HERE) == mark("z", THERE, 3)
    assert another([mark("z", THERE, 3), mark("m", HERE, 3)], HERE) is None
    assert another([mark("z", THERE, ALIVE_S), mark("a", "", None)], HERE) is None


def test_rows_of_either_database_are_marks() -> None:
    """An age is a number of seconds, or nothing where nobody has said since when."""
    assert marks([("m", 10, HERE, 2.5), ("z", 10, None, None)]) == [mark("m", HERE, 2.5), mark("z", "", None)]
