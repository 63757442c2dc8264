"""What a simulated venue is."""

import pytest

from kangbot.sim.markets.spec import SECOND_NS, VenueSpec


@pytest.mark.parametrize(
    ("rate", "frame_ns"), [(10.0, SECOND_NS // 10), (0.2, 5 * SECOND_NS), (3.0, 333_333_333), (1e12, 1)]
)
def test_a_rate_is_an_interval_of_whole_nanoseconds(rate: float, frame_ns: int) -> None:
    """And never of none: time would stand still."""
    assert VenueSpec(markets=(), start_ns=0, rate=rate).frame_ns == frame_ns
