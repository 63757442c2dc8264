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
from kangbot.machines.order import Order
from kangbot.machines.protection import Protection
from kangbot.machines.sizing import clamp
from kangbot.model.ids import ClientId, VenueOrderId
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Fill, OrderReport, Side

_AGAIN_NS = 10_000_000_000  # a change that the venue refused is asked for again: the price it is held against moves on
_COUNTED = 8  # stops whose fills are summed: more than end within the time in which reports and fills come together


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """One stop order at the venue."""

    price: Price | None  # None where it waits for a rise: the venue took it for something else, and it guards nothing
    quantity: Quantity  # not sold yet
    over: VenueOrderId | None = None  # it has ended under this id, having
    sold: Quantity = ZERO  # sold so much, not all of which has been counted


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Our stop orders beside one holding, as known last; returns its successor."""

    resting: dict[ClientId, Rest] = {}
    counted: dict[VenueOrderId, Quantity] = {}  # of what the newest of them have sold

    def listed(self, reports: Iterable[OrderReport]) -> "Cover":
        """Return it as the venue lists it."""
        cover = Cover(counted=self.counted)
        for report in reports:
            cover = cover.reported(report)
        return cover

    def placed(self, name: ClientId | None, price: Price | None, quantity: Quantity) -> "Cover":
        """Return it after the venue said that this one rests, and no other; None for none at all."""
        resting = {} if name is None else {name: Rest(price=price, quantity=quantity)}
        return Cover(resting=resting, counted=self.counted)

    def reported(self, report: OrderReport) -> "Cover":
        """Return it after a report on one of these orders.

        One that has sold something is kept until its fills are counted: before that nobody knows what is held.
        """
        name = report.client_id
        if name is None:
            return self
        rest = Rest(price=report.trigger, quantity=report.quantity - report.filled)
        if report.status.terminal:
            if name not in self.resting:
                return self
            rest = msgspec.structs.replace(self.resting[name], over=report.venue_order_id, sold=report.filled)
        return self._with({**self.resting, name: rest}, self.counted)

    def filled(self, fill: Fill) -> "Cover":
        """Return it after a fill was counted: one of these orders may have come to its end by it."""
        if fill.client_id is not None:
            return self
        sold = self.counted.get(fill.venue_order_id, ZERO) + fill.quantity
        others = [(order, before) for order, before in self.counted.items() if order != fill.venue_order_id]
        return self._with(self.resting, dict([*others[1 - _COUNTED :], (fill.venue_order_id, sold)]))

    def _with(self, resting: dict[ClientId, Rest], counted: dict[VenueOrderId, Quantity]) -> "Cover":
        """Return it without those that are over and counted."""
        left = {
            name: rest
            for name, rest in resting.items()
            if rest.over is None or counted.get(rest.over, ZERO) < rest.sold
        }
        return Cover(resting=left, counted=counted)

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
        if any(rest.over is not None for rest in self.resting.values()):
            return protection  # it has sold something, and soon it is known how much is left
        # Where none rests, a refusal is a matter of the policy for stops; one that rests does harm as it is.
        wrong = bool(self.resting) and not self.fits(needed)
        again = wrong and bool(protection.refused) and now_ns >= protection.tried_ns + _AGAIN_NS
        if not needed:
            # A request that left may have placed what nobody has seen yet.
            left = bool(self.resting) or protection.tries > 0
            return protection.want(None, now_ns, again=again) if left else protection
        if (
            stop is None
            or (protection.wanted is not None and not again)
            or (self.fits(needed) and not protection.asked_ns)
        ):
            return protection
        return protection.want(stop, now_ns, again=again)


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """How holdings of one market are covered."""

    mine: str  # how the ids of our stops begin
    instrument: Instrument
    adopted: bool = False  # what somebody buys by hand is the strategy's
    lacking: Quantity = ZERO  # so many of the coins that are counted are not in the account

    def oversells(self, order: Order, net: Quantity, holding: Holding) -> bool:
        """Whether the exit sells more of the holding `net` than is ours by now: nothing at the venue would stop it."""
        intent = order.intent
        return intent.side is Side.SELL and order.quantity - order.executed > self._ours(net, holding)

    def needed(self, net: Quantity, holding: Holding, entry: Price | None) -> Quantity:
        """Return how much of the holding `net` a stop must sell; 0 where nothing is held, or too little to be sold.

        It is valued at its stop; where nobody knows one, at its `entry` (None where nothing is held).
        """
        whole = clamp(self._ours(net, holding), self.instrument)
        price = holding.stop or entry or ZERO
        least = whole < self.instrument.min_quantity or whole * price < self.instrument.min_notional
        return ZERO if least else whole

    def owns(self, report: OrderReport) -> bool:
        """Whether the order is one of these stops."""
        return report.client_id is not None and report.client_id.startswith(self.mine)

    def with_lacking(self, lacking: Quantity) -> "Covering":
        """Return it where so many coins are not in the account."""
        return self if lacking == self.lacking else msgspec.structs.replace(self, lacking=lacking)

    def lacks(self, net: Quantity, holding: Holding, coins: Quantity) -> Quantity:
        """Return how many of the coins that are ours are not among `coins`, which the account has."""
        return max(ZERO, self._counted(net, holding) - coins)

    def _counted(self, net: Quantity, holding: Holding) -> Quantity:
        return net if self.adopted else holding.ours(net)

    def _ours(self, net: Quantity, holding: Holding) -> Quantity:
        return max(ZERO, self._counted(net, holding) - self.lacking)
