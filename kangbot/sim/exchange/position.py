"""A position as a venue keeps it: net quantity and average entry, one way."""

from decimal import Decimal

import msgspec

from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.sim.markets.arithmetic import exact


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One market's position; returns its successor.

    `cost` is the signed value of the open part at its average entry: positive for a long. Reducing takes the same
    share of cost and quantity away, so the average entry stays.
    """

    net: Quantity = ZERO
    cost: Money = ZERO
    realised: Money = ZERO  # since ever, before fees
    opened_ns: int = 0
    updated_ns: int = 0

    @property
    @exact
    def entry(self) -> Price | None:
        """Average entry price; None when flat."""
        return self.cost / self.net if self.net else None

    def unrealised(self, price: Price) -> Money:
        """Return the profit of the open part, were it closed at `price`."""
        return price * self.net - self.cost

    @exact
    def traded(self, signed: Quantity, price: Price, at_ns: int) -> tuple["Holding", Quantity, Money]:
        """Return the successor after `signed` traded at `price`, the quantity it closed, and the profit of that."""
        closed = min(abs(self.net), abs(signed)) if self.net * signed < 0 else ZERO
        if not closed:
            opened_ns = self.opened_ns if self.net else at_ns
            grown = Holding(
                net=self.net + signed,
                cost=self.cost + signed * price,
                realised=self.realised,
                opened_ns=opened_ns,
                updated_ns=at_ns,
            )
            return grown, ZERO, ZERO
        sign = Decimal(1 if self.net > 0 else -1)
        share = self.cost if closed == abs(self.net) else self.cost * closed / abs(self.net)
        profit = price * closed * sign - share
        left = Holding(
            net=self.net - closed * sign,
            cost=self.cost - share,
            realised=self.realised + profit,
            opened_ns=self.opened_ns,
            updated_ns=at_ns,
        )
        beyond = signed + closed * sign
        if beyond:
            left = msgspec.structs.replace(left, net=beyond, cost=beyond * price, opened_ns=at_ns)
        return left, closed, profit
