"""How the life before this one ended, and who is told."""

import msgspec

from kangbot.machines.lives import RESTARTED, STARTED, STOPPED, Lives
from kangbot.model.events import Noted, Severity
from tests.support.records import fill_applied, noted

MINUTE_NS = 60_000_000_000
NOON_NS = 1_000_000 * MINUTE_NS


def begin(lives: Lives, now_ns: int) -> Noted:
    """Begin a life, and return the word that it begins with."""
    word = lives.begun(now_ns)
    lives.observe(word)
    return word


def end(lives: Lives) -> None:
    """End it in order."""
    lives.observe(msgspec.structs.replace(noted(1), kind=STOPPED))


def test_a_life_that_follows_an_orderly_end_or_is_the_first_is_no_news() -> None:
    """What else was written meanwhile, or after the end, is no matter."""
    lives = Lives()
    assert begin(lives, NOON_NS).kind == STARTED
    end(lives)
    lives.observe(noted(2))
    lives.observe(fill_applied())
    again = begin(lives, NOON_NS + MINUTE_NS)
    assert (again.kind, again.severity) == (STARTED, Severity.INFO)


def test_a_life_that_follows_one_without_an_end_is_told_to_people() -> None:
    """Whatever it was: it could not say so itself."""
    lives = Lives()
    begin(lives, NOON_NS)
    again = begin(lives, NOON_NS + MINUTE_NS)
    assert (again.kind, again.severity) == (RESTARTED, Severity.ERROR)
    assert again.message == "started again: the run before has no end, it was killed or fell"


def test_lives_that_fall_one_after_another_are_told_of_once_an_hour_with_their_number() -> None:
    """Twelve messages of the same say no more than one; each stands in the journal."""
    lives = Lives()
    begin(lives, NOON_NS)
    words = [begin(lives, NOON_NS + minute * MINUTE_NS) for minute in (1, 2, 3, 61)]
    assert [word.severity for word in words] == [Severity.ERROR, Severity.INFO, Severity.INFO, Severity.ERROR]
    assert words[-1].message.endswith("; 3 times since this was told last")
    assert begin(lives, NOON_NS + 62 * MINUTE_NS).message.endswith("killed or fell")


def test_a_clock_that_was_set_back_silences_no_fall() -> None:
    """What was told in the future was told by a wrong clock."""
    lives = Lives()
    begin(lives, NOON_NS)
    begin(lives, NOON_NS + MINUTE_NS)
    assert begin(lives, NOON_NS).severity is Severity.ERROR


def test_what_is_known_survives_the_compaction() -> None:
    """A life that has no end has none after its start was removed from the journal."""
    lives, again = Lives(), Lives()
    begin(lives, NOON_NS)
    begin(lives, NOON_NS + MINUTE_NS)
    again.resume(lives.checkpoint())
    word = begin(again, NOON_NS + 2 * MINUTE_NS)
    assert (word.kind, word.severity) == (RESTARTED, Severity.INFO)
