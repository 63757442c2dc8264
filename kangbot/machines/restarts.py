"""How often a task may fall before it is left lying: restart intensity, after Erlang/OTP's supervisors.

At most `limit` crashes in any `window_ns`; up to then each is answered by a wait that grows. A quiet window forgets.
"""

import msgspec

from kangbot.machines.backoff import Backoff


class Restarts(msgspec.Struct, frozen=True, kw_only=True):
    """The crashes of one task that still count; returns its successor."""

    limit: int
    window_ns: int
    backoff: Backoff
    crashes_ns: tuple[int, ...] = ()

    def crashed(self, now_ns: int, draw: float) -> tuple["Restarts", int | None]:
        """Return the successor and the wait before the restart, or None when the intensity is exceeded."""
        recent = (*(at for at in self.crashes_ns if now_ns - at < self.window_ns), now_ns)
        backoff = self.backoff.failed() if len(recent) > 1 else self.backoff.reset().failed()
        after = msgspec.structs.replace(self, crashes_ns=recent, backoff=backoff)
        if len(recent) > self.limit:
            return after, None
        return after, backoff.wait_ns(draw)

    def forgiven(self) -> "Restarts":
        """Return it without its history: an operator started the task by hand."""
        return msgspec.structs.replace(self, crashes_ns=())
