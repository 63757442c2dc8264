"""Whoever asks while the daemon reads a long journal is told so, by a real server on a real Unix socket."""

import asyncio
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.answer import no_daemon
from kangbot.cli.kill import kill
from kangbot.control.beginning import MANY, Beginning
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.machines.killswitch import FILE, read

T = TypeVar("T")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket is."""
    return tmp_path / "control.sock"


async def aside(call: Callable[[], T]) -> T:
    """Make a call that waits for its answer, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(None, call)


async def test_it_says_how_far_it_is(path: Path) -> None:
    """For its owner alone. That is no missing daemon: nobody is told to start one."""
    async with Beginning(path, first=50, last=MANY + 51) as beginning:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for at in (50, 2050):
            beginning.come_to(at)
            with pytest.raises(NoDaemonError) as caught:
                await aside(ControlClient(path).report)
            words = f"the daemon on {path} is reading its journal, {at:,} of {MANY + 51:,} records"
            said = no_daemon(caught.value, Path("kangbot.toml"))
            assert said.startswith(f"{words}\nOne is there: it begins")
            assert "Start one" not in said
        for refused in (lambda: ControlClient(path).ask("/orders"), lambda: ControlClient(path).tell("/stop-all")):
            with pytest.raises(NoDaemonError, match="is reading its journal"):
                await aside(refused)
    assert not path.exists()


async def test_it_lives(path: Path) -> None:
    """Whoever would end a process that hangs has no reason to."""
    async with Beginning(path, first=0, last=MANY + 1):
        assert await aside(lambda: ControlClient(path).ask("/live")) == {"live": True}


async def test_the_kill_switch_is_left_for_it(path: Path) -> None:
    """By its file, which it finds before it trades."""
    async with Beginning(path, first=0, last=MANY + 1):
        typed = await aside(lambda: kill(path.parent / "kangbot.toml", socket=path, reason="news", flatten=True))
        assert typed == exit_codes.OK
    wish = read((path.parent / FILE).read_text())
    assert (wish.reason, wish.flatten) == ("news", True)


async def test_a_journal_that_is_read_at_once_needs_no_answer(path: Path) -> None:
    """Most are: there is no socket until it means that the daemon can be asked."""
    async with Beginning(path, first=7, last=MANY + 7):
        assert not path.exists()


async def test_what_a_killed_daemon_left_is_replaced_and_anothers_socket_is_not(path: Path) -> None:
    """As by the server itself, whose socket comes after."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    async with Beginning(path, first=0, last=MANY + 1):
        inode = path.stat().st_ino
        async with Beginning(path, first=0, last=MANY + 1):
            pass
        assert path.stat().st_ino == inode
        assert await aside(lambda: ControlClient(path).ask("/live")) == {"live": True}


async def test_a_place_without_a_socket_is_the_servers_to_tell(tmp_path: Path) -> None:
    """The journal is read all the same."""
    async with Beginning(tmp_path / "nowhere" / "control.sock", first=0, last=MANY + 1):
        pass
    assert list(tmp_path.iterdir()) == []
