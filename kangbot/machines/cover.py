"""The stop beside a holding that the venue keeps no stop on: what rests there, and whether the holding needs another.

A perpetual's stop is a property of its position: it follows the size and ends with it. Coins have no such thing. Their
stop is an order of ours that waits at the venue for its price, so its quantity must follow every fill, and it must go
when the holding goes: left behind, it would sell coins that are not ours.

What is held is ours by our own fills. Coins that were in the account before, and those that somebody bought by hand,
are not covered and never sold by it, unless the whole holding is the strategy's.
"""

from collections.abc import Iterable

import msgspec

from kangbot.machines.holding import Holding
from kangbot.machines.protection import Protection
from kangbot.machines.sizing import clamp
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import OrderReport

_AGAIN_NS = 10_000_000_000  # a change that the venue refused is asked for again: the price it is held against moves on


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """One stop order at the venue."""

    price: Price | None  # None where it waits for a rise: the venue took it for something else, and it guards nothing
    quantity: Quantity  # not sold yet


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Our stop orders beside one holding, as known last; returns its successor."""

    resting: dict[ClientId, Rest] = {}

    @classmethod
    def listed(cls, reports: Iterable[OrderReport]) -> "Cover":
        """Return it as the venue lists it."""
        cover = cls()
        for report in reports:
            cover = cover.reported(report)
        return cover

    def reported(self, report: OrderReport) -> "Cover":
        """Return it after a report on one of these orders.

        One that has sold something is kept as it was: until its fills are counted, what is held is not known.
        """
        if report.client_id is None or (report.status.terminal and report.filled):
            return self
        others = {name: rest for name, rest in self.resting.items() if name != report.client_id}
        if report.status.terminal:
            return Cover(resting=others)
        rest = Rest(price=report.trigger, quantity=report.quantity - report.filled)
        return Cover(resting={**others, report.client_id: rest})

    @property
    def stop(self) -> Price | None:
        """Where the stop rests; None where none does."""
        return next((rest.price for rest in self.resting.values() if rest.price is not None), None)

    def fits(self, quantity: Quantity) -> bool:
        """Whether exactly one rests, and for this quantity; none where the quantity is 0."""
        rests = tuple(self.resting.values())
        if not quantity:
            return not rests
        return len(rests) == 1 and rests[0].price is not None and rests[0].quantity == quantity

    def followed(self, protection: Protection, *, needed: Quantity, stop: Price | None, now_ns: int) -> Protection:
        """Return what is wanted of the stop so that it is as the holding needs it.

        `needed` is how much it must sell, 0 where nothing can be sold; `stop` is where it belongs, None where nobody
        knows.
        """
        wants = protection.wanted if protection.asked_ns else None
        # Where none rests, a refusal is a matter of the policy for stops; one that rests does harm as it is.
        wrong = bool(self.resting) and not self.fits(needed)
        again = wrong and bool(protection.refused) and now_ns >= protection.tried_ns + _AGAIN_NS
        if not needed:
            # A request that left may have placed what nobody has seen yet.
            left = bool(self.resting) or (wants is not None and protection.tries > 0)
            return protection.want(None, now_ns, again=again) if left else protection
        if stop is None or (wants is not None and not again) or (self.fits(needed) and not protection.asked_ns):
            return protection
        return protection.want(stop, now_ns, again=again)


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """How holdings of one market are covered."""

    mine: str  # how the ids of our stops begin
    instrument: Instrument
    adopted: bool = False  # what somebody buys by hand is the strategy's

    def needed(self, net: Quantity, holding: Holding, entry: Price | None) -> Quantity:
        """Return how much of the holding `net` a stop must sell; 0 where nothing is held, or too little to be sold.

        It is valued at its stop; where nobody knows one, at its `entry` (None where nothing is held).
        """
        whole = clamp(max(net if self.adopted else holding.ours(net), ZERO), self.instrument)
        price = holding.stop or entry or ZERO
        least = whole < self.instrument.min_quantity or whole * price < self.instrument.min_notional
        return ZERO if least else whole

    def owns(self, report: OrderReport) -> bool:
        """Whether the order is one of these stops."""
        return report.client_id is not None and report.client_id.startswith(self.mine)
