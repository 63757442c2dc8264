"""Keys as they are pressed, without Enter, and the terminal as it was found afterwards."""

import os
import select
import termios
import tty
from types import TracebackType
from typing import Self, TextIO

_NAMES = {"\x1b[A": "up", "\x1b[B": "down", "\x1b[5~": "page up", "\x1b[6~": "page down", "k": "up", "j": "down"}
_CTRL_C, _CTRL_D = "\x03", "\x04"
_MOST = 64  # bytes a read: more than any key sends


class Keys:
    """The keys of a terminal, for as long as the block lasts."""

    def __init__(self, terminal: TextIO) -> None:
        self._handle = terminal.fileno()

    def __enter__(self) -> Self:
        self._found = termios.tcgetattr(self._handle)
        tty.setcbreak(self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Give the terminal back. Ctrl-C is a way to end the block, and no error."""
        termios.tcsetattr(self._handle, termios.TCSADRAIN, self._found)
        return kind is KeyboardInterrupt

    def pressed(self, within_s: float) -> list[str]:
        """Return what was pressed, at once where it is anything; nothing after `within_s`. A closed terminal is q."""
        ready, _, _ = select.select([self._handle], [], [], within_s)
        if not ready:
            return []
        text = os.read(self._handle, _MOST).decode(errors="replace")
        return named(text) if text else ["q"]


def named(text: str) -> list[str]:
    """Return the keys in what a terminal sent; those without a meaning here are left out."""
    found: list[str] = []
    while text:
        sent = next((sent for sent in _NAMES if text.startswith(sent)), text[0])
        if sent in _NAMES:
            found.append(_NAMES[sent])
        elif sent in {"q", "Q", _CTRL_C, _CTRL_D}:
            found.append("q")
        text = text[len(sent) :]
    return found
