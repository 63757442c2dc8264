"""What systemd would hear of a daemon: a datagram socket in place of its own."""

import socket
import time
from pathlib import Path


class NotifySocket:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0)
        self._kept: list[str] = []

    def heard(self) -> list[str]:
        """Return every line since the last call."""
        lines, self._kept = self._kept, []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def until(self, word: str, within_s: float = 120.0) -> list[str]:
        """Return what is heard up to this line, which must come; what has come after it is heard by the next call."""
        lines: list[str] = []
        deadline = time.monotonic() + within_s
        while word not in lines:
            assert time.monotonic() < deadline, f"not within {within_s} s: {word}; heard {lines}"
            time.sleep(0.05)
            lines += self.heard()
        after = lines.index(word) + 1
        self._kept = lines[after:]
        return lines[:after]

    def close(self) -> None:
        """Be there no longer."""
        self._socket.close()
