"""Until when errors keep entries back, over restarts."""

import pytest

from kangbot.machines.entry_holds import EntryHolds, Hold
from kangbot.model.events import EntriesPaused
from kangbot.model.ids import MarketId
from tests.support.records import noted

ANN = MarketId("v:ANN")
DAY_NS = 86_400 * 1_000_000_000


def paused(market: MarketId | None, until_ns: int) -> EntriesPaused:
    """What the journal has of it."""
    return EntriesPaused(market=market, until_ns=until_ns, cause="broke", at_ns=0)


def test_the_newest_hold_of_each_market_stands_until_it_is_over() -> None:
    """The account's is not the market's; what else is in the journal is no matter."""
    holds = EntryHolds()
    for event in (paused(ANN, 5), paused(None, 9), paused(ANN, 7), noted(1)):
        holds.observe(event)
    assert holds.left(4) == [Hold(market=ANN, until_ns=7, why="broke"), Hold(market=None, until_ns=9, why="broke")]
    assert [hold.market for hold in holds.left(7)] == [None]
    assert holds.left(9) == []


def test_a_hold_that_was_ended_by_hand_is_forgotten() -> None:
    """And one that never was is no trouble."""
    holds = EntryHolds()
    for event in (paused(ANN, 5), paused(ANN, 0), paused(None, 0)):
        holds.observe(event)
    assert holds.left(1) == []


def test_a_hold_survives_the_compaction() -> None:
    """What stands for removed records says the same."""
    holds, again = EntryHolds(), EntryHolds()
    holds.observe(paused(None, 7))
    again.observe(paused(ANN, 9))
    again.resume(holds.checkpoint())
    assert again.left(4) == holds.left(4) != []


def test_a_clock_that_was_set_back_holds_nobody_for_ever() -> None:
    """No hold is believed to be longer than a day."""
    holds = EntryHolds()
    holds.observe(paused(ANN, 400 * DAY_NS))
    assert [hold.until_ns for hold in holds.left(0)] == [DAY_NS]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_clock_that_was_set_back_makes_no_hold_longer_than_it_was(resumed: bool) -> None:
    """A minute on a clock that was a day ahead is a minute of the right one."""
    minute_ns = 60 * 1_000_000_000
    holds = EntryHolds()
    holds.observe(EntriesPaused(market=ANN, until_ns=DAY_NS + minute_ns, cause="broke", at_ns=DAY_NS))
    if resumed:
        state, holds = holds.checkpoint(), EntryHolds()
        holds.resume(state)
    assert [hold.until_ns for hold in holds.left(5)] == [5 + minute_ns]
    assert [hold.until_ns for hold in holds.left(DAY_NS + 1)] == [DAY_NS + minute_ns]
    assert holds.left(DAY_NS + minute_ns) == []
