"""What lies behind a position beside its size: the stop that belongs to it, and how much of it was traded by hand.

A venue nets everything into one position, so a trade by hand cannot be told from ours in its size. It can be told by
its fill, which bears no id of ours; the share by hand is the sum of those since flat. The stop that belongs to a
position is the last one that rested, or the one that its entry carried: where the venue shows none, that is the price
to restore, also after a restart and before the strategy has said a word.

What can only close turns no contract's position around at the venue: a reduce-only order of ours, a stop, a
liquidation. Where its fill does so in our books, somebody traded after it and was heard of first, and what is left over
is theirs.

In a spot market nobody nets: `model/position.py` has what a sale by hand takes, theirs first and then ours.

The fold of the journal and the running market keep it by the same two steps.
"""

from enum import StrEnum

from kangbot.model.ids import spot_base
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Fill, FillCause, Intent
from kangbot.model.written import Written


class ForeignPolicy(StrEnum):
    """What is done about what somebody trades by hand in a market of ours. It is told in any case."""

    REPORT = "report"  # their share of the position is left alone, and nothing is entered beside it
    QUARANTINE = "quarantine"  # and the market is theirs until a person releases it
    ADOPT = "adopt"  # the whole position is the strategy's


class Holding(Written, frozen=True, kw_only=True):
    """Returns its successor."""

    stop: Price | None = None  # the last that rested, or that an entry carried; None where none was ever known
    by_hand: Quantity = ZERO  # signed: what trades by hand have added to the position since flat

    def filled(
        self, fill: Fill, intent: Intent | None, *, before: Quantity, after: Quantity, closed: bool
    ) -> "Holding":
        """Return it after a fill that moved the position from `before` to `after`; `intent` is its order's, if ours.

        `closed`: the fill ended a round trip, also where it left coins that are too few to be worth one.
        """
        carried = intent.stop if intent is not None and fill.signed * after > 0 else None
        hand = fill.by_hand
        if closed or before * after <= 0:  # from flat, to flat, or turned around: another position
            theirs = hand or _only_closes(fill, intent)
            return Holding(stop=carried, by_hand=after if theirs and fill.signed * after > 0 else ZERO)
        stop = carried if self.stop is None else self.stop
        by_hand = self.by_hand + after - before if hand else self.by_hand
        if not hand and fill.signed > 0 and spot_base(fill.market):
            by_hand = max(by_hand, ZERO)  # coins that a hand has sold are gone, and these are bought anew
        return Holding(stop=stop, by_hand=by_hand)

    def rests(self, stop: Price | None) -> "Holding":
        """Return it after the venue showed this stop; one that is gone is remembered."""
        return self if stop is None else Holding(stop=stop, by_hand=self.by_hand)

    def ours(self, net: Quantity) -> Quantity:
        """Return how much of the position `net` is ours to manage: what we traded, and no more than there is."""
        own = net - self.by_hand
        if own * net <= 0:
            return ZERO
        return min(own, net) if net > 0 else max(own, net)


def _only_closes(fill: Fill, intent: Intent | None) -> bool:
    """Whether the venue let the fill close a contract's position, and no more; an order that we forgot may do both."""
    if spot_base(fill.market):
        return False
    return fill.cause is not FillCause.TRADE if intent is None else intent.reduce_only
