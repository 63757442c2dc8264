"""When history is fetched: at once for a hole, later for what was missing, candle by candle for a dead stream."""

from kangbot.market.backfill import Backfill
from kangbot.runtime.world import SECOND_NS

MINUTE_NS = 60 * SECOND_NS
NOON_NS = 12 * 60 * MINUTE_NS


def test_one_fetch_is_under_way_at_a_time() -> None:
    """A hole is fetched at once, and not once more before the answer is there."""
    backfill = Backfill(lambda: 0)
    assert backfill.due_ns() == 0
    backfill.begun()
    assert backfill.due_ns() is None
    backfill.answered()
    assert backfill.due_ns() == 0


def test_what_was_asked_for_before_trades_flowed_again_closes_no_hole() -> None:
    """The venue answered as of before: it is asked once more, at once. In the stream's stead it serves."""
    backfill = Backfill(lambda: 0)
    backfill.begun()
    assert backfill.answered()
    backfill.begun()
    backfill.trades_are_back()
    assert not backfill.answered()
    assert backfill.due_ns() == 0
    backfill.begun()
    assert backfill.answered()


def test_bars_that_were_missing_are_asked_for_again() -> None:
    """Two seconds later while the stream flows, ten where it does not; a market that ends forgets it."""
    backfill = Backfill(lambda: 0)
    backfill.missing(NOON_NS, "one is missing", down=False)
    assert backfill.due_ns() == NOON_NS + 2 * SECOND_NS
    backfill.missing(NOON_NS, "one is missing", down=True)
    assert backfill.due_ns() == NOON_NS + 10 * SECOND_NS
    backfill.ended()
    assert backfill.due_ns() == 0


def test_what_stays_missing_is_asked_for_less_and_less() -> None:
    """A market that is new at the venue has no longer history: it is asked for once a minute in the end."""
    backfill = Backfill(lambda: 0)
    news, waits_s = list[bool](), list[int]()
    for number in range(12):
        news.append(backfill.missing(NOON_NS, f"{number} are missing", down=False))
        due_ns = backfill.due_ns()
        assert due_ns is not None
        waits_s.append((due_ns - NOON_NS) // SECOND_NS)
    assert waits_s == [2, 2, 2, 2, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [number for number, one in enumerate(news) if one] == [5]
    assert backfill.lacks == "11 are missing"
    backfill.whole()
    assert backfill.lacks == ""
    backfill.missing(NOON_NS, "one is missing", down=False)
    assert backfill.due_ns() == NOON_NS + 2 * SECOND_NS


def test_a_dead_stream_is_not_replaced_at_once() -> None:
    """It has ten seconds to come back; where it is back nothing waits for them."""
    backfill = Backfill(lambda: 0)
    backfill.stream_changed(NOON_NS, lost=True)
    backfill.stream_changed(NOON_NS + SECOND_NS, lost=True)
    assert backfill.due_ns() == NOON_NS + 10 * SECOND_NS
    backfill.stream_changed(NOON_NS + 2 * SECOND_NS, lost=False)
    assert backfill.due_ns() == 0


def test_the_next_candle_is_fetched_once_the_venue_has_it() -> None:
    """Six seconds after its end by the venue's clock, and never sooner than ten after the last fetch."""
    backfill = Backfill(lambda: 3 * SECOND_NS)
    backfill.stream_changed(NOON_NS, lost=True)
    backfill.candle_came(NOON_NS + 10 * SECOND_NS, MINUTE_NS)
    assert backfill.due_ns() == NOON_NS + MINUTE_NS - 3 * SECOND_NS + 6 * SECOND_NS
    backfill.candle_came(NOON_NS + 56 * SECOND_NS, MINUTE_NS)
    assert backfill.due_ns() == NOON_NS + 66 * SECOND_NS
