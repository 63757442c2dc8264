"""`kangbot top`: what the board shows, which keys it knows, and the command in a real terminal."""

import asyncio
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.model.ids import MarketId
from tests.support.control_desk import MARKET, Served, serving
from tests.support.typed import typed


# ------------------------------------------------------------------------------------------------- the command itself
@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A daemon of one market."""
    async with serving(tmp_path) as it:
        yield it


# A terminal's own programs heed Ctrl-C. What a script starts in the background is born deaf to it, its tests as well.
_HEEDS_INTERRUPTS = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('kangbot', run_name='__main__')"
)


class Terminal:
    """`kangbot top` in a terminal of 80 columns and 24 lines."""

    def __init__(self, socket: Path, term: str = "xterm-256color") -> None:
        self._handle, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HEEDS_INTERRUPTS, "top", "--socket", str(socket)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": term},
            start_new_session=True,
        )
        self.said = ""

    def until(self, words: str) -> None:
        """Read until the words are on the screen."""
        deadline = time.monotonic() + 120
        while words not in self.said:
            assert time.monotonic() < deadline, self.said
            if select.select([self._handle], [], [], 0.2)[0]:
                self.said += os.read(self._handle, 65536).decode(errors="replace")

    def press(self, key: str) -> None:
        os.write(self._handle, key.encode())

    def ended(self) -> int:
        """Return the exit code; the terminal must be as it was found."""
        self.until("\x1b[?1049l")  # the screen from before
        code = self.process.wait(timeout=120)
        assert termios.tcgetattr(self._theirs) == self._before
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._handle)
        os.close(self._theirs)


@pytest.mark.process
@pytest.mark.parametrize("how", ["q", "Ctrl-C"])
async def test_it_ends_cleanly_in_a_real_terminal(served: Served, how: str) -> None:
    """By q and by Ctrl-C, with exit code 0, the cursor shown and the screen from before."""

    def watch() -> None:
        terminal = Terminal(served.socket)
        try:
            terminal.until("q ends")
            if how == "q":
                terminal.press("q")
            else:
                terminal.process.send_signal(signal.SIGINT)
            assert terminal.ended() == exit_codes.OK
            assert "Traceback" not in terminal.said
            assert terminal.said.rindex("\x1b[?25h") > terminal.said.rindex("\x1b[?25l")
        finally:
            terminal.close()

    await asyncio.get_running_loop().run_in_executor(None, watch)


@pytest.mark.process
async def test_a_terminal_that_cannot_be_drawn_on_gets_one_board(served: Served) -> None:
    """It would stay empty otherwise, until q."""

    def look() -> None:
        terminal = Terminal(served.socket, "dumb")
        try:
            terminal.until("score")
            assert terminal.process.wait(timeout=120) == exit_codes.OK
        finally:
            terminal.close()

    await asyncio.get_running_loop().run_in_executor(None, look)


@pytest.mark.process
async def test_a_daemon_that_is_started_anew_is_waited_for(tmp_path: Path) -> None:
    """The board says that what it shows is old, and goes on with the next daemon."""
    loop = asyncio.get_running_loop()
    terminal: Terminal | None = None
    try:
        async with serving(tmp_path) as served:
            terminal = Terminal(served.socket)
            await loop.run_in_executor(None, terminal.until, "q ends")
        await loop.run_in_executor(None, terminal.until, "NO ANSWER SINCE")
        async with serving(tmp_path) as served:
            terminal.said = ""
            await loop.run_in_executor(None, terminal.until, "\x1b[H\x1b[1mkangbot 0.1.0")
            terminal.press("q")
            assert await loop.run_in_executor(None, terminal.ended) == exit_codes.OK
    finally:
        if terminal is not None:
            terminal.close()


async def test_a_script_gets_one_object_and_a_pipe_one_board(served: Served) -> None:
    """Both end at once."""
    at = ("--socket", str(served.socket))
    code, out, _ = await typed("top", "--json", *at)
    said = json.loads(out)
    assert (code, said["health"]["score"] <= 100) == (exit_codes.OK, True)
    assert [MarketId(market["market"]) for market in said["report"]["markets"]] == [MARKET]
    code, out, _ = await typed("top", *at)
    assert code == exit_codes.OK
    assert "score" in out.splitlines()[0]
    assert "\x1b" not in out


async def test_no_daemon_is_said(tmp_path: Path) -> None:
    """With its exit code, and nothing on the screen."""
    code, out, err = await typed("top", "--socket", str(tmp_path / "nobody.sock"))
    assert (code, out) == (exit_codes.NO_DAEMON, "")
    assert "no daemon answers" in err
