"""A client's websocket that hands each message on in the turn that reads it, without a queue between.

The library puts frames into a queue, and wakes a task that takes them out. Queue and task cost a fifth of a frame's way
from the socket to a market's inbox, and one more round of the loop before anybody decides. So its connection is
subclassed, as its `create_connection` is meant for, and takes frames from `process_event`; parsing, pings, the closing
handshake and the bound of a message's size stay the library's.

Where its owner allows it a rest, the socket asks the kernel after each read not to wake the loop for a little: by the
low-water mark of what is received (SO_RCVLOWAT), which works below TLS, where pausing a transport does not. Much at
once, the end of the connection and the end of the rest wake it.
"""

import platform
import re
import socket as sockets
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame

Take = Callable[[bytes], None]
Rest = Callable[[], float]  # for how many seconds what comes may wait; 0.0: not at all

_MUCH_BYTES = 1 << 16  # read at once: there is more where that came from
_ENOUGH_BYTES = 1 << 15  # wakes a socket that rests; far below the smallest buffer a kernel gives


class DirectConnect(connect):
    """Dials the address it is given and no other: a login is signed for the venue, not for whom a portal names."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Follow none; the answer's status is told."""
        return exc


class FeedSocket(ClientConnection):
    """A connection whose messages go to whom `attach` names; `recv` only waits for its end, and raises it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._early: list[bytes] | None = []  # came before anybody was attached
        self._parts = bytearray()  # of a message that is not whole yet
        self._take: Take = self._early.append
        self._rest: Rest = _never
        self._resting = False

    def attach(self, take: Take, rest: Rest | None = None) -> None:
        """Hand all messages to `take`, which must not raise; those first that came before this call.

        `rest` is asked after each read for how many seconds the next may be put off; never put off without it.
        """
        early, self._early = self._early, None
        self._take = take
        self._rest = rest if rest is not None and _can_rest() else _never
        for message in early or ():
            take(message)

    def detach(self) -> None:
        """Drop whatever comes from now on, so that the closing handshake behind it is read."""
        self._early = None
        self._take = _drop
        self._rest = _never

    def process_event(self, event: Any) -> None:
        """Take what the library has parsed: a message here, all else there."""
        if type(event) is not Frame or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif not event.fin:
            self._parts += event.data
        elif self._parts:
            self._parts += event.data
            whole, self._parts = bytes(self._parts), bytearray()
            self._take(whole)
        else:
            self._take(bytes(event.data))

    def data_received(self, data: bytes) -> None:
        """Read; after much at once let the rest of the loop have its turn before more is read."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if len(data) >= _MUCH_BYTES:
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)
        elif not self._resting and (seconds := self._rest()):
            self._resting = self._wake_by(_ENOUGH_BYTES)
            if self._resting:
                self.loop.call_later(seconds, self._rested)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _rested(self) -> None:
        self._resting = False
        self._wake_by(1)

    def _wake_by(self, least_bytes: int) -> bool:
        """Have the kernel wake the loop by so many bytes; False where it cannot. What is there already counts."""
        if self.transport.is_closing():
            return False
        try:
            self.transport.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVLOWAT, least_bytes)
        except OSError:
            self._rest = _never
            return False
        return True


def _drop(_message: bytes) -> None:
    """Take a message that nobody wants any more."""


def _can_rest() -> bool:
    """Since Linux 4.18 a mark that is lowered wakes who waits for what is there already; else the next byte would."""
    release = re.match(r"(\d+)\.(\d+)", platform.release())
    return platform.system() == "Linux" and release is not None and (int(release[1]), int(release[2])) >= (4, 18)


def _never() -> float:
    """Grant no rest."""
    return 0.0
