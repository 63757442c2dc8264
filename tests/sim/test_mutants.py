"""Each safeguard of the daemon, taken out: the simulation notices. In whole sessions: make simulate-mutants."""

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from kangbot.market.rules import Rules
from kangbot.scenario.plan import Options
from kangbot.scenario.run import caught_by, simulate
from kangbot.sim.proof.mutants import MUTANTS, mutated
from kangbot.sim.world.faults import Kind

_SEEDS = 60
_NAMES = list(MUTANTS)
# What a mutant needs to show itself; the others show themselves whatever fails.
_LATE = (Kind.LATE_REQUEST, Kind.LATE_ACCEPTANCE, Kind.RESET)
_NEEDS: dict[str, tuple[Kind, ...]] = {
    "acknowledged_before_sync": (Kind.DISK_SLOW,),
    "five_not_founds": _LATE,
    "absence_before_deadline": _LATE,
    "no_settle_margin": (Kind.OVERLOAD, Kind.STALE_ANSWERS, Kind.PRIVATE_DROP),
    "by_our_clock": (Kind.VENUE_CLOCK_STEP, Kind.OVERLOAD),
    "exception_means_failed": _LATE,
    "no_overlap": (Kind.STALE_ANSWERS, Kind.PRIVATE_DROP),
    "restart_forgets": (Kind.CRASH,),
    "restart_gives_back": (Kind.CRASH,),
    "ids_begin_anew": (Kind.CRASH,),
    "retry_after_ignored": (Kind.THROTTLE,),
    "trusts_failed_query": (Kind.MAINTENANCE,),
    "duplicate_means_rejected": (Kind.DUPLICATION,),
    "resend_after_deadline": (Kind.RESET, Kind.LOSS),
    "half_open_admits_all": (Kind.SERVER_ERROR, Kind.RESET),
    "breakers_forgotten": (Kind.CRASH, Kind.SERVER_ERROR, Kind.RESET),
    "checkpoint_without_orders": (Kind.CRASH,),
    "kill_in_memory": (Kind.CRASH,),
    "new_id_a_retry": (Kind.LOST_ANSWER,),
    "losses_forgotten": (Kind.DISK_SLOW,),  # which keeps nobody from trading
    "spot_stop_by_journal": (Kind.CRASH,),
    "spot_sale_makes_short": (Kind.CRASH,),
}
# The session that noticed it last, which is played before the others: where it notices it no more, they are to.
_NOTICED = {
    "absence_before_deadline": 6,
    "by_our_clock": 20,
    "no_overlap": 15,
    "cancel_is_canceled": 6,
    "enters_beside_unknown": 3,
    "calls_counted": 3,
    "breaker_counts_refusals": 3,
    "transfers_of_all_marks": 5,
    "accepted_in_memory": 10,
    "leverage_before_the_order": 4,
    "spot_stop_not_resized": 11,
    "spot_stop_placed_twice": 5,
    "five_not_founds": 10,
    "no_settle_margin": 8,
    "restart_gives_back": 7,
    "denied_cancel_is_canceled": 3,
    "unknown_not_counted": 3,
    "half_open_admits_all": 15,
    "breakers_forgotten": 4,
    "enters_anywhere": 18,
    "enters_beside_hands": 75,
    "never_rests": 14,
    "pause_lets_enter": 8,
    "stop_not_looked_for": 38,
    "losses_of_yesterday": 6,
    "transfers_are_losses": 5,
    "transfers_told_twice": 5,
    "accepted_and_forgotten": 43,
    "rules_of_the_start": 10,
    "spot_stop_over_all_coins": 9,
    "spot_exit_sells_theirs": 8,
    "spot_stop_by_journal": 3,
    "spot_sale_makes_short": 6,
    "edit_drops_books": 5,
    "edit_forgets_counts": 49,
}


@pytest.mark.process
@pytest.mark.parametrize("names", [_NAMES[::2], _NAMES[1::2]], ids=["even", "odd"])
def test_a_missing_safeguard_is_noticed(names: Sequence[str]) -> None:
    """Within sixty sessions of five minutes, under the faults that it guards against."""
    asked = {name: (_NEEDS.get(name, ()), _SEEDS, _NOTICED.get(name, 1)) for name in names}
    command = [sys.executable, "-m", "tests.support.mutant_sweep", json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3600)
    noticed = json.loads(done.stdout)
    assert list(noticed) == list(names)
    assert [name for name, seed in noticed.items() if seed is None] == []


def test_a_mutant_leaves_nothing_behind() -> None:
    """The same seed is quiet before and after."""
    options = Options(minutes=4, markets=2, kinds=())
    before = simulate(2, options)
    simulate(2, options, "journal_after_send")
    assert simulate(2, options) == before
    assert before.violation is None


def test_a_mutant_that_does_not_fit_the_code_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that has another argument by now: its task falls, and that is not what was to be noticed."""
    monkeypatch.setitem(MUTANTS, "outdated", lambda put: put(Rules, "_sleep", lambda _self: None))
    options = Options(minutes=3, markets=1, kinds=())
    outcome = simulate(1, options, "outdated")
    assert outcome.violation is not None
    assert outcome.violation.invariant == "fall"
    assert caught_by("outdated", (1, 2), options) is None


def test_an_unknown_mutant_is_told() -> None:
    """A misspelt name would let every sweep pass."""
    with pytest.raises(KeyError), mutated("no_such_safeguard"):
        pass
