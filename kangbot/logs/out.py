"""Where the lines go: standard error, a call a line, and no call waits for whoever reads there.

A reader may have gone, and may stand still: a terminal after Ctrl-S or behind a dead connection, a pager, a container
engine that hangs. A write would wait for it, and with the write the one loop that carries every market. So a pipe, a
terminal and a socket are written to without waiting; what they do not take stays here, goes first with the next line,
and is bounded. Lines beyond the bound are counted, and told of when the reader goes on.

A plain file nobody waits for, but its disk may be full: then it is a reader that stands still, until there is room.
Nothing can be made not to wait for a handle that others share (the shell would find its own terminal changed), so a
pipe or a terminal is opened once more, by the link that Linux keeps of it; where that is refused, it is written to as
it is.
"""

import contextlib
import os
import select
import socket
import stat
import threading
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple, TextIO

from kangbot.runtime.standard import opened_again

_MOST = 1 << 18  # bytes that wait for a reader: some thousand lines
_PIECE = 1 << 12
_LAST_S = 1.0  # for what still waits at the end of the process


class Way(NamedTuple):
    """How to send without waiting: `send` returns how many bytes were taken, and raises BlockingIOError for none."""

    handle: int
    send: Callable[[bytes], int]
    close: Callable[[], object]


class Out:
    """One line a call, from any thread. `lost` is told how many lines were left out, once the reader goes on."""

    def __init__(self, stream: TextIO, lost: Callable[[int], object] = lambda _: None) -> None:
        self._stream = stream
        self._tell_lost = lost
        self._turn = threading.Lock()
        self._late = bytearray()
        self._lost = 0
        self._way = _way(stream)
        self.is_terminal = stream.isatty()

    def write(self, line: str) -> None:
        """Write the line. One whose reader has gone is no reason to stop trading: it is dropped."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed at the interpreter's end
            if self._way is None:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            elif lost := self._pushed(f"{line}\n".encode(self._stream.encoding, "backslashreplace"), self._way):
                self._tell_lost(lost)

    debug = info = warning = error = critical = write

    def close(self) -> None:
        """Give a reader that is only slow a last second for what still waits."""
        way, self._way = self._way, None
        if way is None:
            return
        over_s = perf_counter() + _LAST_S
        with contextlib.suppress(OSError, ValueError), self._turn:
            while self._late and (left_s := over_s - perf_counter()) > 0:
                select.select((), (way.handle,), (), left_s)
                before = len(self._late)
                self._empty(way)
                if len(self._late) == before:  # a full disk's file is always ready, and takes nothing
                    break
        way.close()

    def _pushed(self, data: bytes, way: Way) -> int:
        """Write what waits, then the line; return how many lines were lost where all has been written again."""
        with self._turn:
            if self._late and (self._lost or len(self._late) + len(data) > _MOST):
                self._lost += 1  # until all is written: a gap is in one place, and its number is told there
            else:
                self._late += data
            self._empty(way)
            if self._late:
                return 0
            lost, self._lost = self._lost, 0
            return lost

    def _empty(self, way: Way) -> None:
        try:
            while self._late:
                del self._late[: way.send(bytes(self._late[:_PIECE]))]
        except BlockingIOError:
            pass
        except OSError:
            self._late.clear()
            raise


def _filed(file: int, data: bytes) -> int:
    try:
        return os.write(file, data)
    except OSError as error:  # no room, or a disk that an error has made read-only: either may end
        raise BlockingIOError from error


def _way(stream: TextIO) -> Way | None:
    """Return how bytes are sent to whatever the stream leads to; None where it is as well to write to the stream."""
    try:
        number = stream.fileno()
        kind = os.fstat(number).st_mode
        if stat.S_ISSOCK(kind):
            ours = socket.socket(fileno=os.dup(number))
            return Way(ours.fileno(), lambda data: ours.send(data, socket.MSG_DONTWAIT), ours.close)
        if stat.S_ISFIFO(kind) or stream.isatty():
            again = opened_again(number)
            return Way(again, lambda data: os.write(again, data), lambda: os.close(again))
        if stat.S_ISREG(kind):
            file = os.dup(number)
            return Way(file, lambda data: _filed(file, data), lambda: os.close(file))
    except (OSError, ValueError):  # no file at all; or one that this process may not open again
        return None
    return None
