"""The control interface under /sandbox/: what is true at the venue, and faults on request.

    GET    /sandbox/truth     counts and positions as the venue knows them (see `truth`)
    GET    /sandbox/orders    every order, newest first, as Bybit's rows
    GET    /sandbox/faults    the faults in force
    POST   /sandbox/faults    a JSON list of faults (see `kangbot.sandbox.faults`); answers what is in force
    DELETE /sandbox/faults    no faults any more
    POST   /sandbox/pause     {"paused": true}: prices stand still, requests are served
    POST   /sandbox/jump      {"symbol": "BTCUSDT", "ratio": 0.98}: the price moves by that factor at once
    POST   /sandbox/rules     {"symbol": "BTCUSDT", "step": "0.01"}: the market's step is this from now on; likewise its
                              tick, min_quantity and min_notional
    POST   /sandbox/transfer  {"amount": "-250.5"}: money leaves the account, or comes into it where it is positive;
                              with a "kind", such as "BONUS", the transaction log calls it so
    POST   /sandbox/order     an order made by hand: the body of /v5/order/create, without a signature

Unsigned: whoever reaches it may do everything, so it is served on loopback, or on a network of containers alone.
"""

from collections import Counter
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from aiohttp import web

from kangbot.model.ids import CLIENT_ID_PREFIX
from kangbot.sandbox import rest_trade
from kangbot.sandbox.errors import ApiError
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.faults import DropSockets, Fault, Faults
from kangbot.sandbox.publisher import Publisher
from kangbot.sandbox.rows_order import order_row, order_status, short
from kangbot.sandbox.streams import Streams
from kangbot.sim.exchange.events import Executed
from kangbot.sim.exchange.orders import Origin
from kangbot.sim.exchange.refusal import RequestRefused

_faults = msgspec.json.Decoder(list[Fault])
_orders = msgspec.json.Decoder(dict[str, Any])
_UNREAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what a body may be that is no JSON of ours


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Whether prices stand still."""

    paused: bool = True


_pauses = msgspec.json.Decoder(Pause)


class Jump(msgspec.Struct, frozen=True, kw_only=True):
    """A sudden move of one market."""

    symbol: str
    ratio: Annotated[float, msgspec.Meta(gt=0.1, lt=10)]
    category: str = "linear"


_jumps = msgspec.json.Decoder(Jump)


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """Other rules for one market; what is left out stays."""

    symbol: str
    category: str = "linear"
    tick: Decimal | None = None
    step: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional: Decimal | None = None


_rulings = msgspec.json.Decoder(Ruling)


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Money that somebody moves; `kind` is what the transaction log calls it where that is no plain transfer."""

    amount: Decimal
    kind: str = ""


_moves = msgspec.json.Decoder(Move)


def truth(exchange: Exchange) -> dict[str, Any]:
    """Return what the venue knows. Numbers of money and quantity are text, as on the wire."""
    venue = exchange.venue
    orders = list(venue.orders)
    ids = Counter(order.request.client_id for order in orders if order.request.client_id)
    mine = [order for order in orders if order.origin is Origin.USER]
    statuses = Counter(order_status(order, exchange.category(order.market)) for order in mine)
    fills = [event for event in venue.executions if isinstance(event, Executed)]
    return {
        "orders": {
            "total": len(mine),
            "by_status": dict(statuses),
            "with_prefix": sum(client_id.startswith(CLIENT_ID_PREFIX) for client_id in ids),
            "open": len([order for order in venue.orders.open() if order.origin is Origin.USER]),
            "by_venue": len(orders) - len(mine),
        },
        "duplicates": {
            "refused": venue.orders.duplicates_refused,
            "accepted": sum(count - 1 for count in ids.values()),
        },
        "fills": len(fills),
        "fills_with_prefix": sum(event.order.request.client_id.startswith(CLIENT_ID_PREFIX) for event in fills),
        "cash_flows": len(venue.executions) - len(fills),
        "positions": {
            exchange.symbol(market): short(venue.account.holding(market).net) for market in venue.account.open_markets()
        },
        "stops": {
            exchange.symbol(market): short(stop)
            for market in venue.account.open_markets()
            if (stop := venue.stop(market)) is not None
        },
        "equity": short(venue.standing().equity),
        "wallet": short(venue.standing().wallet),
        "fees": short(venue.account.fees_paid),
        "connects": dict(exchange.connects),
        "requests": dict(exchange.requests),
        "paused": venue.frozen,
    }


class Control:
    """The handlers under /sandbox/."""

    def __init__(self, exchange: Exchange, faults: Faults, streams: Streams, publisher: Publisher) -> None:
        self._exchange = exchange
        self._faults = faults
        self._streams = streams
        self._publisher = publisher

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get("/sandbox/truth", self._truth),
            web.get("/sandbox/orders", self._orders),
            web.get("/sandbox/faults", self._list),
            web.post("/sandbox/faults", self._add),
            web.delete("/sandbox/faults", self._clear),
            web.post("/sandbox/pause", self._pause),
            web.post("/sandbox/jump", self._jump),
            web.post("/sandbox/rules", self._rule),
            web.post("/sandbox/transfer", self._transfer),
            web.post("/sandbox/order", self._order),
        ]

    async def _truth(self, _: web.Request) -> web.Response:
        self._publisher.turn()
        return _json(truth(self._exchange) | {"sockets": len(self._streams.sessions)})

    async def _orders(self, _: web.Request) -> web.Response:
        orders = self._exchange.venue.orders
        return _json([order_row(self._exchange, order) for order in orders.newest(len(orders))])

    async def _list(self, _: web.Request) -> web.Response:
        return _json(self._faults.active(self._exchange.now_ns()))

    async def _add(self, request: web.Request) -> web.Response:
        try:
            faults = _faults.decode(await request.read())
        except _UNREAD as error:
            return web.Response(status=400, text=str(error))
        dropped = 0
        for fault in faults:
            if isinstance(fault, DropSockets):
                dropped += self._streams.drop(fault.which)
            else:
                self._faults.add(fault, self._exchange.now_ns())
        return _json({"active": self._faults.active(self._exchange.now_ns()), "dropped": dropped})

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return _json({"active": []})

    async def _pause(self, request: web.Request) -> web.Response:
        try:
            wanted = _pauses.decode(await request.read() or b"{}")
        except _UNREAD as error:
            return web.Response(status=400, text=str(error))
        self._exchange.venue.frozen = wanted.paused
        return _json(wanted)

    async def _jump(self, request: web.Request) -> web.Response:
        try:
            wanted = _jumps.decode(await request.read())
            desk = self._exchange.desk(wanted.category, wanted.symbol)
        except (*_UNREAD, ApiError) as error:
            return web.Response(status=400, text=str(error))
        self._exchange.venue.jump(desk.spec.market, wanted.ratio, self._exchange.now_ns())
        return _json(wanted)

    async def _rule(self, request: web.Request) -> web.Response:
        try:
            wanted = _rulings.decode(await request.read())
            desk = self._exchange.desk(wanted.category, wanted.symbol)
        except (*_UNREAD, ApiError) as error:
            return web.Response(status=400, text=str(error))
        named = ("tick", "step", "min_quantity", "min_notional")
        other = {name: value for name in named if (value := getattr(wanted, name)) is not None}
        if not all(value.is_finite() and value > 0 for value in other.values()):
            return web.Response(status=400, text="a rule is a number above zero")
        self._exchange.venue.change_rules(msgspec.structs.replace(desk.spec.instrument, **other))
        return _json(wanted)

    async def _transfer(self, request: web.Request) -> web.Response:
        try:
            move = _moves.decode(await request.read())
            if not move.amount.is_finite() or not move.amount:
                raise msgspec.ValidationError("the amount is a number and not nought")
            made = self._exchange.venue.transfer(move.amount, self._exchange.now_ns(), move.kind)
        except (*_UNREAD, RequestRefused) as error:
            return web.Response(status=400, text=str(error))
        finally:
            self._publisher.flush()
        return _json(made)

    async def _order(self, request: web.Request) -> web.Response:
        try:
            answer = rest_trade.create(self._exchange, _orders.decode(await request.read()))
        except _UNREAD as error:
            return web.Response(status=400, text=str(error))
        except ApiError as error:
            return web.json_response({"retCode": error.code, "retMsg": error.message}, status=400)
        finally:
            self._publisher.flush()
        return _json(answer)


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
