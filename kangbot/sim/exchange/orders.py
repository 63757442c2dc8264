"""Orders at the simulated venue: what is asked for, and what the venue keeps of it.

An order is a frozen value that is replaced on every change, so each change can travel as it was::

    (conditional)  UNTRIGGERED ──trigger──▶ ┐
                        └─cancel─▶ CANCELED │
    (others)        ─────────────────────▶ ACKED ─▶ PARTIAL* ─▶ FILLED
                                             ├─▶ CANCELED   by request, by a flat position, by lack of margin
                                             ├─▶ EXPIRED    remainder of a market or IOC order
                                             └─▶ REJECTED   a post-only order that would have taken
"""

from decimal import Decimal
from enum import StrEnum
from typing import Self

import msgspec

from kangbot.model.ids import ClientId, MarketId, VenueOrderId, is_stop_id, spot_base
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Intent, OrderKind, OrderReport, OrderStatus, Side, TimeInForce
from kangbot.sim.markets.arithmetic import exact


class Direction(StrEnum):
    """Which way the last price must cross a trigger."""

    RISE = "rise"
    FALL = "fall"


class Origin(StrEnum):
    """Who made the order."""

    USER = "user"
    STOP_LOSS = "stop_loss"  # the position's own, kept by the venue
    TAKE_PROFIT = "take_profit"
    LIQUIDATION = "liquidation"


class Cause(StrEnum):
    """Why an order ended without being filled."""

    NONE = ""
    USER = "user"
    NO_LIQUIDITY = "no_liquidity"  # nothing, or nothing more, to take
    POST_ONLY = "post_only"  # would have taken
    REDUCE_ONLY = "reduce_only"  # nothing is left to reduce
    POSITION = "position"  # the position that it protected is gone, or its stop was replaced
    BALANCE = "balance"  # triggered without the margin for it
    LIQUIDATION = "liquidation"


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is asked for. `client_id` "" means that the caller gives none."""

    market: MarketId
    side: Side
    kind: OrderKind
    quantity: Quantity
    price: Price | None = None  # limit orders
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    client_id: str = ""
    trigger: Price | None = None  # conditional orders
    direction: Direction | None = None  # given with `trigger`
    stop: Price | None = None  # the position's stop once the order fills
    target: Price | None = None  # the position's take-profit once the order fills

    @classmethod
    def of(cls, intent: Intent) -> Self:
        """Return the request that carries `intent` to the venue.

        A spot order has no position to reduce, and its stop does not ride with it: see `beside.py`.
        """
        spot = spot_base(intent.market) != ""
        return cls(
            market=intent.market,
            side=intent.side,
            kind=intent.kind,
            quantity=intent.quantity,
            price=intent.price,
            time_in_force=intent.time_in_force,
            reduce_only=intent.reduce_only and not spot,
            client_id=intent.client_id,
            stop=None if spot else intent.stop,
        )

    @classmethod
    def closing(
        cls, market: MarketId, net: Quantity, *, trigger: Price | None = None, direction: Direction | None = None
    ) -> Self:
        """Return the venue's own request that closes a position of `net`, at the market."""
        return cls(
            market=market,
            side=Side.SELL if net > 0 else Side.BUY,
            kind=OrderKind.MARKET,
            quantity=abs(net),
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
            trigger=trigger,
            direction=direction,
        )


class SimOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the venue knows it at one instant."""

    order_id: VenueOrderId
    request: OrderRequest
    origin: Origin = Origin.USER
    status: OrderStatus = OrderStatus.ACKED
    untriggered: bool = False  # a conditional order whose trigger has not been reached
    quantity: Quantity  # of the request, or what an amendment or a smaller position made of it
    price: Price | None
    trigger: Price | None = None
    filled: Quantity = ZERO
    value: Money = ZERO  # sum of price * quantity of its fills
    fees: Money = ZERO
    fee_currency: str = ""
    queue: Quantity = ZERO  # volume at our price that trades first
    last_price: Price | None = None  # the market's when the order came in
    cause: Cause = Cause.NONE
    created_ns: int
    updated_ns: int

    @property
    def market(self) -> MarketId:
        """The order's market."""
        return self.request.market

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.request.side

    @property
    def left(self) -> Quantity:
        """What may still be filled; 0 once the order has ended."""
        return ZERO if self.status.terminal else self.quantity - self.filled

    @property
    @exact
    def average(self) -> Price | None:
        """The average price of its fills."""
        return self.value / self.filled if self.filled else None

    @property
    def protective(self) -> bool:
        """Whether the venue made it to guard or to close a position."""
        return self.origin is not Origin.USER

    @property
    def guards(self) -> bool:
        """Whether it is a stop: one that the venue made, or the order of ours beside a holding."""
        return self.protective or is_stop_id(self.request.client_id)

    @property
    def reserve_price(self) -> Decimal:
        """The price at which margin is reserved while it rests."""
        return self.price or self.trigger or ZERO

    def report(self) -> OrderReport:
        """Return the order in the words of the house."""
        return OrderReport(
            market=self.market,
            client_id=ClientId(self.request.client_id) if self.request.client_id else None,
            venue_order_id=self.order_id,
            status=self.status,
            side=self.side,
            quantity=self.quantity,
            filled=self.filled,
            average=self.average,
            reduce_only=self.request.reduce_only,
            protective=self.guards,
            trigger=self.trigger,
            code=self.cause.value,
            at_ns=self.updated_ns,
        )
