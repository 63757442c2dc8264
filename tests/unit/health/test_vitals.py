"""The parts that must never die: named while they are stuck, and only then."""

from kangbot.health.vitals import Vitals

SECOND = 1_000_000_000


def watched(vitals: Vitals, begin_s: int, end_s: int) -> str:
    """Look every five seconds, and return what the last look said."""
    said = ""
    for at_s in range(begin_s, end_s + 1, 5):
        said = vitals.stuck(at_s * SECOND)
    return said


def test_what_does_not_beat_is_named_with_its_time() -> None:
    """And is no longer named once it beats again."""
    vitals = Vitals()
    vitals.register("kill-switch", 60)
    assert watched(vitals, 0, 55) == ""
    assert watched(vitals, 60, 65) == "kill-switch for 65 s"
    vitals.beat("kill-switch")
    assert vitals.stuck(70 * SECOND) == ""


def test_an_idle_part_may_be_silent_for_ever() -> None:
    """Work that comes in afterwards has the whole bound."""
    waits: list[bool] = []
    vitals = Vitals()
    vitals.register("journal", 30, done=lambda: 7, waiting=lambda: bool(waits))
    assert watched(vitals, 0, 600) == ""
    waits.append(True)
    assert watched(vitals, 605, 630) == ""
    assert watched(vitals, 635, 635) == "journal for 30 s"


def test_every_stuck_part_is_named() -> None:
    """In the order in which they were registered; one that works hides none that does not."""
    vitals = Vitals()
    for name in ("journal", "account", "market v:A"):
        vitals.register(name, 10)
    watched(vitals, 0, 5)
    vitals.beat("account")
    assert watched(vitals, 10, 15) == "journal for 15 s, market v:A for 15 s"
