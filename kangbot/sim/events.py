"""What the simulated venue tells, in the order in which it happened."""

from decimal import Decimal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.money import ZERO, Money, Quantity
from kangbot.model.orders import AccountEvent, Balance, CashFlow, Fill, VenuePosition
from kangbot.sim.klines import Candle
from kangbot.sim.orders import SimOrder


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is after a change."""

    order: SimOrder


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """A fill, with the order as it was before it, and what the fill closed."""

    fill: Fill
    order: SimOrder
    left: Quantity  # of the order, after the fill
    fee_rate: Decimal
    closed: Quantity = ZERO  # of the position
    profit: Money = ZERO  # before fees, of what was closed
    mark: Decimal = ZERO


class Funded(msgspec.Struct, frozen=True, kw_only=True):
    """Funding was paid or received on a position of `quantity` (signed) at `rate`."""

    flow: CashFlow
    quantity: Quantity
    price: Decimal
    rate: Decimal


SimEvent = Quote | Trade | Candle | OrderChanged | Executed | Funded | VenuePosition | Balance


def account_event(event: SimEvent) -> AccountEvent | None:
    """Return what the account's owner is told of it, in the words of the house; None for what everybody is told."""
    match event:
        case OrderChanged(order=order):
            return order.report()
        case Executed(fill=fill):
            return fill
        case Funded(flow=flow):
            return flow
        case VenuePosition() | Balance():
            return event
        case Quote() | Trade() | Candle():
            return None
