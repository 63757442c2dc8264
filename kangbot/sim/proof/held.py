"""What guards that which is held in a market of the simulated venue: a position, or a spot market's coins.

Whose coins they are no venue knows, for the account may hold more: `hands.py` keeps that.
"""

from decimal import Decimal

from kangbot.model.ids import CLIENT_ID_PREFIX, STOP_ID_PREFIX, MarketId, is_stop_id
from kangbot.model.market import InstrumentKind
from kangbot.model.money import ZERO, Price, Quantity, floor_to
from kangbot.model.orders import Side
from kangbot.sim.exchange.orders import SimOrder
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.hands import HandWatch

_LEAST = Decimal("1.1")  # of the least value: what is worth hardly more may be too little at its stop's price


def is_spot(engine: SimVenue, market: MarketId) -> bool:
    """Whether the market's holdings are coins."""
    return engine.desks[market].spec.instrument.kind is InstrumentKind.SPOT


def held(engine: SimVenue, market: MarketId, hands: HandWatch) -> Quantity:
    """Return what is held there, negative for a short: the venue's position, or the coins that were traded there."""
    return hands.net(market) if is_spot(engine, market) else engine.account.holding(market).net


def managed(engine: SimVenue, market: MarketId, hands: HandWatch, *, adopted: bool) -> Quantity:
    """Return what of it the daemon answers for: all, where it adopts what is traded by hand, else its own."""
    return held(engine, market, hands) if adopted else hands.ours(market)


def sellable(engine: SimVenue, market: MarketId, coins: Quantity) -> Quantity:
    """Return how much of so many coins a stop must sell; 0 where it is too little, or nearly so."""
    desk = engine.desks[market]
    instrument = desk.spec.instrument
    whole = floor_to(coins, instrument.step)
    enough = whole >= instrument.min_quantity and whole * desk.mark >= instrument.min_notional * _LEAST
    return whole if enough else ZERO


def closable(engine: SimVenue, market: MarketId, net: Quantity) -> bool:
    """Whether an order can close any of that position: a partial fill may be less than the venue takes."""
    instrument = engine.desks[market].spec.instrument
    return floor_to(abs(net), instrument.step) >= instrument.min_quantity


def promised(engine: SimVenue, market: MarketId, ours: Quantity) -> list[SimOrder]:
    """Return somebody's orders that rest and leave less than `ours` of the account's coins to be sold."""
    theirs = [
        order
        for order in engine.orders.open(market)
        if order.side is Side.SELL
        and not order.untriggered
        and not order.request.client_id.startswith((CLIENT_ID_PREFIX, STOP_ID_PREFIX))
    ]
    coins = engine.account.coins.get(engine.desks[market].spec.instrument.base, ZERO)
    free = coins - sum((order.left for order in theirs), ZERO)
    return theirs if free < ours else []


def lingering(engine: SimVenue, market: MarketId, before_ns: int) -> list[str]:
    """Return the limit orders of the daemon's that came before then and rest there still."""
    return [
        f"order {order.request.client_id} rests, and its patience is over"
        for order in engine.orders.open(market)
        if order.request.client_id.startswith(CLIENT_ID_PREFIX) and order.created_ns < before_ns
    ]


def guarded(engine: SimVenue, market: MarketId) -> Quantity:
    """Return how much the stops that rest beside a holding would sell."""
    stops = (order for order in engine.orders.open(market) if is_stop_id(order.request.client_id))
    return sum((order.left for order in stops if order.untriggered), ZERO)


def resting(engine: SimVenue, market: MarketId) -> list[Price]:
    """Return the prices of the stops that rest for what is held there."""
    if not is_spot(engine, market):
        stop = engine.stop(market)
        return [] if stop is None else [stop]
    stops = (order for order in engine.orders.open(market) if is_stop_id(order.request.client_id))
    return [order.trigger for order in stops if order.untriggered and order.trigger is not None]


def unwanted(engine: SimVenue, market: MarketId) -> bool:
    """Whether coins that are being sold find nobody who buys, until the next frame."""
    return is_spot(engine, market) and not engine.desks[market].book.levels(Side.SELL)


def unguarded(engine: SimVenue, market: MarketId, net: Quantity) -> str:
    """Return what is wrong with the stop of what is held there; "" where nothing is.

    `net` is the position, or the coins that the daemon answers for: its stop covers those, and no others.
    """
    if not is_spot(engine, market):
        bare = closable(engine, market, net) and engine.stop(market) is None
        return f"a position of {net} has no stop at the venue" if bare else ""
    wanted, rests = sellable(engine, market, net), guarded(engine, market)
    if sellable(engine, market, -net):
        return f"{-net} of somebody's coins have been sold"
    if rests > max(ZERO, net):
        return f"stops for {rests} rest beside {net}"
    return f"stops for {rests} rest beside {wanted}" if wanted > rests else ""
