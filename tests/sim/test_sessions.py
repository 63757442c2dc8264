"""The whole daemon in virtual time: many seeds keep every promise.

The sweeps are processes of their own, as a person starts them: nothing of the test runner slows or disturbs them.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from kangbot.scenario.plan import Options
from kangbot.scenario.run import simulate
from kangbot.sim.world.faults import Kind

_DEEDS = (  # what happens in the sweeps that is no fault
    "venue_refused",
    "breaker_open",
    "breaker_half_open",
    "breaker_closed",
    "compaction",
    "records_compacted",
    "checkpoint_recovered",
    "hand_order",
    "hand_trade",
    "hand_told",
    "hand_quarantine",
    "hand_quarantine_kept",
    "drawdown_accepted",
    "kill_set",
    "kill_by_file",
    "kill_flatten",
    "kill_withdrawn",
    "kill_survived_restart",
    "kill_flat",
    "kill_released",
    "entry_after_release",
    "spot_stop",
    "spot_stop_sold",
)

_EDITS = (  # what edits of the configuration come to in the sweep that has them in every session
    "config.applied",
    "config.invalid",
    "config.settled",
    "config.restart_needed",
    "restarted_for_edit",
    "edited_while_away",
    "market_joined",
    "market_left",
    "market_left_holding",
    "market_left_in_flight",
    "market_left_behind",
    "market_back",
    "market_back_after_restart",
    "market_decides_otherwise",
    "market_resized",
    "market_resized_busy",
    "market_levered",
    "market_orders_otherwise",
    "limit_below_exposure",
    "limit_of_entries_reached",
    "command_refused",
)


def _simulate(*options: str) -> tuple[int, dict[str, Any], str]:
    """Return the exit code of `kangbot simulate`, what it says as JSON, and what it tells a person."""
    command = [sys.executable, "-m", "kangbot", "simulate", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.process
@pytest.mark.parametrize("seeds", ["1..150", "151..300"])
def test_sessions_with_faults_keep_every_promise(seeds: str) -> None:
    """Five virtual minutes and five markets a seed; every kind of fault strikes."""
    code, said, told = _simulate("--seeds", seeds, "--minutes", "5")
    assert said["violations"] == [], told
    assert code == 0
    assert said["seeds"] == 150
    assert said["orders"] > 1000
    assert said["crashes"] > 10
    assert [kind for kind in Kind if not said["faults"][kind.value]] == []
    assert [deed for deed in _DEEDS if not said["deeds"].get(deed)] == []


@pytest.mark.process
def test_sessions_with_spot_pairs_keep_every_promise() -> None:
    """What is held is coins, and its stop an order of ours: it follows them, sells them, and does not outlive them."""
    code, said, told = _simulate("--seeds", "61..100", "--minutes", "5", "--spot")
    assert said["violations"] == [], told
    assert code == 0
    assert said["deeds"]["hand_sold_ours"] > 0
    assert said["deeds"]["spot_stop"] > 50
    assert said["deeds"]["spot_stop_sold"] > 3


@pytest.mark.process
def test_sessions_with_edits_of_the_configuration_keep_every_promise() -> None:
    """Markets join, leave, come back and change, limits too, while orders are in flight and processes die."""
    code, said, told = _simulate("--seeds", "101..180", "--minutes", "5", "--edits")
    assert said["violations"] == [], told
    assert code == 0
    assert [deed for deed in _EDITS if not said["deeds"].get(deed)] == []


@pytest.mark.process
def test_a_violation_is_told_with_what_led_to_it_and_how_to_see_it_again() -> None:
    """The timeline ends where the promise was broken; the exit code says so to a script."""
    code, said, told = _simulate("--seed", "1", "--minutes", "4", "--mutant", "journal_after_send")
    assert code == 1
    ((seed, invariant, message),) = [(one["seed"], one["invariant"], one["message"]) for one in said["violations"]]
    assert (seed, invariant) == (1, "3")
    assert message in told
    assert said["seeds"] == 1
    assert 0 < said["virtual_seconds"] < 240
    assert said["seeds_per_second"] > 0
    assert "sends" in told
    assert "again: kangbot simulate --seed 1 --minutes 4 --mutant journal_after_send" in told


def test_a_session_without_faults_is_quiet() -> None:
    """Trading alone breaks nothing, and counts no fault."""
    outcome = simulate(1, Options(minutes=4, kinds=()))
    assert outcome.violation is None, outcome.timeline
    assert outcome.orders
    assert not outcome.faults


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        # Its end falls on the moment at which funding is paid.
        (520080, Options(minutes=2)),
        # The stop of a spot holding triggers while an exit that rests occupies the coins.
        (520147, Options(minutes=2, spot=True)),
        # A stop sells a part in a thin book, and an exit is placed anew every few seconds after it.
        (580037, Options(minutes=10, markets=27, spot=True)),
        # An exit waits for its turn in the budget, and the stop sells its coins meanwhile.
        (590057, Options(minutes=3, markets=27, most_faults=40, spot=True)),
        # An exit and a stop sell the same coins in one moment: what is bought back is no entry.
        (600015, Options(minutes=30, markets=9, kinds=(), spot=True)),
        # A stop sells in a thin book, and leaves less than any order closes; the market is stopped and started again.
        (21956, Options()),
        # The exchange makes the tick of a spot pair coarser, and the stop beside its coins is to be for fewer of them.
        (30864, Options()),
    ],
)
def test_sessions_that_broke_a_promise_once_keep_it(seed: int, options: Options) -> None:
    """Of shapes that no sweep has."""
    outcome = simulate(seed, options)
    assert outcome.violation is None, outcome.timeline
