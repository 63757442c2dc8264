"""Durations in the words of the command line."""

import pytest

from kangbot.cli.ages import lasted

MINUTE = 60_000_000_000
HOUR, DAY = 60 * MINUTE, 1_440 * MINUTE


@pytest.mark.parametrize(
    ("duration_ns", "said"),
    [
        (-HOUR, "0h 00m"),
        (7 * MINUTE + 59_000_000_000, "0h 07m"),
        (2 * DAY - MINUTE, "47h 59m"),
        (2 * DAY, "2d 00h"),
        (134 * DAY + 2 * HOUR + 59 * MINUTE, "134d 02h"),
    ],
)
def test_months_are_told_in_days(duration_ns: int, said: str) -> None:
    """A daemon that was not looked at for months has no thousands of hours."""
    assert lasted(duration_ns) == said
