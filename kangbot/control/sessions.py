"""Sessions of browsers: a cookie for a token that was shown once, signed with the tokens, kept nowhere.

The cookie says what it may do and until when; the signature says that the daemon wrote it. So a restart ends no
session, and a new token file ends them all. One that was ended by hand is remembered, but not over a restart: whoever
has stolen a cookie is shut out by new tokens.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256

from kangbot.control.access import Access
from kangbot.runtime.secret import new_secret
from kangbot.runtime.world import SECOND_NS, Clock

LIFE_S = 12 * 3600
MOST_ENDED = 1024  # that are remembered; the oldest is forgotten where there are more


class Sessions:
    """All of them. `key` signs them; `draw` gives each one a part that is its own."""

    def __init__(self, clock: Clock, key: bytes, draw: Callable[[], str] = new_secret) -> None:
        self._clock = clock
        self._key = key
        self._draw = draw
        self._ended: dict[str, None] = {}

    def begin(self, access: Access) -> str:
        """Return the cookie of a new session."""
        until_s = self._clock.now_ns() // SECOND_NS + LIFE_S
        said = f"{access.value}.{until_s}.{self._draw()}"
        return f"{said}.{self._signature(said)}"

    def access(self, cookie: str) -> Access:
        """Return what the session may do; OPEN where it is none of ours, or over."""
        said, _, signature = cookie.rpartition(".")
        # As bytes: what a caller sends need not be ASCII.
        if not hmac.compare_digest(self._signature(said).encode(), signature.encode(errors="replace")):
            return Access.OPEN
        access, until_s, _ = said.split(".", 2)  # signed, so it is as `begin` wrote it
        if cookie in self._ended or self._clock.now_ns() >= int(until_s) * SECOND_NS:
            return Access.OPEN
        return Access(int(access))

    def end(self, cookie: str) -> None:
        """End the session, if it is one."""
        if self.access(cookie) is Access.OPEN:
            return
        self._ended[cookie] = None
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    def _signature(self, said: str) -> str:
        return hmac.new(self._key, said.encode(errors="replace"), sha256).hexdigest()
