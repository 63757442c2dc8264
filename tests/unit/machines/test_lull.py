"""When frames may wait."""

import pytest

from kangbot.machines.lull import REST_S, rest_s
from kangbot.runtime.world import SECOND_NS

MINUTE_NS = 60 * SECOND_NS
NOON_NS = 1_700_000_000 // 60 * MINUTE_NS  # some turn of a minute


@pytest.mark.parametrize(
    ("into_ns", "rest"),
    [
        (0, 0.0),
        (5 * SECOND_NS - 1, 0.0),
        (5 * SECOND_NS, REST_S),
        (30 * SECOND_NS, REST_S),
        (59 * SECOND_NS - 1, REST_S),
        (59 * SECOND_NS, 0.0),
        (MINUTE_NS - 1, 0.0),
    ],
)
def test_around_the_turn_of_each_minute_every_frame_is_read_as_it_comes(into_ns: int, rest: float) -> None:
    """That is when bars close; a rest that begins before it ends before it."""
    assert rest_s(NOON_NS + into_ns) == rest
    assert rest_s(NOON_NS + 7 * MINUTE_NS + into_ns) == rest
    assert REST_S < 1.0
