"""The stop beside a spot holding at the simulated venue: `ports.Venue.cover`, answered at once."""

from kangbot.errors import Refused
from kangbot.model.ids import STOP_ATTEMPTS, ClientId, MarketId, journal_of, stop_id, stop_ids
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import OrderKind, Side
from kangbot.sim.exchange.orders import Direction, OrderRequest, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.venue import SimVenue


def cover(
    engine: SimVenue, market: MarketId, stop: Price | None, *, quantity: Quantity, order: ClientId, now_ns: int
) -> ClientId | None:
    """Have exactly one stop of ours rest at `stop`; None: none. Return its client id.

    RequestRefused where the last price has passed the stop, and where the market's filters do not allow it. Refused
    where one would have to be placed, and `order` lends no id any more.
    """
    mine = [one for one in engine.orders.open(market) if one.request.client_id.startswith(stop_ids(journal_of(order)))]
    kept = mine[0] if mine and stop is not None else None
    for one in mine:
        if one is not kept:
            engine.cancel(now_ns, order_id=one.order_id)
    if stop is None:
        return None
    if kept is not None:
        _move(engine, kept, stop, quantity, now_ns)
        return ClientId(kept.request.client_id)
    return place(engine, market, stop, quantity=quantity, order=order, now_ns=now_ns)


def place(
    engine: SimVenue, market: MarketId, stop: Price, *, quantity: Quantity, order: ClientId, now_ns: int
) -> ClientId:
    """Place one under the first id that `order` lends and that has not been used; whatever rests there stays.

    Refused where all of them have been: one more would be of the ids that another order lends.
    """
    lent = (stop_id(order, attempt) for attempt in range(STOP_ATTEMPTS))
    name = next((name for name in lent if engine.orders.find(client_id=name) is None), None)
    if name is None:
        raise Refused(f"the stop beside {order} has ended {STOP_ATTEMPTS} times")
    request = OrderRequest(
        market=market,
        side=Side.SELL,
        kind=OrderKind.MARKET,
        quantity=quantity,
        client_id=name,
        trigger=stop,
        direction=Direction.FALL,
    )
    engine.submit(request, now_ns)
    return name


def _move(engine: SimVenue, kept: SimOrder, stop: Price, quantity: Quantity, now_ns: int) -> None:
    if (kept.trigger, kept.quantity) == (stop, quantity):
        return
    last = engine.desks[kept.market].last
    if stop >= last:
        raise RequestRefused(Reason.TRIGGER_PASSED, f"the stop {stop:f} is not below the last price {last:f}")
    engine.amend(now_ns, order_id=kept.order_id, quantity=quantity, trigger=stop)
