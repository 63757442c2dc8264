"""Ctrl-C while a command or a daemon is still being imported."""

import signal
import subprocess
import sys

import pytest

from tests.support.terminal import HEARS_ITS_END

INTERRUPTED = """
import os, runpy, signal, sys
class Teller:
    def find_spec(self, name, *_):
        if name == "{imported}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Teller())
runpy.run_module("{module}", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("module", "imported"), [("kangbot", "typer"), ("kangbot.daemon", "structlog"), ("kangbot.daemon", "aiohttp")]
)
def test_it_ends_the_process_without_a_word_of_where_it_was(module: str, imported: str) -> None:
    """By the signal, as every other program that has not begun yet."""
    code = INTERRUPTED.format(module=module, imported=imported)
    command = [*HEARS_ITS_END, sys.executable, "-c", code, "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(
    ("before", "meanwhile", "after"),
    [
        ("signal.default_int_handler", "signal.SIG_DFL", "signal.default_int_handler"),
        ("signal.SIG_IGN", "signal.SIG_IGN", "signal.SIG_IGN"),
    ],
)
def test_it_is_heard_again_once_there_is_who_hears_it(before: str, meanwhile: str, after: str) -> None:
    """What a script started in the background ignores it, and goes on to."""
    code = (
        f"import signal; signal.signal(signal.SIGINT, {before})\n"
        f"from kangbot.runtime.interrupt import hear_interrupts\n"
        f"assert signal.getsignal(signal.SIGINT) == {meanwhile}\n"
        f"hear_interrupts()\n"
        f"assert signal.getsignal(signal.SIGINT) == {after}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
