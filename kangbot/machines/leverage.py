"""A market's leverage at the venue, held against the one that was set there.

Somebody can change it in the venue's app at any time. No order is refused for that, and none says it: only a statement
on the position does. It is put back once nothing is held, as other settings take effect then, and not again and again:
whoever sets another one in turn, a second daemon on the account among them, would have the market prepared for ever.
"""

from decimal import Decimal

import msgspec

QUIET_NS = 5_000_000_000  # a statement from before it was set may be on its way for so long
AGAIN_NS = 3_600_000_000_000  # between two times that it is put back


class Leverage(msgspec.Struct, frozen=True, kw_only=True):
    """Returns its successor. Times are by our clock."""

    wanted: Decimal | None = None  # was set at the venue last; None: not since this process began
    differs: Decimal | None = None  # what the venue has in place of it; None: nothing else, as far as we know
    set_ns: int = 0
    back_ns: int | None = None  # when it was put back last

    def placed(self, leverage: int, now_ns: int) -> "Leverage":
        """Return it once the venue has taken it."""
        return msgspec.structs.replace(self, wanted=Decimal(leverage), differs=None, set_ns=now_ns)

    def stated(self, leverage: Decimal | None, of_ns: int) -> "Leverage":
        """Return it after a statement of the venue's, None for one that says nothing of it; `of_ns`: not older."""
        if leverage is None or self.wanted is None or of_ns < self.set_ns + QUIET_NS:
            return self
        return msgspec.structs.replace(self, differs=None if leverage == self.wanted else leverage)

    def put_back(self, now_ns: int) -> "Leverage":
        """Return it as it is put back."""
        return msgspec.structs.replace(self, back_ns=now_ns)

    def due(self, now_ns: int) -> bool:
        """Whether it is to be put back as soon as nothing is held."""
        return self.differs is not None and (self.back_ns is None or now_ns - self.back_ns >= AGAIN_NS)
