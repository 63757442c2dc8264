"""`kangbot logs`: it finds where a daemon writes, and says so where nobody can read that."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from kangbot.cli import exit_codes
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
