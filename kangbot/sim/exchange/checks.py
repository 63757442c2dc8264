"""What a request must satisfy before the venue takes it: the market's filters and the sides of its triggers."""

from decimal import Decimal

from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import OrderKind, Side
from kangbot.sim.exchange.orders import Direction, OrderRequest
from kangbot.sim.exchange.refusal import Reason, RequestRefused


def check_filters(instrument: Instrument, request: OrderRequest, last: Price) -> None:
    """Refuse quantities and prices that the market's rules do not allow; `last` values a market order."""
    check_quantity(instrument, request.quantity)
    if request.kind is OrderKind.LIMIT:
        check_price(instrument, request.price)
    for price in (request.trigger, request.stop, request.target):
        if price is not None:
            check_price(instrument, price)
    value = request.quantity * (request.price or request.trigger or last)
    if value < instrument.min_notional and not request.reduce_only:
        raise RequestRefused(Reason.NOTIONAL_SMALL, f"the order is worth {value:f}, below {instrument.min_notional:f}")


def check_quantity(instrument: Instrument, quantity: Quantity) -> None:
    """Refuse a quantity below the minimum, above the maximum or beside the step."""
    if quantity <= 0 or quantity % instrument.step:
        raise RequestRefused(Reason.QUANTITY_INVALID, f"quantity {quantity:f} is no multiple of {instrument.step:f}")
    if quantity < instrument.min_quantity:
        raise RequestRefused(Reason.QUANTITY_SMALL, f"quantity {quantity:f} is below {instrument.min_quantity:f}")
    if instrument.max_quantity is not None and quantity > instrument.max_quantity:
        raise RequestRefused(Reason.QUANTITY_LARGE, f"quantity {quantity:f} is above {instrument.max_quantity:f}")


def check_price(instrument: Instrument, price: Price | None) -> None:
    """Refuse a price that is missing, not positive or beside the tick."""
    if price is None:
        raise RequestRefused(Reason.PRICE_INVALID, "a limit order without a price")
    if price <= 0 or price % instrument.tick:
        raise RequestRefused(Reason.PRICE_INVALID, f"price {price:f} is no multiple of {instrument.tick:f}")


def check_trigger(request: OrderRequest, last: Price) -> None:
    """Refuse a conditional order whose trigger has been passed already."""
    if request.trigger is None or request.direction is None:
        return
    if reached(request.trigger, request.direction, last):
        expected, relation = ("Rising", "<=") if request.direction is Direction.RISE else ("Falling", ">=")
        raise RequestRefused(
            Reason.TRIGGER_PASSED,
            f"expect {expected}, but trigger_price[{request.trigger:f}] {relation} current[{last:f}]",
        )


def check_stops(side: Side, stop: Price | None, target: Price | None, base: Price) -> None:
    """Refuse a stop-loss or take-profit on the wrong side of `base` for a position of that side."""
    held, stop_side, target_side = ("Buy", "lower", "higher") if side is Side.BUY else ("Sell", "greater", "lower")
    if stop is not None and (base - stop) * side.sign <= 0:
        told = f"StopLoss:{stop:f} set for {held} position should {stop_side} than base_price:{base:f}"
        raise RequestRefused(Reason.STOP_SIDE, told)
    if target is not None and (target - base) * side.sign <= 0:
        told = f"TakeProfit:{target:f} set for {held} position should be {target_side} than base_price:{base:f}"
        raise RequestRefused(Reason.STOP_SIDE, told)


def reached(trigger: Decimal, direction: Direction, last: Price) -> bool:
    """Whether the last price has reached a trigger from its side."""
    return last >= trigger if direction is Direction.RISE else last <= trigger
