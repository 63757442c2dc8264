"""What systemd would hear of a daemon: a datagram socket in place of its own."""

import socket
from pathlib import Path


class NotifySocket:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0)

    def heard(self) -> list[str]:
        """Return every line since the last call."""
        lines: list[str] = []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def close(self) -> None:
        """Be there no longer."""
        self._socket.close()
