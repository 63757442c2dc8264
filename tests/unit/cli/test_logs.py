"""`kangbot logs`: it finds where a daemon writes, follows it, and says so where nobody can read that."""

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
from kangbot.cli.logs import reading_of
from tests.support import control_desk
from tests.support.control_desk import Served, serving
from tests.support.typed import typed, unread

IN_A_SHELL = "0::/user.slice/user-1000.slice/session-2.scope\n"
IN_A_UNIT = "0::/system.slice/kangbot@spot.service\n"


def test_a_service_writes_to_the_journal() -> None:
    """Under its own name, whatever that is."""
    reading = reading_of("socket:[123]", IN_A_UNIT, 7, follow=True)
    assert reading.command[0] == "journalctl"
    assert {"--unit=kangbot@spot.service", "--lines=7", "--follow"} <= set(reading.command)


def test_a_file_is_followed_by_its_name() -> None:
    """So that it is still read after it was rotated; a service's own redirection is a file as well."""
    assert reading_of("/var/log/kb.log", IN_A_UNIT, 9, follow=False).command == (
        *("tail", "--lines=9", "--", "/var/log/kb.log"),
    )
    assert "--follow=name" in reading_of("/var/log/kb.log", IN_A_SHELL, 9, follow=True).command
    assert reading_of("/dev/shm/kb.log", IN_A_SHELL, 9, follow=False).command[-1] == "/dev/shm/kb.log"


@pytest.mark.parametrize(
    ("handle", "words"),
    [
        ("pipe:[4711]", "docker compose logs"),
        ("socket:[4711]", "whoever started it"),
        ("/dev/null", "nothing of it is kept"),
        ("/dev/pts/3", "terminal /dev/pts/3"),
        ("/tmp/x.log (deleted)", "was removed"),
    ],
)
def test_what_nobody_can_read_is_said(handle: str, words: str) -> None:
    """With what can be done."""
    reading = reading_of(handle, IN_A_SHELL, 5, follow=False)
    assert reading.command == ()
    assert words in reading.why


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A daemon whose process id is the test's own."""
    monkeypatch.setattr(control_desk, "REPORT", structs.replace(control_desk.REPORT, pid=os.getpid()))
    async with serving(tmp_path) as it:
        yield it


async def test_the_last_lines_of_a_running_daemon_s_file_are_shown(served: Served, tmp_path: Path) -> None:
    """The file is found by the daemon's own handle."""
    log = tmp_path / "kangbot.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    kept = os.dup(2)
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 2)
        said = await typed("logs", "-n", "2", "--socket", str(served.socket))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert said == (exit_codes.OK, "line 98\nline 99\n", "")


async def test_a_reader_that_has_gone_ends_following_quietly(served: Served, tmp_path: Path) -> None:
    """`kangbot logs -f | grep -m1 …`: what reads the log is ended by the system, and so are we, in a shell's words."""
    log = tmp_path / "kangbot.log"
    log.write_text("a line\n")
    kept = os.dup(2)
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 2)
        said = await unread("logs", "-f", "--socket", str(served.socket))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert said == (exit_codes.NO_READER, "")


async def test_as_json_the_lines_are_those_of_a_log_in_json(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passed through as they were written; of a log for people nothing is shown, and why is said."""
    log = tmp_path / "kangbot.log"
    log.write_text('{"event":"a"}\n{"event":"b"}\n')
    kept = os.dup(2)
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 2)
        code, out, err = await typed("logs", "--json", "--socket", str(served.socket))
        monkeypatch.setenv("KANGBOT_LOGS__FORMAT", "json")
        said = await typed("logs", "--json", "--socket", str(served.socket))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert (code, out) == (exit_codes.FAILURE, "")
    assert '[logs] format = "json"' in err
    assert said == (exit_codes.OK, '{"event":"a"}\n{"event":"b"}\n', "")


async def test_a_daemon_that_writes_nowhere_is_said(served: Served) -> None:
    """And it is a failure: nothing was shown."""
    kept = os.dup(2)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        code, out, err = await typed("logs", "--socket", str(served.socket))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert (code, out) == (exit_codes.FAILURE, "")
    assert "nothing of it is kept" in err


@pytest.mark.skipif(Path("/etc/systemd/system/kangbot.service").exists(), reason="a service is installed here")
async def test_without_a_daemon_and_a_service_there_is_no_log(tmp_path: Path) -> None:
    """Said with its exit code."""
    code, out, err = await typed("logs", "--socket", str(tmp_path / "nobody.sock"))
    assert (code, out) == (exit_codes.NO_DAEMON, "")
    assert "no daemon answers" in err


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
