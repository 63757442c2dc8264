"""A process on a leash, for real: it ends with whoever holds the other end of its standard input."""

import subprocess
import sys

CHILD = """
import asyncio
from kangbot.runtime.leash import on_leash

async def main():
    cut = asyncio.Event()
    on_leash(cut.set)
    print("begun", flush=True)
    await cut.wait()
    await asyncio.sleep(0.05)  # the reader is gone: an ended file would be readable for ever
    print("cut", flush=True)

asyncio.run(main())
"""


def test_a_child_learns_that_its_parent_has_gone() -> None:
    """What is written is passed over; the end of the pipe is what counts."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.stdin.write("a word\n")
        child.stdin.flush()
        assert child.poll() is None
        child.stdin.close()
        assert child.stdout.readline() == "cut\n"
        assert child.wait(120) == 0
