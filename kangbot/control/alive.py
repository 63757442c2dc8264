"""Ask the daemon of this container whether it lives: a health check that costs next to nothing.

    python -m kangbot.control.alive     exit code 0: the loop answers; 1: it does not, with the reason

It runs every half minute beside the daemon for as long as that runs, so it is one socket and one line of HTTP: no
configuration is read and no library is imported. The socket is where `KANGBOT_CONTROL__SOCKET` says, as the image sets
it.
"""

import os
import socket
import sys

_SOCKET = "KANGBOT_CONTROL__SOCKET"
_TIMEOUT_S = 4.0  # below the five seconds after which Docker gives up on the check


def main() -> int:
    """Return 0 where the daemon answers, else 1; the reason stands on standard output, where Docker keeps it."""
    path = os.environ.get(_SOCKET, "")
    if not path:
        return _dead(f"{_SOCKET} is not set")
    try:
        answer = _ask(path)
    except OSError as error:
        return _dead(f"no daemon answers on {path}: {error.strerror or str(error) or type(error).__name__}")
    status, _, rest = answer.partition(b"\r\n")
    if status.split()[1:2] == [b"200"]:
        return 0
    return _dead(rest.partition(b"\r\n\r\n")[2].decode(errors="replace") or "the daemon answers, but not with a word")


def _ask(path: str) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_S)
        connection.connect(path)
        connection.sendall(b"GET /live HTTP/1.0\r\nHost: localhost\r\n\r\n")
        said = b""
        while part := connection.recv(4096):
            said += part
        return said


def _dead(reason: str) -> int:
    sys.stdout.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
