"""Sharing the interpreter between the loop and the threads."""

import sys
import threading
from collections.abc import Iterator
from time import perf_counter

import pytest

from kangbot.runtime.switching import let_threads_in

BUSY_S = 0.1


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the test process as it was."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def turns_of_a_thread() -> int:
    """Return how often a thread that wants one moment again and again gets it while another is busy."""
    turns, over, wanted = 0, False, threading.Event()

    def work() -> None:
        nonlocal turns
        while not over:
            wanted.wait(0.0001)  # lets go, as a sync does
            turns += 1

    thread = threading.Thread(target=work)
    thread.start()
    until = perf_counter() + BUSY_S
    while perf_counter() < until:
        pass
    over = True
    thread.join()
    return turns


def test_a_thread_is_let_in_while_another_is_busy() -> None:
    """It gets its turn several times as often as by the interpreter's own measure."""
    sys.setswitchinterval(0.005)
    before = min(turns_of_a_thread() for _ in range(5))
    let_threads_in()
    assert any(turns_of_a_thread() > before * 2 for _ in range(100))  # a busy machine lets neither in now and then
