"""What the daemon makes of signals. A process of its own, which a signal that nobody minds would end."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

PROGRAM = """
import asyncio
from kangbot.daemon import _Signals

async def main():
    signals = _Signals()
    signals.begun()
    print("ready", flush=True)
    await signals.stop.wait()
    await signals.hurry.wait()

asyncio.run(main())
"""
BEGINS = """
import asyncio
from kangbot.daemon import _Signals

async def main():
    signals = _Signals()
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("ended", signals.stop.is_set(), flush=True)

asyncio.run(main())
"""


@contextlib.contextmanager
def listening(program: str = PROGRAM) -> Iterator[tuple["subprocess.Popen[str]", IO[str]]]:
    """A process that minds its signals, and what it says of them; it must end by itself within the block."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process, process.stdout
        finally:
            process.kill()  # one that did not end must not be waited for


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGXCPU])
def test_what_asks_for_an_end_is_given_one_in_order(number: int) -> None:
    """Ctrl-Backslash and the limit of processor time as much as a service manager: in order, then in a hurry."""
    with listening() as (process, said):
        process.send_signal(number)
        assert "daemon.stopping" in said.readline()
        process.send_signal(number)
        assert "daemon.hurrying" in said.readline()
        assert process.wait(300) == 0


@pytest.mark.process
def test_a_beginning_is_ended_where_it_is() -> None:
    """It may take minutes, and nothing is in flight yet that would have to be settled."""
    with listening(BEGINS) as (process, said):
        process.send_signal(signal.SIGTERM)
        assert "daemon.stopping" in said.readline()
        assert said.readline() == "ended True\n"
        assert process.wait(300) == 0


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_other_programs_know_ends_nothing_and_is_told_of(number: int) -> None:
    """A log rotation that sends SIGUSR1 must not be the end of trading."""
    with listening() as (process, said):
        process.send_signal(number)
        told = said.readline()
        assert "daemon.signal_unknown" in told
        assert signal.Signals(number).name in told
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert "daemon.stopping" in said.readline()


def test_what_uvloop_asks_by_is_no_warning_to_an_operator() -> None:
    """On Python 3.14 each handler of a signal would be one, three of them at every start."""
    code = """
import warnings
from kangbot.daemon import _loop_factory
_loop_factory()
said = "'asyncio.iscoroutinefunction' is deprecated and slated for removal in Python 3.16"
warnings.warn(said, DeprecationWarning)
warnings.warn("another", DeprecationWarning)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert "another" in done.stderr
    assert "iscoroutinefunction" not in done.stderr


@pytest.mark.parametrize("module", ["kangbot.daemon", "kangbot.sandbox.main"])
def test_without_uvloop_the_standard_loop_serves(module: str) -> None:
    """There are systems that it is not made for."""
    absent = f"import sys; sys.modules['uvloop'] = None; from {module} import _loop_factory as f; print(f())"
    there = f"from {module} import _loop_factory as f; print(f().__module__)"
    said = [subprocess.check_output([sys.executable, "-c", code], text=True) for code in (absent, there)]
    assert said == ["None\n", "uvloop\n"]


@pytest.mark.process
def test_a_start_whose_file_could_not_be_read_is_worth_another_one(tmp_path: Path) -> None:
    """A machine short of memory kills what reads the file: with exit code 78 nobody would start the daemon again."""
    (tmp_path / "own.py").write_text("import os\nos._exit(137)\n")
    file = tmp_path / "kangbot.toml"
    file.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\nstrategy = "own.py"\n')
    command = [sys.executable, "-m", "kangbot.daemon", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "could not be checked (exit code 137)" in done.stderr) == (1, True), done.stderr
