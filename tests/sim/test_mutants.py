"""Each safeguard of the daemon, taken out: the simulation notices. In whole sessions: make simulate-mutants."""

import pytest

from kangbot.scenario.plan import Options
from kangbot.scenario.run import caught_by, simulate
from kangbot.sim.faults import Kind
from kangbot.sim.mutants import MUTANTS, mutated

# What a mutant needs to show itself; the others show themselves whatever fails.
_LATE = (Kind.LATE_REQUEST, Kind.LATE_ACCEPTANCE, Kind.RESET)
_NEEDS: dict[str, tuple[Kind, ...]] = {
    "acknowledged_before_sync": (Kind.DISK_SLOW,),
    "five_not_founds": _LATE,
    "absence_before_deadline": _LATE,
    "no_overlap": (Kind.STALE_ANSWERS, Kind.PRIVATE_DROP),
    "restart_forgets": (Kind.CRASH,),
    "ids_begin_anew": (Kind.CRASH,),
    "retry_after_ignored": (Kind.THROTTLE,),
    "trusts_failed_query": (Kind.MAINTENANCE,),
    "duplicate_means_rejected": (Kind.DUPLICATION,),
    "resend_after_deadline": (Kind.RESET, Kind.LOSS),
    "new_id_a_retry": (Kind.LOST_ANSWER,),
    "exception_means_failed": _LATE,
}
_RARE = {"no_settle_margin"}  # needs hundreds of sessions


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in _RARE])
def test_a_missing_safeguard_is_noticed(name: str) -> None:
    """Within sixty sessions of five minutes, under the faults that it guards against."""
    assert caught_by(name, range(1, 61), Options(minutes=5, kinds=_NEEDS.get(name))) is not None


def test_a_mutant_leaves_nothing_behind() -> None:
    """The same seed is quiet before and after."""
    options = Options(minutes=4, kinds=())
    before = simulate(2, options)
    simulate(2, options, "journal_after_send")
    assert simulate(2, options) == before
    assert before.violation is None


def test_an_unknown_mutant_is_told() -> None:
    """A misspelt name would let every sweep pass."""
    with pytest.raises(KeyError), mutated("no_such_safeguard"):
        pass
