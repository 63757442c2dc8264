"""Whoever answers in the place of a MariaDB server: greets as one, and keeps what is said to it."""

import contextlib
import queue
import socket
import threading
from types import TracebackType
from typing import Self

_PATIENCE_S = 120.0
PLAIN = 0x00088200 | 0x8  # protocol 4.1, plugins, a salt of twenty bytes; with a database
_SSL = 0x800
_SALT = b"8bytes..12bytes_more"


class Impostor:
    """Listens on a loopback port. After its greeting it hears one answer, and hangs up, or stays `silent`."""

    def __init__(self, *, tls: bool, silent: bool = False) -> None:
        self._tls = tls
        self._silent = silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._heard: queue.Queue[bytes] = queue.Queue()
        self._door = threading.Thread(target=self._open)

    def __enter__(self) -> Self:
        self._door.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._door.join()
        self._listener.close()

    def heard(self) -> bytes:
        """Wait for the next who has come and gone, and return what it said."""
        return self._heard.get(timeout=_PATIENCE_S)

    def _open(self) -> None:
        with contextlib.suppress(OSError):  # shut
            while True:
                self._serve(self._listener.accept()[0])

    def _serve(self, caller: socket.socket) -> None:
        said = b""
        caller.settimeout(_PATIENCE_S)
        with caller, contextlib.suppress(OSError):
            caller.sendall(greeting(PLAIN | (_SSL if self._tls else 0)))
            while piece := caller.recv(1 << 16):
                said += piece
                if not self._silent:
                    break
        self._heard.put(said)


def greeting(capabilities: int) -> bytes:
    """Return a server's first packet, version 10 of the protocol."""
    low, high = (capabilities & 0xFFFF).to_bytes(2, "little"), (capabilities >> 16).to_bytes(2, "little")
    body = b"\x0a10.11.0-MariaDB\0" + b"\1\0\0\0" + _SALT[:8] + b"\0" + low + b"\x2d\2\0" + high
    body += bytes([len(_SALT) + 1]) + bytes(10) + _SALT[8:] + b"\0" + b"mysql_native_password\0"
    return len(body).to_bytes(3, "little") + b"\0" + body
