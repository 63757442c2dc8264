"""For how long a venue wants to be left alone, over restarts."""

from kangbot.machines.pauses import Pauses
from kangbot.model.events import RequestsPaused
from tests.support.records import noted

SECOND_NS = 1_000_000_000


def paused(budget: str, until_ns: int) -> RequestsPaused:
    """What the journal has of it."""
    return RequestsPaused(budget=budget, until_ns=until_ns, at_ns=0)


def test_the_newest_pause_of_each_budget_stands() -> None:
    """One venue's ban is not the other's; what else is in the journal is no matter."""
    pauses = Pauses()
    for event in (paused("a", 5), paused("b", 9), paused("a", 7), noted(1)):
        pauses.observe(event)
    assert [pauses.left_ns(name, 4) for name in ("a", "b", "c")] == [3, 5, 0]
    assert pauses.left_ns("a", 8) == 0


def test_a_pause_survives_the_compaction() -> None:
    """What stands for removed records says the same."""
    pauses, again = Pauses(), Pauses()
    pauses.observe(paused("a", 7))
    again.resume(pauses.checkpoint())
    assert again.left_ns("a", 4) == 3


def test_a_clock_that_was_set_back_does_not_silence_a_venue_for_ever() -> None:
    """No ban is longer than three days, so no pause is believed to be."""
    pauses = Pauses()
    pauses.observe(paused("a", 400 * 86_400 * SECOND_NS))
    assert pauses.left_ns("a", 0) == 3 * 86_400 * SECOND_NS
