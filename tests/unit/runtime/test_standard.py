"""A process that is started with its standard streams closed is none the worse for it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import asyncio, os, sys
from kangbot.runtime.standard import hold_standard_streams

hold_standard_streams()
print("to nowhere, or to whoever listens")
sys.stderr.write("as well\\n")
assert sys.stdin.read() == ""


async def child() -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", stdin=asyncio.subprocess.DEVNULL)
    return await process.wait()


def run() -> int:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(child())


with open(sys.argv[1], "w", encoding="utf-8") as told:
    assert told.fileno() > 2
    told.write(f"{run()} {os.fstat(0).st_rdev == os.stat(os.devnull).st_rdev}")
"""


@pytest.mark.parametrize("closed", ["<&-", ">&- </dev/null", "2>&- </dev/null", "<&- >&- 2>&-", "</dev/null"])
def test_a_closed_stream_leads_to_nowhere(closed: str, tmp_path: Path) -> None:
    """No file gets its number, what is said is no error, and a child is started and waited for as ever."""
    told = tmp_path / "told"
    command = ["bash", "-c", f'exec "$@" {closed}', "bash", sys.executable, "-c", SCRIPT, str(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert told.read_text() == "0 True"
    assert done.stdout == ("" if ">&- " in f"{closed} ".replace("2>&-", "") else "to nowhere, or to whoever listens\n")
    assert done.stderr == ("" if "2>&-" in closed else "as well\n")
