"""Talk to a running daemon over its control socket, with nothing but the standard library.

A command line must start quickly, so this knows no aiohttp.
"""

import contextlib
import http
import http.client
import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from kangbot.errors import Retryable, named
from kangbot.health.report import Report

_TIMEOUT_S = 10.0


class NoDaemonError(RuntimeError):
    """Nobody answers on the socket.

    `shut`: to this user it is closed, so a daemon may be there all the same. `silent`: one is there and says nothing.
    """

    def __init__(self, message: str, *, shut: bool = False, silent: bool = False) -> None:
        super().__init__(message)
        self.shut = shut
        self.silent = silent


class _FaultError(ValueError):
    """The daemon came upon a fault of its own: what was asked for may be done or not."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class ControlClient:
    """One daemon's control socket. Every call is a connection of its own. NoDaemonError where nobody answers.

    `timeout_s` bounds the wait for each piece of an answer.
    """

    def __init__(self, path: Path, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def report(self) -> Report:
        """Return what the daemon says of itself. ValueError where it cannot be read."""
        said = self._call("GET", "/report")
        try:
            return msgspec.json.decode(said, type=Report)
        except msgspec.MsgspecError as error:
            raise ValueError(f"the daemon's report cannot be read; is it of another version? {error}") from None

    def ask(self, path: str) -> Any:
        """Return the answer to `GET path`. ValueError with the daemon's words where it has none.

        Retryable where what would know it, such as the history, is away.
        """
        return _read(self._call("GET", path, may_be_away=True))

    def health(self) -> bytes:
        """Return how well the daemon is, as JSON; a health that is critical is an answer too."""
        return self._call("GET", "/health", also=(http.HTTPStatus.SERVICE_UNAVAILABLE,))

    def tell(self, path: str, body: object = None) -> Any:
        """Return the answer to `POST path`. ValueError with the daemon's words where it refuses."""
        return _read(self._call("POST", path, body))

    def kill(self, reason: str, *, flatten: bool) -> dict[str, Any]:
        """Set the kill switch and return how it stands. ValueError with the daemon's words where no disk took it.

        NoDaemonError also where the daemon has a fault of its own in place of an answer, or one that cannot be read: it
        is as good as silent.
        """
        try:
            said = self._call("POST", "/kill", {"reason": reason, "flatten": flatten})
        except _FaultError as error:
            raise NoDaemonError(str(error), silent=True) from None
        try:
            standing = dict(json.loads(said))
            return standing | {"killed": str(standing["killed"]), "flatten": bool(standing["flatten"])}
        except (ValueError, LookupError, TypeError) as error:
            raise NoDaemonError(unreadable(error), silent=True) from None

    def release(self) -> dict[str, Any]:
        """Release the kill switch. ValueError with the daemon's words where it stays set."""
        return dict(_read(self._call("POST", "/release")))

    def release_market(self, market: str) -> str:
        """Lift a market's quarantine, and return its whole name. ValueError with the daemon's words."""
        said = _read(self._call("POST", f"/markets/{quote(market, safe=':')}/release"))
        try:
            return str(said["market"])
        except (LookupError, TypeError) as error:
            raise ValueError(unreadable(error)) from None

    def _call(
        self, method: str, path: str, body: object = None, *, also: Sequence[int] = (), may_be_away: bool = False
    ) -> bytes:
        connection = _UnixConnection(self._path, self._timeout_s)
        try:
            asked = None if body is None else json.dumps(body).encode()
            connection.request(method, quote(path, safe="/:%?&="), body=asked, headers={"Host": "localhost"})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            shut, silent = isinstance(error, PermissionError), isinstance(error, TimeoutError)
            words = f"no daemon answers on {self._path}: {_why(error)}"
            raise NoDaemonError(words, shut=shut, silent=silent) from None
        finally:
            connection.close()
        if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE and answer.getheader("Retry-After"):  # it begins
            raise NoDaemonError(_error(answer.status, said), silent=True)
        if may_be_away and answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            raise Retryable(_error(answer.status, said))
        if answer.status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _FaultError(_error(answer.status, said))
        if answer.status >= 400 and answer.status not in also:
            raise ValueError(_error(answer.status, said))
        return said


def unreadable(error: Exception) -> str:
    """Return what is said of an answer whose form is not known."""
    return f"the daemon's answer cannot be read; is it of another version? {named(error)}"


def _read(said: bytes) -> Any:
    try:
        return json.loads(said)
    except ValueError as error:
        raise ValueError(unreadable(error)) from None


def _why(error: Exception) -> str:
    """Return what went wrong, in the system's words and without its number where it has some."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _error(status: int, said: bytes) -> str:
    """Return the words of an answer that is an error; whoever gave it, they are one line."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(said)["error"])
    return f"the daemon answered HTTP {status}, without a word that can be read"
