"""A process whose loop hangs ends itself, with the stacks of all threads. Real processes, for the end is real."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

PROGRAM = """
import asyncio, re, sys, threading, time
from kangbot.runtime.hang import HangGuard

async def main():
    guard = HangGuard(sys.stderr, {after_s})
    threading.Thread(target=time.sleep, args=(60,), name="bystander", daemon=True).start()
    for _ in range({beats}):
        guard.beat()
        await asyncio.sleep(0.3)
    print("well for longer than the bound", flush=True)
    guard.beat()
    {ends}

def hangs():
    time.sleep(600)

def holds_the_lock():
    re.match(r"(a+)+$", "a" * 40 + "b")  # holds the interpreter for years

asyncio.run(main())
print("ended by itself")
"""


def program(ends: str, *, after_s: float = 1.0, beats: int = 0) -> str:
    """Return the program with this end. One that beats several times must not stand still for as long as the bound."""
    return PROGRAM.replace("{ends}", ends).replace("{after_s}", str(after_s)).replace("{beats}", str(beats))


def ran(text: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    command = [sys.executable, "-X", "dev", "-c", text]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.process
@pytest.mark.parametrize("ends", ["hangs()", "holds_the_lock()"])
def test_a_loop_that_hangs_ends_the_process_with_all_stacks(ends: str) -> None:
    """Also where the hanging code holds the interpreter's lock, so that no Python thread could notice."""
    done = ran(program(ends, after_s=5.0, beats=18))
    assert done.returncode == 1
    assert done.stdout == "well for longer than the bound\n"
    assert f"in {ends[:-2]}" in done.stderr
    assert "in main" in done.stderr
    assert done.stderr.count("File ") > 3  # the bystander's stack as well
    assert done.stderr.count("hread 0x") >= 2


@pytest.mark.process
def test_a_loop_that_lives_shows_every_stack_and_goes_on() -> None:
    """Its own stack and the bystander's, whole."""
    done = ran(program("guard.show(); guard.release()"))
    assert done.returncode == 0
    assert "in main" in done.stderr
    assert done.stderr.count("hread 0x") >= 2


def full_pipe() -> tuple[int, int]:
    """Return the ends of a pipe that takes nothing more."""
    reading, writing = os.pipe()
    return reading, filled(writing)


def full_socket() -> tuple[int, int]:
    """Return two sockets, of which the second takes nothing more."""
    reading, writing = socket.socketpair()
    return reading.detach(), filled(writing.detach())


def filled(writing: int) -> int:
    """Write until it would wait."""
    os.set_blocking(writing, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * size)
    os.set_blocking(writing, True)
    return writing


@pytest.mark.process
@pytest.mark.parametrize("full", [full_pipe, full_socket])
@pytest.mark.parametrize(
    ("ends", "code", "said"), [("hangs()", 1, "bound\n"), ("guard.release(); guard.show()", 0, "ended by itself\n")]
)
def test_a_full_pipe_that_nobody_reads_holds_nothing_up(
    full: Callable[[], tuple[int, int]], ends: str, code: int, said: str
) -> None:
    """Neither the end of a loop that hangs, nor one that shows its stacks and goes on: those are lost."""
    reading, writing = full()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program(ends)],
            stdout=subprocess.PIPE,
            stderr=writing,
            text=True,
            timeout=600,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == code
    assert done.stdout.endswith(said)


@pytest.mark.process
def test_after_the_release_nothing_ends_it() -> None:
    """Twice is as well as once."""
    done = ran(program("guard.release(); guard.release(); await asyncio.sleep(5.5)", after_s=5.0))
    assert done.returncode == 0
    assert done.stdout.endswith("ended by itself\n")
    assert "hread 0x" not in done.stderr  # a busy machine has asyncio remark on slow calls


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of threads is Linux's")
def test_where_there_is_no_thread_to_be_had_it_says_so_and_goes_on() -> None:
    """The timer is a thread; a machine that has none left must not end what trades."""
    ends = (
        "import os, resource; os.geteuid() or os.setuid(65534); resource.setrlimit(resource.RLIMIT_NPROC, (0, 0));"
        " print(guard.beat()); await asyncio.sleep(5.5)"
    )
    done = ran(program(ends, after_s=5.0))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["False", "ended by itself"]
