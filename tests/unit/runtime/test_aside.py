"""A thread beside the loop that can be left."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from kangbot.runtime.aside import Aside

PATIENCE_S = 300.0


async def until(happened: Callable[[], bool]) -> None:
    """Wait until it has happened; the machine may be busy."""
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.01)


async def test_calls_run_in_their_order_on_a_thread_of_its_own() -> None:
    """What they tell arrives on the loop."""
    aside, heard = Aside("test"), list[tuple[int, str]]()

    def hear(number: int) -> None:
        aside.tell(heard.append, (number, threading.current_thread().name))

    for number in range(3):
        aside.post(partial(hear, number))
    await until(lambda: len(heard) == 3)
    assert heard == [(0, "test"), (1, "test"), (2, "test")]
    aside.leave()


async def test_one_that_computes_for_ever_is_ended() -> None:
    """In the middle of it; what was posted after it is not done."""
    aside, said = Aside("test"), list[str]()
    threads = []

    def spin() -> None:
        threads.append(threading.current_thread())
        while True:
            pass

    aside.post(spin)
    aside.post(lambda: said.append("posted after it"))
    await until(lambda: bool(threads))
    aside.leave(lambda: said.append("lingers"), lambda: said.append("ended"))
    await until(lambda: not threads[0].is_alive())
    await asyncio.sleep(1.2)  # it is looked after once more
    assert not said
    assert aside.computed_ns() == 0


async def test_one_that_catches_whatever_ends_it_is_asked_again() -> None:
    """Code that catches everything does so once, not each time."""
    aside, threads = Aside("test"), list[threading.Thread]()

    def spin() -> None:
        threads.append(threading.current_thread())
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001 -- that is the case
            while True:
                pass

    aside.post(spin)
    await until(lambda: bool(threads))
    aside.leave()
    await until(lambda: not threads[0].is_alive())


async def test_one_that_cannot_be_ended_is_told_and_so_is_its_end() -> None:
    """A wait of the system hears nothing."""
    aside, said, there, go = Aside("test"), list[str](), threading.Event(), threading.Event()

    def wait() -> None:
        there.set()
        go.wait()

    aside.post(wait)
    await until(there.is_set)
    aside.leave(lambda: said.append("lingers"), lambda: said.append("ended"))
    await until(lambda: said == ["lingers"])
    go.set()
    await until(lambda: said == ["lingers", "ended"])


async def test_an_idle_one_ends_at_once() -> None:
    """Nobody has to be told."""
    aside, threads = Aside("test"), list[threading.Thread]()
    aside.post(lambda: threads.append(threading.current_thread()))
    await until(lambda: bool(threads))
    aside.leave()
    await until(lambda: not threads[0].is_alive())


async def test_what_it_computed_is_known_while_it_computes() -> None:
    """And a wait is no work."""
    aside, over, done = Aside("test"), threading.Event(), threading.Event()

    def work() -> None:
        over.wait()
        until = time.thread_time_ns() + 50_000_000
        while time.thread_time_ns() < until:
            pass
        done.wait()

    aside.post(work)
    await asyncio.sleep(0.05)
    assert aside.computed_ns() < 50_000_000
    over.set()
    await until(lambda: aside.computed_ns() >= 50_000_000)
    done.set()
    aside.leave()


def test_what_is_told_after_the_end_of_the_loop_is_dropped() -> None:
    """Then nobody waits for it."""
    go, told = threading.Event(), list[str]()
    threads = []

    async def life() -> None:
        aside = Aside("test")

        def late() -> None:
            threads.append(threading.current_thread())
            go.wait()
            aside.tell(told.append, "late")

        aside.post(late)
        await until(lambda: bool(threads))

    asyncio.run(life())
    go.set()
    time.sleep(0.1)
    assert not told


NEVER_ENDS = """
import asyncio, threading
from kangbot.runtime.aside import Aside

there = threading.Event()

def stay():
    while True:
        try:
            there.set()
            while True:
                pass
        except BaseException:
            pass

async def life():
    aside = Aside("test")
    aside.post(stay)
    while not there.is_set():
        await asyncio.sleep(0.01)
    aside.leave()

asyncio.run(life())
"""


def test_the_process_ends_whatever_it_does() -> None:
    """Also while it catches whatever is to end it."""
    done = subprocess.run([sys.executable, "-c", NEVER_ENDS], timeout=PATIENCE_S, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
