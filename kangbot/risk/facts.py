"""What the rules look at: the market as its task sees it, and the account as the ledger of exposure sees it."""

from decimal import Decimal

import msgspec

from kangbot.model.data import Quote
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Money, Price
from kangbot.model.orders import Intent, Proposal
from kangbot.risk.limits import Limits


class MarketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One market at the moment of judgement; told by the market's task."""

    instrument: Instrument
    quote: Quote | None
    quote_age_ns: int  # since we received it, by our own clock
    mark: Price | None = None  # the venue's mark price; None where it is not known
    stale: str = ""  # why the market's streams cannot be relied on; "" where each flows
    clock: str = ""  # why the venue's clock is not known well enough to stamp an entry; "" where it is
    by_hand: bool = False  # somebody has a position or an order here that is not ours
    unknown_orders: int = 0  # orders of this market whose outcome is UNKNOWN


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the rules may look at, besides the proposal and the limits."""

    now_ns: int
    market: MarketFacts
    worst: Money  # what the proposal adds to exposure at its worst; 0 for an exit
    market_exposure: Money = ZERO  # before the proposal: position and open entries of its market
    total_exposure: Money = ZERO  # the same over all markets
    open_positions: int = 0  # markets with a position that can be closed, or an open entry
    is_open: bool = False  # whether the proposal's market is one of them
    equity: Money | None = None
    day_loss: Money = ZERO  # 0 on a day in profit
    drawdown_percent: Decimal = ZERO
    losses_in_row: int = 0  # of the market
    last_loss_ns: int = 0
    last_stop_ns: int | None = None  # of the market
    entries_last_hour: int = 0  # of the market
    killed: str = ""  # why the kill switch is set; "" where it is not


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal before the rules."""

    proposal: Proposal
    context: Context
    limits: Limits


def slipped(notional: Money, slippage_percent: Decimal) -> Money:
    """Return what a market order that is worth `notional` at its reference comes to at its worst."""
    return notional * (1 + slippage_percent / 100)


def worst_notional(order: Proposal | Intent, slippage_percent: Decimal) -> Money:
    """Return what the order adds to exposure at its worst, in the quote currency.

    A limit order fills at its limit or better; a short entered better than its limit is worth more than at the limit,
    hence the higher of limit and reference. A market order fills at its reference and some slippage.
    """
    if order.price is not None:
        return order.quantity * max(order.price, order.reference)
    return slipped(order.quantity * order.reference, slippage_percent)
