"""Whether what fails is ours: most markets failing within one moment are the uplink, the resolver or the clock.

So is a stream that finds no name or no route for a while. It is over only when a dial found its way again, too:
requests go on over names that are remembered, and would end it while every stream is down.

A daemon of one or two markets has no majority: that both fail together does not say whose fault it is, and two
breakers are no storm. So each counts for itself, and its cool-down is waited out where packets are swallowed without a
word. What is certain to be ours, no name and no route, is a local fault there as well.

Twenty-seven venues' breakers for one pulled cable would be twenty-seven alarms, and half an hour without trading after
the cable is back. So it is one fault, with one alarm and one backoff, and no market's breaker counts it.
"""

import msgspec

from kangbot.machines.backoff import Backoff
from kangbot.model.ids import MarketId

_SECOND_NS = 1_000_000_000
WITHIN_NS = 10 * _SECOND_NS
_BACKOFF = Backoff(first_ns=5 * _SECOND_NS, ceiling_ns=15 * _SECOND_NS)  # all wait for it
SURE_NS = 3 * _SECOND_NS  # without a way out; a resolver that once did not answer is no fault
AT_LEAST = 3  # markets: two that fail together are a coincidence


class LocalFault(msgspec.Struct, frozen=True, kw_only=True):
    """Returns its successor. `markets` is how many could fail."""

    markets: int
    # Of each market that failed of late, oldest first.
    failed_ns: dict[MarketId, int] = msgspec.field(default_factory=dict)
    lost_ns: int = 0  # since then no dial found a way out; 0 where the last one did
    since_ns: int = 0  # it is a local fault since then; 0 for none
    retry_ns: int = 0  # no probe before
    backoff: Backoff = msgspec.field(default=_BACKOFF)

    @property
    def there(self) -> bool:
        """Whether what fails now is ours."""
        return self.since_ns > 0

    def failed(self, market: MarketId, now_ns: int, draw: float) -> "LocalFault":
        """Learn that a call of the market failed."""
        late = {known: at_ns for known, at_ns in self.failed_ns.items() if now_ns - at_ns <= WITHIN_NS}
        late.pop(market, None)
        late[market] = now_ns
        after = msgspec.structs.replace(self, failed_ns=late)
        if len(late) < AT_LEAST or 2 * len(late) <= self.markets:
            return after
        return _begun(after, now_ns, draw)

    def lost(self, now_ns: int, draw: float) -> "LocalFault":
        """Learn that a dial found no name or no route."""
        after = self if self.lost_ns else msgspec.structs.replace(self, lost_ns=now_ns)
        return _begun(after, now_ns, draw) if now_ns - after.lost_ns >= SURE_NS else after

    def found(self, now_ns: int) -> "LocalFault":
        """Learn that a dial found its way out: a probe is due at once."""
        if not self.lost_ns:
            return self
        return msgspec.structs.replace(self, lost_ns=0, retry_ns=now_ns if self.there else 0)

    def succeeded(self, market: MarketId) -> "LocalFault":
        """Learn that a call of the market succeeded."""
        if market not in self.failed_ns:
            return self
        return msgspec.structs.replace(
            self, failed_ns={known: at for known, at in self.failed_ns.items() if known != market}
        )

    def probed(self, now_ns: int, draw: float, *, well: bool) -> "LocalFault":
        """Learn how the one probe ended: the fault is over, or is tried again later, as while dials find no way out."""
        if not self.there:
            return self
        if well and not self.lost_ns:
            return LocalFault(markets=self.markets)
        backoff = self.backoff.failed()
        return msgspec.structs.replace(self, retry_ns=now_ns + backoff.wait_ns(draw), backoff=backoff)


def _begun(fault: LocalFault, now_ns: int, draw: float) -> LocalFault:
    if fault.there:
        return fault
    backoff = fault.backoff.failed()
    return msgspec.structs.replace(fault, since_ns=now_ns, retry_ns=now_ns + backoff.wait_ns(draw), backoff=backoff)
