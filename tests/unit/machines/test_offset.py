"""How far a venue's clock is from ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.offset import DRIFT_PER_MILLION, KEPT, Offset, Sample
from tests.support.trade_words import SECOND, START

MS = 1_000_000


def sample(offset_ms: float, *, at_s: float = 0, out_ms: float = 10, back_ms: float = 10) -> Sample:
    """Return a question at `at_s` to a clock that is so far ahead; the way there and the way back take their time."""
    sent_ns = START + int(at_s * SECOND)
    there_ns = sent_ns + int(out_ms * MS)
    return Sample(sent_ns=sent_ns, received_ns=there_ns + int(back_ms * MS), server_ns=there_ns + int(offset_ms * MS))


def measured(*samples: Sample) -> Offset:
    """Return what these samples come to."""
    offset = Offset()
    for one in samples:
        offset = offset.taken(one)
    return offset


def test_nothing_is_known_before_the_first_sample() -> None:
    """No guess."""
    assert Offset().estimate(START) is None


def test_one_question_bounds_the_offset_by_half_its_round_trip() -> None:
    """The answer was given somewhere between."""
    one = sample(500, out_ms=30, back_ms=10)
    estimate = measured(one).estimate(one.received_ns)
    assert estimate is not None
    assert estimate.offset_ns == 510 * MS  # half of 40 ms is assumed, 30 it was
    assert estimate.uncertainty_ns == 21 * MS  # it told whole milliseconds


def test_the_median_lets_a_slow_answer_pass() -> None:
    """Its bounds are wide, and the best bounds count."""
    slow = sample(500, at_s=2, out_ms=4000, back_ms=10)
    offset = measured(sample(500), sample(500, at_s=1), slow)
    estimate = offset.estimate(slow.received_ns)
    assert estimate is not None
    assert estimate.offset_ns == 500 * MS
    assert estimate.uncertainty_ns < 15 * MS


@pytest.mark.parametrize("stepped_ms", [-2000, 3000])
def test_a_clock_that_was_stepped_is_noticed_with_the_next_question(stepped_ms: int) -> None:
    """What disagrees with the newest sample is dropped, whichever way it was."""
    offset = measured(*(sample(500, at_s=at_s) for at_s in range(KEPT)), sample(stepped_ms, at_s=60))
    assert len(offset.samples) == 1
    estimate = offset.estimate(START + 60 * SECOND)
    assert estimate is not None
    assert estimate.offset_ns == stepped_ms * MS


def test_the_newest_samples_are_kept() -> None:
    """A fixed number of them."""
    offset = measured(*(sample(500, at_s=at_s) for at_s in range(KEPT + 3)))
    assert [one.sent_ns for one in offset.samples] == [START + at_s * SECOND for at_s in range(3, KEPT + 3)]


def test_what_is_known_ages() -> None:
    """By the drift of a bad crystal."""
    offset = measured(sample(0))
    fresh, old = offset.estimate(START), offset.estimate(START + 10_000 * SECOND)
    assert fresh is not None
    assert old is not None
    assert old.uncertainty_ns - fresh.uncertainty_ns > 10_000 * SECOND * DRIFT_PER_MILLION // 1_000_000 - 100 * MS
    assert old.offset_ns == fresh.offset_ns


@given(
    true_ms=st.integers(-100_000, 100_000),
    drift=st.integers(-DRIFT_PER_MILLION, DRIFT_PER_MILLION),
    ways=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=12),
    later_s=st.integers(0, 3600),
)
def test_the_truth_is_always_within_the_uncertainty(
    true_ms: int, drift: int, ways: list[tuple[int, int]], later_s: int
) -> None:
    """Whatever the ways there and back, and however the clocks drift."""
    offset = Offset()
    at_s = 0
    for out_ms, back_ms in ways:
        drifted_ms = true_ms + (at_s + out_ms / 1000) * drift / 1000
        offset = offset.taken(sample(drifted_ms, at_s=at_s, out_ms=out_ms, back_ms=back_ms))
        at_s += 60
    now_s = at_s + later_s
    estimate = offset.estimate(START + now_s * SECOND)
    assert estimate is not None
    truth_ns = int((true_ms + now_s * drift / 1000) * MS)
    assert abs(estimate.offset_ns - truth_ns) <= estimate.uncertainty_ns
