"""What the simulated venue holds for us in a market, and what guards it: a position, or a spot market's coins.

The account begins without coins, and no two markets of a session trade the same one, so the coins of a market are what
its fills bought, less the fees that were taken in them.
"""

from decimal import Decimal

from kangbot.model.ids import MarketId, is_stop_id
from kangbot.model.market import InstrumentKind
from kangbot.model.money import ZERO, Quantity, floor_to
from kangbot.sim.exchange.venue import SimVenue

_LEAST = Decimal("1.1")  # of the least value: what is worth hardly more may be too little at its stop's price


def is_spot(engine: SimVenue, market: MarketId) -> bool:
    """Whether the market's holdings are coins."""
    return engine.desks[market].spec.instrument.kind is InstrumentKind.SPOT


def held(engine: SimVenue, market: MarketId) -> Quantity:
    """Return what is held there; negative for a short."""
    if is_spot(engine, market):
        return engine.account.coins.get(engine.desks[market].spec.instrument.base, ZERO)
    return engine.account.holding(market).net


def sellable(engine: SimVenue, market: MarketId) -> Quantity:
    """Return how much of a holding a stop must sell; 0 where it is too little, or nearly so."""
    desk = engine.desks[market]
    whole = floor_to(held(engine, market), desk.spec.instrument.step)
    return whole if whole * desk.mark >= desk.spec.instrument.min_notional * _LEAST else ZERO


def guarded(engine: SimVenue, market: MarketId) -> Quantity:
    """Return how much the stops that rest beside a holding would sell."""
    stops = (order for order in engine.orders.open(market) if is_stop_id(order.request.client_id))
    return sum((order.left for order in stops if order.untriggered), ZERO)


def unguarded(engine: SimVenue, market: MarketId) -> str:
    """Return what is wrong with the stop of what is held there; "" where nothing is."""
    if not is_spot(engine, market):
        net = held(engine, market)
        return f"a position of {net} has no stop at the venue" if net and engine.stop(market) is None else ""
    wanted, rests = sellable(engine, market), guarded(engine, market)
    if rests > max(ZERO, held(engine, market)):
        return f"stops for {rests} rest beside {held(engine, market)}"
    return f"stops for {rests} rest beside {wanted}" if wanted > rests else ""
