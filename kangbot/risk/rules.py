"""One pure function a rule: why this proposal may not leave, or "" where the rule has nothing against it.

The filters are the venue's own and hold for every order. The others hold for entries only: nothing may stand between a
trader and the way out. The order in which they are asked, and for what, is the table in `risk/gate.py`.
"""

from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Purpose
from kangbot.risk.facts import Case

SECOND_NS = 1_000_000_000


# ------------------------------------------------------------------------------------------------ the venue's filters
def quantity(case: Case) -> str:
    """Hold the quantity to the venue's step, minimum and maximum."""
    rules = case.context.market.instrument
    if case.proposal.quantity <= 0 or case.proposal.quantity % rules.step:
        return f"quantity {case.proposal.quantity:f} is not a multiple of the step {rules.step:f}"
    if case.proposal.quantity < rules.min_quantity:
        return f"quantity {case.proposal.quantity:f} is below the venue's minimum {rules.min_quantity:f}"
    if rules.max_quantity is not None and case.proposal.quantity > rules.max_quantity:
        return f"quantity {case.proposal.quantity:f} is above the venue's maximum {rules.max_quantity:f}"
    return ""


def price(case: Case) -> str:
    """Hold the limit and the stop to the tick."""
    tick = case.context.market.instrument.tick
    for name, value in (("price", case.proposal.price), ("stop", case.proposal.stop)):
        if value is not None and (value <= 0 or value % tick):
            return f"{name} {value:f} is not a multiple of the tick {tick:f}"
    return ""


def notional(case: Case) -> str:
    """Hold the value to the venue's minimum; reduce-only orders of derivatives are exempt from it."""
    rules = case.context.market.instrument
    if case.proposal.purpose is Purpose.EXIT and rules.kind is InstrumentKind.LINEAR:
        return ""
    value = case.proposal.quantity * (case.proposal.reference if case.proposal.price is None else case.proposal.price)
    if value < rules.min_notional:
        return f"value {value:f} is below the venue's minimum {rules.min_notional:f} {rules.quote}"
    return ""


# --------------------------------------------------------------------------------------------------- what holds it all
def kill_switch(case: Case) -> str:
    """Obey the kill switch; it stays set until released by hand."""
    return f"the kill switch is set: {case.context.killed}" if case.context.killed else ""


def clock(case: Case) -> str:
    """Enter under a stamp only that the venue will take: it counts what comes outside its receive window as too late.

    An exit is tried under the best stamp there is.
    """
    return case.context.market.clock


def unknown_order(case: Case) -> str:
    """Wait while an order may live or not: the next one could double it."""
    count = case.context.market.unknown_orders
    return f"the outcome of {count} order(s) of this market is unknown" if count else ""


def by_hand(case: Case) -> str:
    """Stay out where somebody trades by hand: they do not expect to hold what we would enter."""
    if case.context.market.by_hand and not case.limits.beside_hand:
        return "somebody traded this market by hand"
    return ""


def stop_required(case: Case) -> str:
    """Ask every entry to protect itself from its first fill on."""
    return "the entry carries no stop" if case.limits.require_stop and case.proposal.stop is None else ""


# ------------------------------------------------------------------------------------------------------------ how much
def market_notional(case: Case) -> str:
    """Limit the exposure of one market."""
    after = case.context.market_exposure + case.context.worst
    if case.limits.market_notional is not None and after > case.limits.market_notional:
        return f"exposure of the market would be {after:.2f}, the limit is {case.limits.market_notional:f}"
    return ""


def total_notional(case: Case) -> str:
    """Limit the exposure of the account."""
    after = case.context.total_exposure + case.context.worst
    if case.limits.total_notional is not None and after > case.limits.total_notional:
        return f"total exposure would be {after:.2f}, the limit is {case.limits.total_notional:f}"
    return ""


def open_positions(case: Case) -> str:
    """Limit how many markets are open; one that is open already may grow."""
    if case.limits.open_positions is None or case.context.is_open:
        return ""
    if case.context.open_positions >= case.limits.open_positions:
        return f"{case.context.open_positions} markets are open, the limit is {case.limits.open_positions}"
    return ""


def leverage(case: Case) -> str:
    """Limit exposure by equity."""
    if case.limits.leverage is None:
        return ""
    if case.context.equity is None:
        return "the account's equity is not known yet"
    if case.context.equity <= 0:
        return f"the account's equity is {case.context.equity:f}"
    after, limit = (case.context.total_exposure + case.context.worst) / case.context.equity, case.limits.leverage
    return f"leverage would be {after:.2f}, the limit is {limit:f}" if after > limit else ""


# ---------------------------------------------------------------------------------------------- how much may be lost
def daily_loss(case: Case) -> str:
    """Limit the loss since 00:00 UTC."""
    return case.limits.day_lost(case.context.day_loss)


def drawdown(case: Case) -> str:
    """Limit the loss since the highest equity."""
    return case.limits.peak_lost(case.context.drawdown_percent)


def consecutive_losses(case: Case) -> str:
    """Let a market rest that loses again and again."""
    if case.limits.consecutive_losses is None or case.context.losses_in_row < case.limits.consecutive_losses:
        return ""
    left = case.context.last_loss_ns + case.limits.losses_pause_ns - case.context.now_ns
    return f"{case.context.losses_in_row} losses in a row; the market rests {_seconds(left)}" if left > 0 else ""


def cool_down(case: Case) -> str:
    """Let a market rest that was stopped out."""
    if case.limits.stop_pause_ns is None or case.context.last_stop_ns is None:
        return ""
    left = case.context.last_stop_ns + case.limits.stop_pause_ns - case.context.now_ns
    return f"stopped out; the market rests {_seconds(left)}" if left > 0 else ""


def entries_an_hour(case: Case) -> str:
    """Hold a strategy that enters far more often than it was meant to."""
    if case.limits.entries_an_hour is not None and case.context.entries_last_hour >= case.limits.entries_an_hour:
        return f"{case.context.entries_last_hour} entries in the last hour, the limit is {case.limits.entries_an_hour}"
    return ""


# ------------------------------------------------------------------------------------------- under which conditions
def stale_data(case: Case) -> str:
    """Enter on no price that is too old, and on none while a stream of the market is down, whatever REST says."""
    if case.context.market.stale:
        return case.context.market.stale
    age, limit = case.context.market.quote_age_ns, case.limits.stale_data_ns
    if limit is None:
        return ""
    if case.context.market.quote is None:
        return "there is no quote yet"
    if age > limit:
        return f"the quote is {_seconds(age)} old, the limit is {_seconds(limit)}"
    return ""


def wide_spread(case: Case) -> str:
    """Avoid a book so thin that entering alone costs too much."""
    quote = case.context.market.quote
    if case.limits.spread_percent is None or quote is None:
        return ""
    if quote.bid <= 0 or quote.ask <= 0:
        return "the book is empty on one side"
    spread = (quote.ask - quote.bid) / quote.mid * 100
    return (
        f"spread is {spread:.3f} %, the limit is {case.limits.spread_percent:f} %"
        if spread > case.limits.spread_percent
        else ""
    )


def mark_distance(case: Case) -> str:
    """Distrust a price far from what the venue values positions at: a spike, a stale book, a wrong symbol."""
    mark = case.context.market.mark
    if case.limits.mark_distance_percent is None or mark is None or mark <= 0:
        return ""
    at = case.proposal.reference if case.proposal.price is None else case.proposal.price
    distance, limit = abs(at - mark) / mark * 100, case.limits.mark_distance_percent
    return (
        f"price {at:f} is {distance:.2f} % from the mark {mark:f}, the limit is {limit:f} %" if distance > limit else ""
    )


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / SECOND_NS:.0f} s"
