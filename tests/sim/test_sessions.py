"""The whole daemon in virtual time: many seeds keep every promise, and the seeds that once did not still do."""

import pytest

from kangbot.scenario.outcome import Outcome, empty_summary
from kangbot.scenario.plan import Options
from kangbot.scenario.run import simulate, sweep
from kangbot.sim.faults import Kind

_CALM = Options(minutes=4, kinds=())
_SHORT = Options(minutes=5)


def _told(outcome: Outcome) -> str:
    """Return what a reader of a failed test needs."""
    violation = outcome.violation
    if violation is None:
        return ""
    return "\n".join([*outcome.timeline, f"seed {outcome.seed}: ({violation.invariant}) {violation.message}"])


@pytest.mark.parametrize("first", range(1, 301, 50))
def test_sessions_with_faults_keep_every_promise(first: int) -> None:
    """Three hundred seeds of five virtual minutes, five markets each."""
    summary = empty_summary()
    for outcome in sweep(range(first, first + 50), _SHORT):
        assert outcome.violation is None, _told(outcome)
        summary.add(outcome)
    assert summary.orders > 50
    assert summary.crashes > 0


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CLOCK_STEP])
def test_each_kind_of_fault_strikes_and_is_survived(kind: Kind) -> None:
    """A fault that never strikes proves nothing."""
    struck = 0
    for outcome in sweep(range(1, 5), Options(minutes=5, kinds=(kind,))):
        assert outcome.violation is None, _told(outcome)
        struck += outcome.faults.get(kind.value, 0)
    assert struck


def test_a_session_without_faults_is_quiet() -> None:
    """Trading alone breaks nothing, and counts no fault."""
    for outcome in sweep(range(1, 4), _CALM):
        assert outcome.violation is None, _told(outcome)
        assert outcome.orders
        assert not outcome.faults


def test_a_session_is_told_of_with_what_led_to_a_violation() -> None:
    """The timeline ends where the promise was broken."""
    outcome = simulate(1, _SHORT, "journal_after_send")
    assert outcome.violation is not None
    assert outcome.violation.invariant == "3"
    assert any("VIOLATED" in line for line in outcome.timeline)
    assert any("sends" in line for line in outcome.timeline)
