"""Keys as a terminal sends them."""

import contextlib
import os
import pty
import termios

from kangbot.cli.top.keys import Keys, named


def test_keys_have_names() -> None:
    """Several at once too; what means nothing is passed over."""
    assert named("j\x1b[Ax\x1b[6~") == ["down", "up", "page down"]
    assert [named(key) for key in ("q", "Q", "\x03", "\x04")] == [["q"]] * 4
    assert named("\x1b[1;5C") == []


def test_keys_come_without_enter_and_the_terminal_is_as_it_was_found() -> None:
    """Whatever ends the block; Ctrl-C is a way to end it, and an error stays one."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "wb", buffering=0) as fingers, os.fdopen(theirs) as terminal:
        before = termios.tcgetattr(terminal)
        with Keys(terminal) as keys:
            assert termios.tcgetattr(terminal) != before
            assert keys.pressed(0.0) == []
            fingers.write(b"j\x1b[5~q")
            assert keys.pressed(60.0) == ["down", "page up", "q"]
        assert termios.tcgetattr(terminal) == before
        with Keys(terminal):
            raise KeyboardInterrupt
        assert termios.tcgetattr(terminal) == before
        with contextlib.suppress(ZeroDivisionError), Keys(terminal):
            _ = 1 // 0
        assert termios.tcgetattr(terminal) == before


def test_an_error_is_none_that_a_key_would_end() -> None:
    """It goes on to whoever can say it."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs) as terminal:
        assert Keys(terminal).__enter__().__exit__(KeyboardInterrupt, None, None)
        assert not Keys(terminal).__enter__().__exit__(ValueError, None, None)


def test_a_terminal_that_is_closed_ends_it() -> None:
    """Nobody would ever press a key."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        keys = Keys(terminal).__enter__()
        os.close(ours)
        assert keys.pressed(60.0) == ["q"]
