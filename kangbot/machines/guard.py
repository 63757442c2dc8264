"""A position whose stop does not rest at the venue: what is done about it, step by step.

A stop travels with its entry, so this begins where one got lost: refused beside an accepted entry, taken away by hand,
forgotten by the venue, or never known. One row a line, the first that fits:

==================================================  ====================================================================
flat, or a stop rests                               nothing; the past is forgotten
too little for any stop, and not to be closed       told once that lasts for `patience_ns`; closed then where
    by an order that enters further                     the policy is to close
turned around, or too little to be closed by now,   as if flat in between: what was found was of another position
    or enough to be closed again
nobody knows a stop, and none is required           nothing
the price is beyond the stop, and no order closes   nothing: the venue takes no such stop either
    so little; the same while nobody knows a price
the price is beyond the stop                        close at the market: it would have been hit
nobody knows a stop                                 one at `distance_percent` from the entry
refused, and the policy is to retry                 the same again, every `again_ns`
refused                                             half as far from the price, up to `TIGHTENINGS` times
refused again, and the policy is to tighten, or     the same again, every `again_ns`
    no order closes so little
refused again, or not at rest within `patience_ns`  close at the market, where an order can
    (policy close)
otherwise                                           that stop: requests that are lost are repeated by the executor
==================================================  ====================================================================

A market whose position had to be closed rests for `rest_ns`: what the venue does not protect is not entered again at
once. What is left of a position and is less than any order may be counts as closed: a contract's has its stop all the
same, which closes whatever there is, and never stands in the way of an entry. Requests, orders and words for the log
are left to `market/desk.py`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from kangbot.machines.sizing import protective
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity

SECOND_NS = 1_000_000_000
TIGHTENINGS = 2


class StopPolicy(StrEnum):
    """How far to go for a stop that the venue does not take."""

    RETRY = "retry"  # ask again, for as long as it takes; a person decides
    TIGHTEN = "tighten"  # and offer stops nearer to the price
    CLOSE = "close"  # and close what cannot be protected


class StopTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is done for stops; times in nanoseconds."""

    policy: StopPolicy = StopPolicy.CLOSE
    required: bool = True  # every position has a stop, one of our choice where nobody knows a price
    distance_percent: Decimal = Decimal(5)  # of the entry, for a position whose stop nobody knows
    patience_ns: int = 30 * SECOND_NS  # for a stop that is not refused and does not rest either
    again_ns: int = 10 * SECOND_NS
    rest_ns: int = 600 * SECOND_NS


class Plight(msgspec.Struct, frozen=True, kw_only=True):
    """One position at one moment."""

    now_ns: int
    net: Quantity  # signed; 0 where there is nothing of ours to protect
    entry: Price | None
    rests: bool  # a stop rests at the venue, as far as we know
    stop: Price | None  # the one that belongs to the position; None where nobody knows
    price: Price | None  # at which it could be closed now; None where there is no quote
    asked: Price | None = None  # what the venue was asked for last
    refused: str = ""  # its definitive no to that
    dust: bool = False  # less than any order that would close it
    small: bool = False  # an order would close it, but none that waits at the stop; and no entry adds to it


class SetStop(msgspec.Struct, frozen=True):
    """Ask the venue for this stop; `again` where it has refused the very same."""

    price: Price
    again: bool = False


class CloseNow(msgspec.Struct, frozen=True):
    """Close the position at the market."""

    reason: str


Answer: TypeAlias = SetStop | CloseNow | None


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """One market's guard; returns its successor."""

    since_ns: int = 0  # when the position was first seen without its stop; 0 where it is not
    direction: int = 0  # of that position: 1 long, -1 short
    dust: bool = False  # it is too little to be closed
    tightened: int = 0
    offered: Price | None = None  # the nearer stop that was chosen; one that is nearer still goes before it
    again_ns: int = 0  # when a refused stop is offered again
    small_ns: int = 0  # when it was first seen to be too little for any stop; 0 where it is not
    told: bool = False  # and people know
    closing: str = ""  # why the position is being closed; stays until it is flat
    rests_until_ns: int = 0  # no entry before

    def see(self, plight: Plight, instrument: Instrument, terms: StopTerms) -> tuple["Guard", Answer]:
        """Take one look, and return what is to be done now."""
        direction = (plight.net > 0) - (plight.net < 0)
        if not direction:
            return self._over(plight, terms), None
        if self.since_ns and (direction != self.direction or plight.dust is not self.dust):
            return self._over(plight, terms).see(plight, instrument, terms)
        if self.closing:
            return self, CloseNow(self.closing)
        if plight.small and (plight.stop is not None or terms.required):
            return self._see_little(plight, direction, terms)
        if self.told and plight.dust:  # its price has fallen, and may rise again: that is not told each time
            return msgspec.structs.replace(self, small_ns=0), None
        if plight.rests:
            return Guard(rests_until_ns=self.rests_until_ns), None
        stop = self._stop(plight, direction, terms)
        if stop is None:
            return self, None
        stop = protective(stop, direction, instrument)
        since_ns = self.since_ns or plight.now_ns
        seen = msgspec.structs.replace(self, since_ns=since_ns, direction=direction, dust=plight.dust, small_ns=0)
        beyond = plight.price is not None and (stop - plight.price) * direction >= 0
        if plight.dust and (beyond or plight.price is None):
            return msgspec.structs.replace(seen, again_ns=0), None
        if beyond:
            return _close(seen, f"price {plight.price:f} is beyond the stop {stop:f}, which does not rest at the venue")
        if plight.refused and plight.asked == stop:
            return _refused(seen, plight, stop, instrument, terms)
        if seen.closes(terms) and plight.now_ns >= seen.since_ns + terms.patience_ns:
            waited_s = (plight.now_ns - seen.since_ns) // SECOND_NS
            return _close(seen, f"the stop {stop:f} does not rest at the venue after {waited_s} s")
        return msgspec.structs.replace(seen, again_ns=0), SetStop(stop)

    def due_ns(self, terms: StopTerms) -> int | None:
        """Return when to look again, whatever happens or not; None where nothing waits."""
        if self.small_ns and not (self.told or self.closing):
            return self.small_ns + terms.patience_ns
        if not self.since_ns or self.closing:
            return None
        if self.again_ns:
            return self.again_ns
        return self.since_ns + terms.patience_ns if self.closes(terms) else None

    def closes(self, terms: StopTerms) -> bool:
        """Whether the position is closed in the end where no stop can be placed."""
        return terms.policy is StopPolicy.CLOSE and not self.dust

    # --------------------------------------------------------------------------------------------------------- private
    def _see_little(self, plight: Plight, direction: int, terms: StopTerms) -> tuple["Guard", Answer]:
        """Return what follows for coins that can be sold, and are worth too little at their stop for an order there."""
        since_ns = self.small_ns or plight.now_ns
        little = Guard(small_ns=since_ns, direction=direction, told=self.told, rests_until_ns=self.rests_until_ns)
        if plight.now_ns < since_ns + terms.patience_ns:
            return little, None
        if terms.policy is not StopPolicy.CLOSE:
            return msgspec.structs.replace(little, told=True), None
        return _close(msgspec.structs.replace(little, since_ns=since_ns), "it is too little for a stop of its own")

    def _over(self, plight: Plight, terms: StopTerms) -> "Guard":
        """Return it after the position has ended; one that had to be closed leaves the market at rest."""
        return Guard(rests_until_ns=plight.now_ns + terms.rest_ns if self.closing else self.rests_until_ns)

    def _stop(self, plight: Plight, direction: int, terms: StopTerms) -> Price | None:
        """Return which stop to ask for, not rounded yet; None where there is none."""
        if self.offered is not None and plight.stop is not None:  # the strategy may have moved past what was chosen
            return max(self.offered * direction, plight.stop * direction) * direction
        if (known := self.offered or plight.stop) is not None:
            return known
        if not terms.required or plight.entry is None:
            return None
        return plight.entry * (1 - direction * terms.distance_percent / 100)


def _refused(
    guard: Guard, plight: Plight, stop: Price, instrument: Instrument, terms: StopTerms
) -> tuple[Guard, Answer]:
    """Return what follows from the venue's no to this very stop."""
    nearer, direction = None, 1 if plight.net > 0 else -1
    if terms.policy is not StopPolicy.RETRY and guard.tightened < TIGHTENINGS and plight.price is not None:
        nearer = protective((stop + plight.price) / 2, direction, instrument)
        if (nearer - plight.price) * direction >= 0:
            nearer = None  # a tick from the price: there is nothing between
    if nearer is not None:
        after = msgspec.structs.replace(guard, tightened=guard.tightened + 1, offered=nearer, again_ns=0)
        return after, SetStop(nearer)
    if guard.closes(terms):
        return _close(guard, f"the venue refuses the stop {stop:f}: {plight.refused}")
    if guard.again_ns and plight.now_ns >= guard.again_ns:
        return msgspec.structs.replace(guard, again_ns=plight.now_ns + terms.again_ns), SetStop(stop, again=True)
    return msgspec.structs.replace(guard, again_ns=guard.again_ns or plight.now_ns + terms.again_ns), None


def _close(guard: Guard, reason: str) -> tuple[Guard, Answer]:
    return msgspec.structs.replace(guard, closing=reason), CloseNow(reason)
