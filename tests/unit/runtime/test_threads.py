"""A worker runs what is posted, in order, whatever becomes of those who asked."""

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kangbot.runtime.threads import Worker


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    """A worker, closed afterwards."""
    one = Worker("test")
    yield one
    await one.aclose(120)


async def test_calls_run_in_order_on_one_named_thread(worker: Worker) -> None:
    """What is posted first runs first, and all of it on the thread that bears the worker's name."""
    seen: list[tuple[int, str]] = []
    for number in range(100):
        worker.post(lambda number=number: seen.append((number, threading.current_thread().name)))  # type: ignore[misc]
    await worker.run(lambda: None)
    assert seen == [(number, "test") for number in range(100)]


async def test_result_comes_back_to_the_awaiter(worker: Worker) -> None:
    """`run` returns what the call returned."""
    assert await worker.run(lambda: 6 * 7) == 42


async def test_exception_comes_back_to_the_awaiter_and_the_thread_lives_on(worker: Worker) -> None:
    """`run` raises what the call raised; the next call runs."""
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.run(lambda: 1) == 1


async def test_cancelled_await_leaves_the_work_running(worker: Worker) -> None:
    """Who stops waiting stops nothing: the call runs to its end, with a result or an exception for nobody."""
    gate, done = threading.Event(), []

    def slow() -> None:
        gate.wait(120)
        done.append(1)

    def failing() -> None:
        raise ValueError

    for call in (slow, failing):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await worker.run(call)
    gate.set()
    await worker.run(lambda: None)
    assert done == [1]


async def test_failed_post_is_told_to_the_loop(worker: Worker) -> None:
    """Nobody awaits a posted call, so its exception goes to the loop's handler; the thread lives on."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    worker.post(lambda: ().index(1))
    await worker.run(lambda: None)
    assert isinstance(told[0]["exception"], ValueError)
    assert "test" in told[0]["message"]


async def test_close_finishes_what_was_posted(worker: Worker) -> None:
    """Closing lets the queue run empty first, may be repeated, and refuses what comes after."""
    seen: list[int] = []
    worker.post(lambda: seen.append(1))
    assert await worker.aclose(120)
    assert await worker.aclose(120)
    assert seen == [1]
    with pytest.raises(RuntimeError, match="test is closed"):
        worker.post(lambda: None)


async def test_close_is_bounded_where_the_thread_hangs(worker: Worker) -> None:
    """A call that does not return is left behind, and said so."""
    gate = threading.Event()
    worker.post(lambda: gate.wait(120))
    assert not await worker.aclose(0.01)
    gate.set()
    assert await worker.aclose(120)


def test_thread_outlives_the_loop_in_silence() -> None:
    """A result that comes when the loop is gone is dropped without noise."""
    gate, ended = threading.Event(), threading.Event()

    async def leave() -> None:
        worker = Worker("left")
        worker.post(lambda: gate.wait(120))
        worker.post(lambda: worker.tell(print))
        worker.post(ended.set)

    asyncio.run(leave())
    gate.set()
    assert ended.wait(120)


SCRIPT = """
import os, resource, sys, threading
from kangbot.errors import Retryable
from kangbot.runtime.threads import find_threads

find_threads()
print(threading.active_count())
os.geteuid() or os.setuid(65534)  # no limit holds root
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    find_threads()
except Retryable as error:
    print(error.message)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of threads is Linux's")
def test_too_few_threads_are_said_before_anything_begins() -> None:
    """Those that were tried have ended by then; where there are none, it says what may hold them back."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    counted, told = done.stdout.splitlines()
    assert counted == "1"
    assert told.startswith("the system gives this process 0 threads more, and it needs 12: see ulimit -u and -v")


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read as Linux tells it")
def test_an_address_space_without_room_for_stacks_is_said_as_well() -> None:
    """Each thread's stack takes eight megabytes of it: the system says no more than that there is no thread."""
    script = (
        "import resource\nfrom kangbot.errors import Retryable\nfrom kangbot.runtime.threads import find_threads\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\nsize = (pages << 12) + (40 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, -1))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, size))\n"
        "try:\n    find_threads()\nexcept Retryable as error:\n    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert re.search(r"threads more, and it needs 12: see ulimit -u and -v,", done.stdout)
