"""A client's websocket that hands each message on in the turn that reads it, without a queue between.

The library puts frames into a queue, and wakes a task that takes them out. Queue and task cost a fifth of a frame's way
from the socket to a market's inbox, and one more round of the loop before anybody decides. So its connection is
subclassed, as its `create_connection` is meant for, and takes frames from `process_event`; parsing, pings, the closing
handshake and the bound of a message's size stay the library's.
"""

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame

Take = Callable[[bytes], None]

_MUCH_BYTES = 1 << 16  # read at once: there is more where that came from


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

    def attach(self, take: Take) -> None:
        """Hand all messages to `take`, which must not raise; those first that came before this call."""
        early, self._early = self._early, None
        self._take = take
        for message in early or ():
            take(message)

    def detach(self) -> None:
        """Drop whatever comes from now on, so that the closing handshake behind it is read."""
        self._early = None
        self._take = _drop

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
        if len(data) >= _MUCH_BYTES and not self.transport.is_closing():
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()


def _drop(_message: bytes) -> None:
    """Take a message that nobody wants any more."""
