"""Whether somebody who has work makes progress: the difference between idle and stuck.

Work that waits while the count of what is done stands still is waited for; after `bound_ns` of that it is stuck. Who
has nothing to do is never stuck, and one piece of work done begins the waiting anew.

Only time that was looked at counts, and of a long gap between two looks only `LONGEST_GAP_NS`: a process that was
stopped for a minute has not been stuck for a minute, it was not there.
"""

import msgspec

LONGEST_GAP_NS = 10_000_000_000  # twice the slow beat at which the looks come


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What the last look at which work waited found, or its end; `waited_ns`: for how long without any being done."""

    bound_ns: int
    done: int = 0
    waiting: bool = False
    waited_ns: int = 0
    at_ns: int = 0

    @property
    def stuck(self) -> bool:
        """Whether it has waited for too long."""
        return self.waited_ns >= self.bound_ns

    def looked(self, done: int, now_ns: int, *, waiting: bool) -> "Progress":
        """Return what holds after a look: so much is done in all, and work waits or none does."""
        if not waiting and not self.waiting:
            return self  # what was done meanwhile matters to nobody until work waits: then the waiting begins anew
        waited_ns = 0
        if waiting and self.waiting and done == self.done:
            waited_ns = self.waited_ns + min(max(0, now_ns - self.at_ns), LONGEST_GAP_NS)
        return Progress(bound_ns=self.bound_ns, done=done, waiting=waiting, waited_ns=waited_ns, at_ns=now_ns)
