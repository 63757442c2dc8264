"""How prices and quantities are made to fit a venue's rules: the arithmetic beneath `machines/plan.py`."""

import msgspec

from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Price, Quantity, ceil_to, floor_to
from kangbot.model.orders import OrderKind, Purpose, Side, TimeInForce


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The two prices at which one can trade at once; both above zero."""

    bid: Price
    ask: Price

    def entry_price(self, direction: int) -> Price:
        """Return what opening in `direction` (1 long, -1 short) costs: a long buys at the ask."""
        return self.ask if direction > 0 else self.bid

    def exit_price(self, direction: int) -> Price:
        """Return what closing a position held in `direction` brings: a long sells at the bid."""
        return self.bid if direction > 0 else self.ask


def clamp(quantity: Quantity, instrument: Instrument) -> Quantity:
    """Round down to the step, and to the venue's maximum; zero or less where nothing is left."""
    if instrument.max_quantity is not None:
        quantity = min(quantity, instrument.max_quantity)
    return floor_to(quantity, instrument.step)


def below_minimum(quantity: Quantity, price: Price, instrument: Instrument, purpose: Purpose) -> str:
    """Return which of the venue's minima an order of `quantity` at `price` misses; "" where it misses none."""
    quantity = floor_to(quantity, instrument.step)
    if quantity < instrument.min_quantity or quantity <= 0:
        return f"the least quantity is {instrument.min_quantity:f}"
    if purpose is Purpose.EXIT and instrument.kind is InstrumentKind.LINEAR:
        return ""
    if quantity * price < instrument.min_notional:
        return f"the least value is {instrument.min_notional:f} {instrument.quote}"
    return ""


def limit_price(
    kind: OrderKind, time_in_force: TimeInForce, side: Side, book: Book, instrument: Instrument
) -> Price | None:
    """Return the limit on the tick; None for a market order.

    IOC crosses the spread and rounds away from its side, so that it trades at all; the others join their own side and
    round away from the other, so that a post-only order is not refused.
    """
    if kind is OrderKind.MARKET:
        return None
    if time_in_force is TimeInForce.IOC:
        return ceil_to(book.ask, instrument.tick) if side is Side.BUY else floor_to(book.bid, instrument.tick)
    return floor_to(book.bid, instrument.tick) if side is Side.BUY else ceil_to(book.ask, instrument.tick)


def protective(stop: Price, direction: int, instrument: Instrument) -> Price:
    """Round a stop to the tick towards the price (up for a long, down for a short): the smaller loss."""
    return ceil_to(stop, instrument.tick) if direction > 0 else floor_to(stop, instrument.tick)
