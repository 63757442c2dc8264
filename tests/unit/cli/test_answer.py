"""How a command answers: lines for a person, which move no cursor, or an object for a script."""

import os
import pty
import subprocess
import sys

from kangbot.cli.answer import fitted

SHOWN = "from kangbot.cli.answer import fitted; print(fitted('market  why\\n\\nBTC/USDT  EMA 5 is below EMA 20'))"


def test_a_narrow_terminal_breaks_lines_between_words_and_a_file_has_them_whole() -> None:
    """What goes on is indented, so that a row is seen to be one."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SHOWN]
    environ = {**os.environ, "COLUMNS": "20"}
    subprocess.run(command, stdout=theirs, env=environ, check=True)
    os.close(theirs)
    said = os.read(ours, 4096).decode().replace("\r\n", "\n")
    os.close(ours)
    assert said == "market  why\n\nBTC/USDT  EMA 5 is\n    below EMA 20\n"
    filed = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    assert filed.stdout == "market  why\n\nBTC/USDT  EMA 5 is below EMA 20\n"


def test_lines_move_no_cursor() -> None:
    """In a file as in a terminal; where they end is ours."""
    assert fitted("first\x1b[2J\nsecond") == "first\\x1b[2J\nsecond"
