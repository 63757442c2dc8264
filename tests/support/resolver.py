"""A resolver of names that a test can take away from a daemon: the world's, not the code's.

A process that is started with `environment(folder)` resolves `HOST` to loopback as long as the folder has the file
`names`, after as many seconds as that says, and no name at all without it. It is Python's own resolver that is
replaced, so the process runs on asyncio's loop: uvloop asks the system's by itself.
"""

from collections.abc import Mapping
from pathlib import Path

HOST = "venue.test"  # reserved: RFC 2606

_SITE = f"""
import socket
import sys
import time
from pathlib import Path

sys.modules["uvloop"] = None
_NAMES = Path(__file__).with_name("names")
_resolve = socket.getaddrinfo


def getaddrinfo(host, *arguments, **named):
    if host != {HOST!r}:
        return _resolve(host, *arguments, **named)
    if not _NAMES.exists():
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    time.sleep(float(_NAMES.read_text() or 0))
    return _resolve("127.0.0.1", *arguments, **named)


socket.getaddrinfo = getaddrinfo
"""


class Resolver:
    """The names of one daemon; they resolve from the beginning."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_SITE)
        self._names = folder / "names"
        self.environment: Mapping[str, str] = {"PYTHONPATH": str(folder)}
        self.work()

    def work(self, *, after_s: float = 0.0) -> None:
        """Let names resolve; each lookup takes so long."""
        self._names.write_text(str(after_s))

    def fail(self) -> None:
        """Let no name resolve."""
        self._names.unlink()
