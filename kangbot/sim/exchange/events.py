"""What the simulated venue tells, in the order in which it happened."""

from decimal import Decimal

import msgspec

from kangbot.model.data import Quote, Trade
from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO, Money, Quantity
from kangbot.model.orders import AccountEvent, Balance, CashFlow, Fill, VenuePosition
from kangbot.sim.exchange.orders import SimOrder
from kangbot.sim.markets.klines import Candle


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

    @property
    def market(self) -> MarketId:
        """The market it happened in."""
        return self.fill.market

    @property
    def at_ns(self) -> int:
        """When it happened."""
        return self.fill.at_ns

    @property
    def order_id(self) -> str:
        """The order it belongs to."""
        return self.order.order_id

    @property
    def client_id(self) -> str:
        """That order's client id; "" where it has none."""
        return self.order.request.client_id


class Funded(msgspec.Struct, frozen=True, kw_only=True):
    """Funding was paid or received on a position of `quantity` (signed) at `rate`."""

    flow: CashFlow
    quantity: Quantity
    price: Decimal
    rate: Decimal

    @property
    def market(self) -> MarketId:
        """The market it was paid for."""
        return self.flow.market

    @property
    def at_ns(self) -> int:
        """When it was due."""
        return self.flow.at_ns

    @property
    def order_id(self) -> str:
        """Its own id: no order stands behind it."""
        return self.flow.execution_id

    @property
    def client_id(self) -> str:
        """Always ""."""
        return ""


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
