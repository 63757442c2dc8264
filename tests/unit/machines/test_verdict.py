"""Bounds, the worst of many checks, and the score."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kangbot.machines.verdict import Bounds, Status, score, worst

HEALTHY, WARNING, CRITICAL = Status
DECISION = Bounds(warning=30, critical=90)
DISK = Bounds(warning=1024, critical=128)


@pytest.mark.parametrize(
    ("figure", "status"), [(None, HEALTHY), (29.9, HEALTHY), (30, WARNING), (90, WARNING), (90.1, CRITICAL)]
)
def test_much_is_bad(figure: float | None, status: Status) -> None:
    """From the first bound on it warns, above the second it is critical; nothing measured is well."""
    assert DECISION.judge(figure) is status


@pytest.mark.parametrize(
    ("figure", "status"), [(None, HEALTHY), (1025, HEALTHY), (1024, WARNING), (128, WARNING), (127, CRITICAL)]
)
def test_little_left_is_bad(figure: float | None, status: Status) -> None:
    """The same, the other way round."""
    assert DISK.judge_left(figure) is status


def test_the_worst_is_told() -> None:
    """Whatever its place."""
    assert worst([]) is HEALTHY
    assert worst([WARNING, HEALTHY]) is WARNING
    assert worst([HEALTHY, CRITICAL, WARNING]) is CRITICAL


def test_the_score_is_its_formula() -> None:
    """Half for markets that run, a fifth for closed breakers, the rest for the checks."""
    assert score(active=27, wanted=27, tripped=0, statuses=[HEALTHY] * 10) == 100
    assert score(active=0, wanted=0, tripped=0, statuses=[]) == 100
    assert score(active=20, wanted=27, tripped=0, statuses=[HEALTHY]) == 87
    assert score(active=10, wanted=20, tripped=10, statuses=[HEALTHY, WARNING]) == 57
    assert score(active=0, wanted=10, tripped=10, statuses=[CRITICAL]) == 0


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.lists(st.sampled_from(Status), max_size=20))
def test_no_good_figure_outweighs_a_bad_one(wanted: int, active: int, tripped: int, statuses: list[Status]) -> None:
    """The score stays within 0 to 100, under 90 with a warning, under 60 with a critical check."""
    most = {HEALTHY: 100, WARNING: 89, CRITICAL: 59}[worst(statuses)]
    figure = score(active=min(active, wanted), wanted=wanted, tripped=min(tripped, wanted), statuses=statuses)
    assert 0 <= figure <= most
