"""Sessions of browsers: a name in a cookie for a token that was shown once. In memory: a restart ends them all."""

from collections.abc import Callable

from kangbot.control.access import Access
from kangbot.runtime.secret import new_secret
from kangbot.runtime.world import SECOND_NS, Clock

LIFE_S = 12 * 3600
MOST = 64  # the oldest one ends where there are more


class Sessions:
    """All of them; `draw` gives names that nobody can guess."""

    def __init__(self, clock: Clock, draw: Callable[[], str] = new_secret) -> None:
        self._clock = clock
        self._draw = draw
        self._open: dict[str, tuple[Access, int]] = {}  # by name: the right, and until when

    def begin(self, access: Access) -> str:
        """Return the name of a new session."""
        name = self._draw()
        self._open[name] = (access, self._clock.now_ns() + LIFE_S * SECOND_NS)
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return name

    def access(self, name: str) -> Access:
        """Return what the session may do; OPEN where it is none, or over.

        Found by a hash of 32 random bytes: how long that takes says nothing that helps to guess one.
        """
        access, until_ns = self._open.get(name, (Access.OPEN, 0))
        if access is not Access.OPEN and self._clock.now_ns() >= until_ns:
            del self._open[name]
            return Access.OPEN
        return access

    def end(self, name: str) -> None:
        """End the session, if it is one."""
        self._open.pop(name, None)

    def __len__(self) -> int:
        return len(self._open)
