"""Who tries tokens is left alone for a while: failures are counted by address, and nothing else is.

A token has 256 bits and is not found by trying; this keeps the log readable and the loop free of whoever tries. The
addresses that are remembered are bounded, so that many of them cost no memory: the one that failed longest ago goes.
"""

import msgspec

_SECOND_NS = 1_000_000_000


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one address."""

    failures: int
    last_ns: int
    until_ns: int = 0  # locked out until then


class Lockout(msgspec.Struct, kw_only=True):
    """After `failures` within `within_ns` of each other an address is locked out for `lock_ns`. One writer."""

    failures: int = 10
    within_ns: int = 60 * _SECOND_NS
    lock_ns: int = 60 * _SECOND_NS
    most: int = 1024  # addresses
    _tries: dict[str, Tries] = msgspec.field(default_factory=dict)  # the one that failed last is the last one

    def left_ns(self, address: str, now_ns: int) -> int:
        """Return for how long the address is locked out still; 0 where it is not."""
        tries = self._tries.get(address)
        return 0 if tries is None else max(0, tries.until_ns - now_ns)

    def failed(self, address: str, now_ns: int) -> bool:
        """Count a failure; True where this one locks the address out."""
        before = self._tries.pop(address, None)
        fresh = before is None or now_ns - before.last_ns > self.within_ns
        failures = 1 if before is None or fresh else before.failures + 1
        locks = failures >= self.failures
        self._tries[address] = Tries(
            failures=0 if locks else failures, last_ns=now_ns, until_ns=now_ns + self.lock_ns if locks else 0
        )
        while len(self._tries) > self.most:
            del self._tries[next(iter(self._tries))]
        return locks

    def succeeded(self, address: str) -> None:
        """Forget the address: it knows the token."""
        self._tries.pop(address, None)

    def __len__(self) -> int:
        return len(self._tries)
