"""When memory is given back: before the kernel ends the process, once, and again only if it helped or time has passed.

::

    under `again`      ready
    `relieve` or more  relief, once; then not before it has been under `again`, or `wait_ns` is over

`relieve` and `again` lie apart, so that a process that sits on the edge is not swept at every look.
"""

import msgspec

RELIEVE = 0.8
AGAIN = 0.7
WAIT_NS = 600_000_000_000


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """`due_ns`: no further relief before, unless memory was under `again` meanwhile."""

    relieve: float = RELIEVE
    again: float = AGAIN
    wait_ns: int = WAIT_NS
    due_ns: int = 0

    def looked(self, share: float, now_ns: int) -> tuple["Relief", bool]:
        """Return what holds after a look at the share of the limit that is used, and whether relief is due."""
        if share >= self.relieve:
            if now_ns < self.due_ns:
                return self, False
            return msgspec.structs.replace(self, due_ns=now_ns + self.wait_ns), True
        return (msgspec.structs.replace(self, due_ns=0) if share < self.again else self), False
