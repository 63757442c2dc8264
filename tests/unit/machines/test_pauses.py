"""For how long a venue wants to be left alone, over restarts."""

import pytest

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


@pytest.mark.parametrize("resumed", [False, True])
def test_a_clock_that_was_set_back_makes_no_pause_longer_than_it_was(resumed: bool) -> None:
    """Four seconds that were asked for on a clock three hours ahead are over after four of the right one."""
    ahead_ns = 3 * 3600 * SECOND_NS
    pauses = Pauses()
    pauses.observe(RequestsPaused(budget="a", until_ns=ahead_ns + 4 * SECOND_NS, at_ns=ahead_ns))
    if resumed:
        state, pauses = pauses.checkpoint(), Pauses()
        pauses.resume(state)
    assert pauses.left_ns("a", 60 * SECOND_NS) == 4 * SECOND_NS
    assert pauses.left_ns("a", ahead_ns + SECOND_NS) == 3 * SECOND_NS
    assert pauses.left_ns("a", ahead_ns + 5 * SECOND_NS) == 0


def test_a_checkpoint_that_has_the_end_of_a_pause_alone_is_understood() -> None:
    """An earlier version wrote it."""
    pauses = Pauses()
    pauses.resume(b'{"a":7}')
    assert pauses.left_ns("a", 4) == 3
