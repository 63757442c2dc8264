"""The highest equity, as transfers leave it: who takes money out has lost nothing, and who brings some won nothing.

A transfer is learnt of some time after it moved the equity: within a minute as a rule, after a start once the venue is
asked. So the newest marks are kept one by one, and it is told which of them it had reached. What is older has folded
into one height, and lies before any transfer that is still to be told of.

A mark that is as old as the transfer, give or take the two clocks, may be of either side: it counts for neither.
"""

from collections.abc import Sequence

from kangbot.machines.transfers import UNSURE_NS
from kangbot.model.money import Money
from kangbot.model.written import Written

SECOND_NS = 1_000_000_000
_SPAN_NS = 30 * SECOND_NS  # marks of so long are kept as one
_KEPT_NS = 7200 * SECOND_NS  # a transfer that is told of later than that is taken for one after all that folded


class Height(Written, frozen=True, kw_only=True):
    """The highest equity of half a minute, which begins with its first mark."""

    at_ns: int
    equity: Money


class Heights:
    """The highest equity of one account. One writer: its ledger.

    `folded` is the highest of what lies further back than `recent`, which is in the order of time.
    """

    __slots__ = ("folded", "recent")

    def __init__(self, folded: Money | None = None, recent: Sequence[Height] = ()) -> None:
        self.folded = folded
        self.recent = tuple(recent)

    @property
    def highest(self) -> Money | None:
        """The highest of all; None where nothing is known."""
        heights = [height.equity for height in self.recent]
        if self.folded is not None:
            heights.append(self.folded)
        return max(heights, default=None)

    def mark(self, at_ns: int, equity: Money) -> None:
        """Take in the equity of `at_ns`. What is stamped later is taken for of then: the clock was set back."""
        kept = self._kept(at_ns)
        if kept and at_ns < kept[-1].at_ns + _SPAN_NS:
            last = kept.pop()
            kept.append(Height(at_ns=last.at_ns, equity=max(last.equity, equity)))
        else:
            kept.append(Height(at_ns=at_ns, equity=equity))
        self.recent = tuple(kept)

    def _kept(self, now_ns: int) -> list[Height]:
        """Return what is recent still, none of it later than now; what is not folds."""
        kept = [
            height if height.at_ns <= now_ns else Height(at_ns=now_ns, equity=height.equity) for height in self.recent
        ]
        while kept and kept[0].at_ns < now_ns - _KEPT_NS:
            old = kept.pop(0).equity
            self.folded = old if self.folded is None else max(old, self.folded)
        return kept

    def moved(self, at_ns: int, amount: Money) -> None:
        """Learn that `amount` was moved into the account at `at_ns`, or out of it where it is negative."""
        if self.folded is not None:
            self.folded += amount
        before = tuple(
            Height(at_ns=height.at_ns, equity=height.equity + amount)
            for height in self.recent
            if height.at_ns + _SPAN_NS + UNSURE_NS <= at_ns
        )
        self.recent = before + tuple(height for height in self.recent if height.at_ns >= at_ns + UNSURE_NS)
