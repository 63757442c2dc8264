"""Every command's end: an error is one message and an exit code, and a reader that has gone is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.settings.paths import shipped_config
from tests.support.typed import kangbot, unread

SHIPPED = str(shipped_config("kangbot.toml"))


@pytest.mark.parametrize("command", [["check"], ["run"], ["status"], ["db", "upgrade"]])
def test_mistakes_are_one_message_and_exit_code_78(tmp_path: Path, command: list[str]) -> None:
    """All of them at once, on standard error, without a traceback, whichever command reads the file."""
    path = tmp_path / "wrong.toml"
    path.write_text('mode = "lvie"\n[databse]\n')
    done = kangbot(*command, "--config", str(path))
    assert done.returncode == exit_codes.CONFIG
    assert "Did you mean live?" in done.stderr
    assert "Did you mean database?" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_the_system_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    """A disk that takes no output, and a path through a file."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kangbot", "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (
        exit_codes.FAILURE,
        "the output cannot be written: No space left on device\n",
    )
    within = tmp_path / ("x" * 300)
    done = kangbot("init", "--config", str(within))
    assert (done.returncode, done.stderr) == (exit_codes.FAILURE, f"{within}: File name too long\n")


def test_an_output_that_may_not_grow_is_told_in_words(tmp_path: Path) -> None:
    """A limit of a file's size, or a quota, as a full disk."""
    with (tmp_path / "out").open("w") as out:
        out.write("x" * 4096)
        out.flush()
        command = ["prlimit", "--fsize=4096", sys.executable, "-m", "kangbot", "version"]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (exit_codes.FAILURE, "the output cannot be written: File too large\n")


@pytest.mark.parametrize("command", [["--help"], ["config", "show", "--config", SHIPPED]])
async def test_a_reader_that_has_gone_is_no_error(command: list[str]) -> None:
    """`kangbot config show | head -0`: quiet, and as a shell says it of a process that SIGPIPE ended."""
    assert await unread(*command) == (exit_codes.NO_READER, "")


async def test_a_reader_of_messages_that_has_gone_is_no_error(tmp_path: Path) -> None:
    """`kangbot status 2>&1 | head -0`, where no daemon answers."""
    assert await unread("status", "--socket", str(tmp_path / "x.sock"), messages=True) == (exit_codes.NO_READER, "")
