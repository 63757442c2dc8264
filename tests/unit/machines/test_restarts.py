"""Restart intensity."""

from kangbot.machines.backoff import Backoff
from kangbot.machines.restarts import Restarts

S = 1_000_000_000
START = 1_700_000_000 * S


def restarts(limit: int = 3) -> Restarts:
    """At most `limit` crashes a minute, waits from 1 s to 8 s."""
    return Restarts(limit=limit, window_ns=60 * S, backoff=Backoff(first_ns=S, ceiling_ns=8 * S))


def test_waits_grow_until_it_gives_up() -> None:
    """The wait doubles with each crash; one crash too many and there is no wait."""
    machine, waits = restarts(), []
    for at in range(4):
        machine, wait = machine.crashed(START + at * S, draw=0.0)
        waits.append(wait)
    assert waits == [S // 2, S, 2 * S, None]


def test_a_quiet_window_forgets() -> None:
    """Crashes that are a window apart are each the first; a moment less, and they are two of one."""
    machine = restarts(limit=1)
    for at in range(10):
        machine, wait = machine.crashed(START + at * 60 * S, draw=0.0)
        assert wait == S // 2
    assert machine.crashed(START + 10 * 60 * S - 1, draw=0.0)[1] is None


def test_a_start_by_hand_forgives() -> None:
    """After `forgiven` the history is empty."""
    machine = restarts(limit=1)
    for _ in range(3):
        machine, _ = machine.crashed(START, draw=0.5)
    _, wait = machine.forgiven().crashed(START + 1, draw=0.0)
    assert wait == S // 2
