"""A resolver of names that a test can take away from a daemon: the world's, not the code's.

A process that is started with `environment(folder)` resolves `HOST` to loopback as long as the folder has the file
`names`, and no name at all without it. It is Python's own resolver that is replaced, so the process runs on asyncio's
loop: uvloop asks the system's by itself.
"""

from collections.abc import Mapping
from pathlib import Path

HOST = "venue.test"  # reserved: RFC 2606

_SITE = f"""
import socket
import sys
from pathlib import Path

sys.modules["uvloop"] = None
_NAMES = Path(__file__).with_name("names")
_resolve = socket.getaddrinfo


def getaddrinfo(host, *arguments, **named):
    if host != {HOST!r}:
        return _resolve(host, *arguments, **named)
    if not _NAMES.exists():
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
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

    def work(self) -> None:
        """Let names resolve."""
        self._names.touch()

    def fail(self) -> None:
        """Let no name resolve."""
        self._names.unlink()
