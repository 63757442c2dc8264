"""Sends one message by a process of its own, which knows the services and ends.

Apprise and what it loads keep 43 MB and resolve and connect in threads that nothing can cancel. A child gives the
memory back, is killed when its time is over, and cannot hold the loop. The addresses hold tokens: they go through its
standard input, never through its arguments or environment.
"""

import asyncio
import contextlib
import os
import re
import sys
from typing import Protocol

import msgspec

from kangbot.errors import NeedsHuman, Retryable
from kangbot.model.events import Severity
from kangbot.runtime.installation import REPLACED, replaced, unstarted

NO_APPRISE = 3  # exit codes of the child
NO_ADDRESS = 4
NOT_TAKEN = 5
UNREACHED = "unreached"  # what it prints in place of a status
_STATUS = re.compile(r"\d{3}")
_SCHEME = re.compile(r"([a-z0-9]{1,12})://", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,]+(?=[a-z0-9]{1,12}://)", re.IGNORECASE)  # where Apprise, too, sees another address begin
_KEPT_FROM_IT = "KANGBOT_"  # our own settings, secrets among them


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is given, as JSON."""

    addresses: str
    title: str
    body: str
    severity: Severity


class Sender(Protocol):
    """Sends one message."""

    async def send(self, title: str, body: str, severity: Severity) -> None:
        """Send it. Retryable: it may be sent again. NeedsHuman: no try will succeed. A cancelled call may have sent."""


def each(addresses: str) -> list[str]:
    """Return one address for each service."""
    return _BETWEEN.split(addresses.strip())


def _environment() -> dict[str, str]:
    """Return what the child inherits. Its library asks another variable than everybody else whom to trust."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_FROM_IT)}
    if trusted := kept.get("SSL_CERT_FILE"):
        kept.setdefault("REQUESTS_CA_BUNDLE", trusted)
    return kept


class Outside:
    """Implements `Sender` through Apprise. `addresses` as Apprise writes them, separated by spaces.

    Those that share a `turn` send one after another: each child takes half as much memory as the daemon.
    """

    def __init__(self, addresses: str, *, turn: asyncio.Lock, timeout_s: float = 60.0) -> None:
        self._addresses = addresses
        self._turn = turn
        self._timeout_s = timeout_s

    async def send(self, title: str, body: str, severity: Severity) -> None:
        """Send by a child, which is killed where it takes longer than the time given."""
        letter = msgspec.json.encode(Letter(addresses=self._addresses, title=title, body=body, severity=severity))
        async with self._turn:
            code, said = await self._send(letter)
        match code:
            case 0:
                return
            case int(code) if code == NOT_TAKEN:
                raise Retryable(f"{_kind(self._addresses)} did not take the message{_why(said)}")
            case int(code) if code == NO_APPRISE:
                # To be had without a restart; and while an upgrade of it is under way it is missing for some seconds.
                raise Retryable("Apprise is not installed: pip install 'kangbot[notify]'")
            case int(code) if code == NO_ADDRESS:
                raise NeedsHuman("[notify] names no address that Apprise knows", remedy="correct the addresses")
            case _:  # it fell before it could send, or was killed
                raise Retryable(_unsent(f"its process ended with code {code}"))

    async def _send(self, letter: bytes) -> tuple[int | None, str]:
        """Return how the child ended, and what it printed."""
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "kangbot.notify.child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # it may quote an address, with its token
                env=_environment(),
            )
        except OSError as error:
            raise Retryable(_unsent(unstarted(error))) from error
        try:
            async with asyncio.timeout(self._timeout_s):
                said, _ = await child.communicate(letter)
        except TimeoutError:
            raise Retryable(f"the services did not answer within {self._timeout_s:.0f} s") from None
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        return child.returncode, said.decode("utf-8", "replace")


def _unsent(why: str) -> str:
    return f"the message could not be sent: {REPLACED if replaced() else why}"


def _kind(addresses: str) -> str:
    """Return which service it is, where it is one. The rest of an address is nobody's to see."""
    found = _SCHEME.match(addresses) if len(each(addresses)) == 1 else None
    return f"the service {found[1].lower()}://" if found else "a service"


def _why(said: str) -> str:
    """Return why a message was not taken, by what the child printed; nothing else of it is shown."""
    if said == UNREACHED:
        return ": it was not reached"
    if not _STATUS.fullmatch(said):
        return ""
    match int(said):
        case 401 | 403 | 404:
            return f": it answers {said}, so the token or the address is wrong"
        case 429:
            return ": it wants fewer messages (429)"
        case status if 300 <= status < 400:
            return f": it redirects ({said}), so use the address that it leads to"
        case status if status >= 500:
            return f": it has a fault of its own ({said})"
        case _:
            return f": it refuses it ({said}), so look at the chat, the room or the receiver in its address"
