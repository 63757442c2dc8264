"""The position's stop: which one is wanted, which one rests at the venue, and when to try again.

A stop that does not rest is tried again at growing intervals for as long as the position is open; one that the venue
refuses for a reason (it would trigger at once) is not tried again, and what follows is the market's policy.
"""

import msgspec

from kangbot.model.money import Price

_TRY_NS = tuple(int(seconds * 1_000_000_000) for seconds in (0, 0.5, 1, 2, 4))


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of the stop; returns its successor. Times are of our clock."""

    wanted: Price | None = None  # None with `asked_ns`: no stop is wanted
    asked_ns: int = 0  # when it was wanted first; 0 where nobody wants anything
    tries: int = 0
    tried_ns: int = 0
    flying: bool = False  # a request is under way
    refused: str = ""  # the venue's definitive no to `wanted`
    again: bool = False  # it has refused the very same before
    failed: bool = False  # a request has failed before: for this one, or for the one that was wanted until then

    def want(self, stop: Price | None, now_ns: int, *, again: bool = False) -> "Protection":
        """Return it with this stop wanted; the same where it is wanted already, and `again` does not insist."""
        if self.asked_ns and stop == self.wanted and not again:
            return self
        again = bool(self.refused) and stop == self.wanted
        failed = None not in (stop, self.wanted) and not self.coming
        return Protection(wanted=stop, asked_ns=now_ns, flying=self.flying, again=again, failed=failed)

    def trying(self, now_ns: int) -> "Protection":
        """Return it with a request on its way."""
        return msgspec.structs.replace(self, tries=self.tries + 1, tried_ns=now_ns, flying=True)

    def ended(self, stop: Price | None, *, done: bool, refused: str = "") -> "Protection":
        """Return it after the answer to a request for `stop`."""
        landed = msgspec.structs.replace(self, flying=False)
        if stop != self.wanted:
            return landed  # another one is wanted by now
        if done:
            return Protection()
        return msgspec.structs.replace(landed, refused=refused)

    @property
    def coming(self) -> bool:
        """Whether the stop is wanted, and no request has failed since one rested."""
        first = not self.tries or (self.tries == 1 and self.flying)
        return bool(self.asked_ns) and not self.failed and first

    def due_ns(self) -> int | None:
        """Return when a request is to leave; None where none is."""
        if not self.asked_ns or self.flying or self.refused:
            return None
        if not self.tries:
            return self.asked_ns
        return self.tried_ns + _TRY_NS[min(self.tries, len(_TRY_NS) - 1)]
