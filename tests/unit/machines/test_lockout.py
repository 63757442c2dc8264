"""Who tries tokens is left alone for a while, in bounded memory."""

from kangbot.machines.lockout import Lockout

SECOND = 1_000_000_000


def test_the_last_of_too_many_failures_locks_out_and_time_lets_in() -> None:
    """Counted by address; the count begins anew afterwards."""
    lockout = Lockout(failures=3, within_ns=60 * SECOND, lock_ns=60 * SECOND)
    for now in (0, 1):
        assert not lockout.failed("a", now)
        assert lockout.left_ns("a", now) == 0
    assert lockout.failed("a", 2)
    assert lockout.left_ns("a", 2) == 60 * SECOND
    assert lockout.left_ns("b", 2) == 0
    assert lockout.left_ns("a", 2 + 60 * SECOND) == lockout.left_ns("a", 3 + 60 * SECOND) == 0
    assert not lockout.failed("a", 2 + 60 * SECOND)


def test_failures_far_apart_do_not_add_up() -> None:
    """A person mistypes now and then."""
    lockout = Lockout(failures=2, within_ns=10 * SECOND)
    assert not lockout.failed("a", 0)
    assert not lockout.failed("a", 11 * SECOND)
    assert lockout.failed("a", 12 * SECOND)


def test_a_right_token_is_a_clean_slate() -> None:
    """Whoever knows it has not been guessing."""
    lockout = Lockout(failures=2)
    lockout.failed("a", 0)
    lockout.succeeded("a")
    assert not lockout.failed("a", 1)


def test_many_addresses_cost_no_memory() -> None:
    """The one that failed longest ago is forgotten."""
    lockout = Lockout(failures=1, most=3)
    for number in range(10):
        lockout.failed(str(number), number)
    assert len(lockout) == 3
    assert lockout.left_ns("9", 9)
    assert not lockout.left_ns("0", 9)
