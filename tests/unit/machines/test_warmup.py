"""Fetched and streamed bars joined: no gap, no overlap."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.warmup import ABSENT, SECOND_NS, SPARE, Fit, Missing, Ready, WarmUp, fit
from kangbot.model.data import Bar
from kangbot.model.ids import MarketId

MINUTE_NS = 60 * SECOND_NS
NOW_NS = 15 * MINUTE_NS + 5 * SECOND_NS  # the grace of what ended at 15 is over
_TRADELESS = (Decimal(3), Decimal(3), Decimal(3), Decimal(3), Decimal(0))  # after a close of 3


def bar(minute: int, close: int = 1, timeframe_s: int = 60) -> Bar:
    """Return the bar that opens at this minute."""
    price = Decimal(close)
    return Bar(
        market=MarketId("bybit:BTC-USDT:USDT"),
        timeframe_s=timeframe_s,
        open_ns=minute * MINUTE_NS,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Decimal(1),
    )


def warmup(needed: int) -> WarmUp:
    """Return a warm-up of 1-minute bars."""
    return WarmUp(timeframe_s=60, needed=needed)


def minutes(outcome: Ready | Missing) -> list[int]:
    """Return the opening minutes of the bars that are ready."""
    assert isinstance(outcome, Ready)
    return [one.open_ns // MINUTE_NS for one in outcome.bars]


def test_fetched_and_streamed_bars_become_one_sequence() -> None:
    """Oldest first, each bar once."""
    join = warmup(4)
    join.streamed(bar(13))
    join.streamed(bar(14))
    join.fetched([bar(minute) for minute in range(10, 14)])
    assert minutes(join.join(15 * MINUTE_NS)) == [10, 11, 12, 13, 14]


def test_where_both_know_a_bar_the_stream_is_believed() -> None:
    """A fetch right after a bar's end may see it unfinished."""
    join = warmup(1)
    join.streamed(bar(14, close=7))
    join.fetched([bar(14, close=5)])
    outcome = join.join(15 * MINUTE_NS)
    assert isinstance(outcome, Ready)
    assert outcome.bars[-1].close == 7


def test_a_gap_between_history_and_stream_is_named() -> None:
    """The bars to fetch are those between the two."""
    join = warmup(5)
    join.fetched([bar(minute) for minute in range(5, 12)])
    join.streamed(bar(14))
    assert join.join(15 * MINUTE_NS) == Missing(first_ns=12 * MINUTE_NS, until_ns=14 * MINUTE_NS, count=2)
    join.fetched([bar(12), bar(13)])
    assert minutes(join.join(15 * MINUTE_NS)) == list(range(5, 15))


def test_the_newest_of_several_gaps_is_named_first() -> None:
    """Each fetch closes one; the newest matters most."""
    join = warmup(6)
    join.fetched([bar(9), bar(10), bar(12), bar(14)])
    assert join.join(NOW_NS) == Missing(first_ns=13 * MINUTE_NS, until_ns=14 * MINUTE_NS, count=1)


def test_a_gap_before_the_bars_needed_does_not_matter() -> None:
    """Only the look-back must be whole; what is before the gap is left out."""
    join = warmup(3)
    join.fetched([bar(8), bar(12), bar(13), bar(14)])
    assert minutes(join.join(NOW_NS)) == [12, 13, 14]


def test_too_few_bars_are_missing_at_the_old_end() -> None:
    """A young market cannot be ready; the caller sees what never comes."""
    join = warmup(5)
    join.fetched([bar(13), bar(14)])
    assert join.join(NOW_NS) == Missing(first_ns=10 * MINUTE_NS, until_ns=13 * MINUTE_NS, count=3)


def test_with_no_bar_at_all_the_whole_look_back_is_missing() -> None:
    """This is the first fetch to make."""
    assert warmup(3).join(NOW_NS) == Missing(first_ns=12 * MINUTE_NS, until_ns=15 * MINUTE_NS, count=3)


def test_a_bar_on_its_way_is_not_missing_until_its_grace_is_over() -> None:
    """The stream tells a bar some time after its end."""
    join = warmup(2)
    join.fetched([bar(12), bar(13)])
    assert minutes(join.join(15 * MINUTE_NS + 4 * SECOND_NS)) == [12, 13]
    assert isinstance(join.join(15 * MINUTE_NS + 5 * SECOND_NS), Missing)


def test_a_bar_that_only_a_fetch_knows_is_missing_until_its_grace_is_over() -> None:
    """The venue's history may still change it; the stream tells it once it is final, and then it is there at once."""
    early = Missing(first_ns=14 * MINUTE_NS, until_ns=15 * MINUTE_NS, count=1)
    join = warmup(2)
    join.fetched([bar(12), bar(13), bar(14, close=5)])
    assert join.join(15 * MINUTE_NS) == early
    assert join.join(15 * MINUTE_NS + 4 * SECOND_NS) == early
    join.fetched([bar(13), bar(14, close=7)])
    outcome = join.join(NOW_NS)
    assert isinstance(outcome, Ready)
    assert outcome.bars[-1].close == 7
    again = warmup(2)
    again.fetched([bar(12), bar(13), bar(14, close=5)])
    again.streamed(bar(14, close=7))
    assert minutes(again.join(15 * MINUTE_NS + SECOND_NS)) == [12, 13, 14]


def test_a_bar_of_another_timeframe_is_refused() -> None:
    """Bars of two timeframes never mix, and a bar off the grid is none."""
    join = warmup(1)
    with pytest.raises(ValueError, match="does not belong"):
        join.streamed(bar(15, timeframe_s=300))
    with pytest.raises(ValueError, match="does not belong"):
        WarmUp(timeframe_s=300, needed=1).fetched([bar(1, timeframe_s=300)])


@pytest.mark.parametrize(("minute", "expected"), [(10, Fit.REPEAT), (9, Fit.REPEAT), (11, Fit.NEXT), (12, Fit.GAP)])
def test_a_bar_follows_repeats_or_leaves_a_gap(minute: int, expected: Fit) -> None:
    """What the market's task does with a streamed bar depends on this alone."""
    assert fit(bar(10), bar(minute)) is expected


@given(
    st.sets(st.integers(0, 30)),
    st.sets(st.integers(0, 30)),
    st.integers(1, 12),
    st.integers(1, 32),
)
def test_ready_is_whole_and_missing_is_truly_missing(
    fetched: set[int], streamed: set[int], needed: int, now_minute: int
) -> None:
    """Whatever is known: either enough bars without a gap up to the newest due, or a stretch of which none is known."""
    join = warmup(needed)
    join.fetched([bar(minute) for minute in sorted(fetched)])
    for minute in sorted(streamed):
        join.streamed(bar(minute))
    now_ns = now_minute * MINUTE_NS + 10 * SECOND_NS
    known = {minute for minute in fetched if minute < now_minute} | streamed  # what ends later is not final
    outcome = join.join(now_ns)
    if isinstance(outcome, Ready):
        told = minutes(outcome)
        assert told == list(range(told[0], told[-1] + 1))
        assert len(told) >= needed
        assert told[-1] >= now_minute - 1
    else:
        stretch = range(outcome.first_ns // MINUTE_NS, outcome.until_ns // MINUTE_NS)
        assert len(stretch) == outcome.count > 0
        assert not known.intersection(stretch)


def test_what_streams_for_days_before_history_comes_is_bounded() -> None:
    """The newest are kept, enough of them to begin at once when the venue's history is there again."""
    join = warmup(4)
    for minute in range(5 * SPARE):
        join.streamed(bar(minute))
        if not minute % 1_000:
            join.fetched([bar(minute)])
    told = minutes(join.join(5 * SPARE * MINUTE_NS))
    assert told == list(range(4 * SPARE - 4, 5 * SPARE))


def test_what_is_fetched_again_and_again_is_bounded() -> None:
    """Also where the newest comes first."""
    join = warmup(1)
    join.fetched([bar(minute) for minute in reversed(range(3 * SPARE))])
    assert minutes(join.join(3 * SPARE * MINUTE_NS + 5 * SECOND_NS)) == list(range(2 * SPARE - 1, 3 * SPARE))


def test_a_bar_that_history_never_has_is_one_without_a_trade() -> None:
    """Between what came before and after, at the last close; not before fetch after fetch has lacked it."""
    join = warmup(6)
    for _ in range(ABSENT):
        assert isinstance(join.join(NOW_NS), Missing)
        moved = msgspec.structs.replace(bar(11, close=3), open=Decimal(2), high=Decimal(5), low=Decimal(1))
        join.fetched([bar(9), bar(10), moved, bar(14)])
    outcome = join.join(NOW_NS)
    assert minutes(outcome) == [9, 10, 11, 12, 13, 14]
    assert isinstance(outcome, Ready)
    assert [(one.open, one.high, one.low, one.close, one.volume) for one in outcome.bars[3:5]] == [_TRADELESS] * 2


def test_a_bar_that_comes_late_is_taken_as_it_is() -> None:
    """By either way, and the count begins anew for one that was there meanwhile."""
    join = warmup(4)
    for _ in range(ABSENT):
        join.fetched([bar(11), bar(14)])
    join.streamed(bar(12, close=8))
    join.fetched([bar(11), bar(13, close=9), bar(14)])
    outcome = join.join(NOW_NS)
    assert isinstance(outcome, Ready)
    assert [one.close for one in outcome.bars] == [1, 8, 9, 1]


def test_what_history_does_not_reach_is_waited_for() -> None:
    """Newer than its newest bar, older than its oldest, and a hole that is longer than any look-back."""
    join = warmup(3)
    for _ in range(2 * ABSENT):
        join.fetched([bar(0), bar(SPARE + 5), bar(SPARE + 6)])
        assert isinstance(join.join((SPARE + 7) * MINUTE_NS), Missing)
        assert isinstance(join.join((SPARE + 9) * MINUTE_NS), Missing)
    join = warmup(3)
    for _ in range(ABSENT):
        join.fetched([bar(0), bar(SPARE + 5), bar(SPARE + 7)])
    outcome = join.join((SPARE + 8) * MINUTE_NS + 5 * SECOND_NS)
    assert minutes(outcome) == [SPARE + 5, SPARE + 6, SPARE + 7], "a shorter hole behind it is filled all the same"


@pytest.mark.parametrize("ahead_minutes", [1441, 10**9])
def test_a_bar_of_a_time_to_come_is_no_bar(ahead_minutes: int) -> None:
    """Else one frame with a wrong time would have all bars until then be missing, and the market never decide again."""
    join = warmup(3)
    join.streamed(bar(15 + ahead_minutes))
    join.fetched([bar(15 + ahead_minutes), *(bar(minute) for minute in range(10, 15))])
    assert minutes(join.join(NOW_NS)) == [10, 11, 12, 13, 14]
    join.streamed(bar(15))
    assert minutes(join.join(NOW_NS + MINUTE_NS)) == [10, 11, 12, 13, 14, 15]


def test_a_bar_is_believed_though_our_clock_is_behind() -> None:
    """By less than a day: until the venue's clock is measured nobody knows."""
    join = warmup(2)
    join.fetched([bar(1455)])
    join.streamed(bar(1454))
    join.streamed(bar(1455))
    assert minutes(join.join(NOW_NS)) == [1454, 1455]
