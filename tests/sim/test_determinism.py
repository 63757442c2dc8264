"""One seed, two fresh processes with different hash seeds: the same journal, the same commands, the same venue."""

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from kangbot.scenario.plan import Options
from kangbot.scenario.run import simulate
for seed in map(int, sys.argv[1:]):
    outcome = simulate(seed, Options(minutes=5))
    print(seed, outcome.digest, outcome.records, outcome.orders, outcome.faults)
"""
_SEEDS = ("3", "9", "30")


def _digests(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", _PROGRAM, *_SEEDS]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=600).stdout


@pytest.mark.process
def test_a_seed_is_the_same_session_in_every_process() -> None:
    """Nothing that differs between processes (addresses, hashes, the time of day) reaches a decision."""
    first, second = _digests("1"), _digests("4242")
    assert first == second
    digests = [line.split()[1] for line in first.splitlines()]
    assert len(set(digests)) == len(_SEEDS), "other seeds are other sessions"
