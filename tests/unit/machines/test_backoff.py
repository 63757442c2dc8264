"""Backoff with equal jitter."""

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.backoff import Backoff

S = 1_000_000_000


@given(failures=st.integers(1, 2000), draw=st.floats(0, 1, exclude_max=True))
def test_half_of_every_wait_is_certain(failures: int, draw: float) -> None:
    """The wait lies between half and the whole of the exponential, and under the ceiling."""
    backoff = Backoff(first_ns=S, ceiling_ns=60 * S, failures=failures)
    full = min(S * 2 ** (failures - 1), 60 * S)
    assert full // 2 <= backoff.wait_ns(draw) <= full


def test_the_other_half_is_drawn() -> None:
    """So that many who wait do not come back together."""
    waits = [Backoff(first_ns=S, ceiling_ns=60 * S, failures=1).wait_ns(draw) for draw in (0.0, 0.5, 0.999_999_999)]
    assert waits == [S // 2, 3 * S // 4, S - 1]


def test_without_a_failure_there_is_no_wait() -> None:
    """A first attempt goes at once, unless the other side asked for quiet."""
    backoff = Backoff(first_ns=S, ceiling_ns=60 * S)
    assert backoff.wait_ns(0.5) == 0
    assert backoff.wait_ns(0.5, at_least_ns=7) == 7


def test_what_the_other_side_asks_for_is_a_floor() -> None:
    """A Retry-After is never undercut."""
    assert Backoff(first_ns=S, ceiling_ns=2 * S).failed().wait_ns(0.0, at_least_ns=9 * S) == 9 * S


def test_success_resets() -> None:
    """After a reset the next failure is the first."""
    backoff = Backoff(first_ns=S, ceiling_ns=60 * S).failed().failed().failed().reset().failed()
    assert backoff.wait_ns(0.0) == S // 2
