"""`kangbot logs` for as long as somebody watches, and where something of the system is missing."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from kangbot.cli import exit_codes
from kangbot.cli import logs as command
from kangbot.cli.install import UNIT
from tests.support import control_desk
from tests.support.control_desk import Served, serving


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A daemon whose process id is the test's own."""
    monkeypatch.setattr(control_desk, "REPORT", structs.replace(control_desk.REPORT, pid=os.getpid()))
    async with serving(tmp_path) as it:
        yield it


async def test_a_log_is_followed_over_its_rotation_until_ctrl_c(served: Served, tmp_path: Path) -> None:
    """The file that follows may come a moment later; whoever has seen enough has done nothing wrong."""
    log = tmp_path / "kangbot.log"
    log.write_text("before\n")
    kept = os.dup(2)
    with log.open("a") as file:
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background a shell has it ignored
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kangbot", "logs", "-f", "--socket", str(served.socket)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's signal reaches what it has started as well
        env={**os.environ, "LC_ALL": "C"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"before\n"
            log.rename(tmp_path / "kangbot.log.1")
            while b"inaccessible" not in await process.stderr.readline():
                pass
            log.write_text("after\n")
            assert await process.stdout.readline() == b"after\n"
            os.killpg(process.pid, signal.SIGINT)
            await process.communicate()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == exit_codes.OK


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the service installed, and return the one folder of programs."""
    (tmp_path / UNIT).touch()
    monkeypatch.setattr(command, "_UNITS", (tmp_path / "none", tmp_path))
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def test_the_last_words_of_a_service_that_does_not_run_are_in_the_system_s_journal(
    installed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What ended it stands there; the exit code is that of what reads it."""
    reader = installed / "journalctl"
    reader.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    reader.chmod(0o700)
    config, socket = tmp_path / "kangbot.toml", tmp_path / "nobody.sock"
    assert command.logs(config, socket=socket, lines=4, follow=True) == 3
    assert capfd.readouterr().out == f"--no-pager --output=cat --lines=4 --unit={UNIT} --follow\n"


def test_a_system_without_what_reads_its_journal_is_told(
    installed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a line, by its name."""
    assert not list(installed.iterdir())
    config, socket = tmp_path / "kangbot.toml", tmp_path / "nobody.sock"
    assert command.logs(config, socket=socket, lines=4, follow=False) == exit_codes.FAILURE
    said = "journalctl, which reads the log, cannot be started: No such file or directory\n"
    assert capfd.readouterr() == ("", said)


async def test_a_daemon_whose_handle_cannot_be_seen_is_told(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    """It is another user's, or in a container whose processes have other numbers."""
    nobody = 2**22 + 1  # no system has as many
    served.desk.now = structs.replace(served.desk.now, pid=nobody)
    code = await asyncio.to_thread(
        lambda: command.logs(Path("kangbot.toml"), socket=served.socket, lines=4, follow=False)
    )
    assert code == exit_codes.FAILURE
    said = f"where process {nobody} writes cannot be seen: No such file or directory. Ask as its user, or as root\n"
    assert capfd.readouterr() == ("", said)
