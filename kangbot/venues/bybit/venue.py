"""Bybit's REST side: orders and questions, over ccxt.

What the private stream pushes is in feed.py, what rows mean in rows.py, what refusals mean in errors.py. Nothing here
retries, has a budget or remembers an order: that is the executor's.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

from kangbot.errors import Refused
from kangbot.health.latency import Timings
from kangbot.model.data import Bar, FundingRate, Quote, Trade
from kangbot.model.ids import ClientId, MarketId, Symbol, VenueName, VenueOrderId, is_stop_id
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import (
    AccountEvent,
    Balance,
    Evidence,
    Intent,
    OrderKind,
    OrderReport,
    OrderStatus,
    TimeInForce,
    Transfer,
    Unclear,
    VenuePosition,
)
from kangbot.ports import IdRule, Lookup, Turn
from kangbot.venues.bybit import account_queries, market_queries
from kangbot.venues.bybit.client import Client
from kangbot.venues.bybit.errors import NotModified
from kangbot.venues.bybit.public import VENUE, TimeRow
from kangbot.venues.bybit.rights import KeyRights, key_rights
from kangbot.venues.bybit.spot_stop import STOP_FILTER, SpotStop
from kangbot.venues.http import Http
from kangbot.venues.reading import MILLISECOND_NS

# Which price triggers the stops that rest at Bybit: the one that strategies see and that backtests fill stops at. The
# mark price is steadier against a single wick, and leaves the position open while it lags.
_STOP_TRIGGER = "LastPrice"
# What contracts settle in that have a hedge mode. The switch is served for these alone; in USDC they are one-way.
_TWO_MODES = "USDT"
_TIME_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.POST_ONLY: "PostOnly"}


class BybitVenue:
    """`ports.Venue` for Bybit v5: linear perpetuals in one-way mode and spot pairs of a unified trading account.

    - `rest_url` replaces Bybit's own address.
    - `now_ns` is our clock; `venue_now_ms` is the venue's as we measured it, and stamps every signed request.
    - `receive_window_ms`: Bybit refuses what arrives later than this after its stamp.
    - `timeout_s` bounds a request in all, `connect_timeout_s` the wait for a connection. After the receive window an
      order that was not answered will not be accepted any more, so waiting much longer only delays the question.
    - `timings` counts how long requests took.
    - `turn` is asked for before each request; by default there is no budget to keep.
    """

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        now_ns: Callable[[], int],
        venue_now_ms: Callable[[], int],
        rest_url: str | None = None,
        receive_window_ms: int = 5_000,
        timeout_s: float = 8.0,
        connect_timeout_s: float = 4.0,
        timings: Timings | None = None,
        turn: Turn = nullcontext,
    ) -> None:
        self._now_ns = now_ns
        self._venue_now_ms = venue_now_ms
        self._known: dict[tuple[str, str], Instrument] = {}
        self._http = Http(timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, timings=timings)
        self._client = Client(
            key=key,
            secret=secret,
            rest_url=rest_url,
            venue_now_ms=venue_now_ms,
            receive_window_ms=receive_window_ms,
            http=self._http,
            turn=turn,
        )

    @property
    def name(self) -> VenueName:
        """The venue's name in the configuration."""
        return VENUE

    @property
    def id_rule(self) -> IdRule:
        """Bybit refuses a second order under the same `orderLinkId` for ever."""
        return IdRule.FOR_EVER

    @property
    def tells_mark(self) -> bool:
        """Bybit tells it of every contract."""
        return True

    # ------------------------------------------------------------------------------------------------------- markets
    def market_of(self, category: str, native: str) -> MarketId | None:
        """Return the market that a row's category and symbol name; None where it is none that was asked for."""
        known = self._known.get((category, native))
        return None if known is None else known.market

    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of the markets asked for, and know them from now on."""
        found = await market_queries.instruments(self._client, symbols)
        self._know(*found.values())
        return found

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return at most `limit` newest closed bars, oldest first. Refused where Bybit has no such timeframe."""
        return await market_queries.bars(self._client, instrument, timeframe_s, limit)

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the newest public trades, oldest first; of a spot pair Bybit gives 60 at most."""
        return await market_queries.trades(self._client, instrument, limit)

    async def quote(self, instrument: Instrument) -> Quote:
        """Return the top of the book. Retryable while a side of it is empty."""
        return await market_queries.quote(self._client, instrument)

    async def mark(self, instrument: Instrument) -> Price | None:
        """Return the price at which positions are valued; None for a spot pair."""
        return await market_queries.mark(self._client, instrument)

    async def funding(self, instrument: Instrument, since_ns: int) -> Sequence[FundingRate]:
        """Return the rates that were settled after that time, oldest first; none of a spot pair."""
        return await market_queries.funding(self._client, instrument, since_ns)

    async def server_time_ns(self) -> int:
        """Return the venue's clock, in nanoseconds since the epoch."""
        return (await self._client.ask("publicGetV5MarketTime", {}, TimeRow)).result.time_nano

    # -------------------------------------------------------------------------------------------------------- orders
    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        """Place the order under the intent's client id, a contract's with its stop. DuplicateId proves that it exists.

        Bybit acknowledges that it took the order in; whether it rests, fills or is refused by the matching engine
        comes by the private stream.
        """
        self._know(instrument)
        # What is noted of the send counts from its note, and the journal bears witness that nothing is stamped after
        # the deadline. The venue's clock is read first: what passes between the two readings makes the limit earlier.
        latest_ns = intent.deadline_ns if sent_ns is None else min(sent_ns, intent.deadline_ns)
        latest_ms = self._venue_now_ms() + (latest_ns - self._now_ns()) // MILLISECOND_NS
        venue_order_id = await self._client.place(
            symbol=instrument.symbol,
            kind=intent.kind.value,
            side=intent.side.value,
            quantity=_digits(intent.quantity),
            price=None if intent.price is None else _digits(intent.price),
            params=self._parameters(instrument, intent),
            latest_ms=latest_ms,
        )
        return OrderReport(
            market=instrument.market,
            client_id=intent.client_id,
            venue_order_id=VenueOrderId(venue_order_id),
            status=OrderStatus.ACKED,
            side=intent.side,
            quantity=intent.quantity,
            reduce_only=intent.reduce_only,
            at_ns=self._venue_now_ms() * MILLISECOND_NS,
            evidence=Evidence.ANSWER,
        )

    def _parameters(self, instrument: Instrument, intent: Intent) -> dict[str, Any]:
        parameters: dict[str, Any] = {"clientOrderId": intent.client_id}
        if intent.kind is OrderKind.LIMIT:
            parameters["timeInForce"] = _TIME_IN_FORCE[intent.time_in_force]
        if instrument.kind is InstrumentKind.LINEAR:
            parameters["positionIdx"] = 0  # one-way mode
            if intent.reduce_only:
                parameters["reduceOnly"] = True
            if intent.stop is not None:
                # The whole position, at market: a partial stop would have to be kept in step with every fill.
                # Spot has no such thing, and what it has would occupy the coins: see `cover`.
                parameters["stopLoss"] = {"triggerPrice": _digits(intent.stop)}
                parameters |= {"tpslMode": "Full", "slTriggerBy": _STOP_TRIGGER}
        return parameters

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        """Ask for cancellation. NotFound: no open order of that id (it may be filled). The stream tells the outcome."""
        kind = STOP_FILTER if is_stop_id(client_id) else {}
        await self._client.change("privatePostV5OrderCancel", _where(instrument) | kind | {"orderLinkId": client_id})

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        """Set the stop of the open position (None removes it). NotFound: no position. Refused: a spot pair has none."""
        if instrument.kind is InstrumentKind.SPOT:
            raise Refused("bybit keeps no stop on a spot holding")
        await self._set(
            "privatePostV5PositionTradingStop",
            _where(instrument)
            | {
                "positionIdx": 0,
                "tpslMode": "Full",
                "stopLoss": "0" if stop is None else _digits(stop),
                "slTriggerBy": _STOP_TRIGGER,
            },
        )

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        """Have exactly one stop of ours rest beside a spot holding (spot_stop.py). Refused: contracts have their own.

        A `fresh` one costs one request; anything else asks first what rests.
        """
        if instrument.kind is not InstrumentKind.SPOT:
            raise Refused("bybit keeps the stop of a contract's position itself")
        self._know(instrument)
        return await SpotStop(self._client, instrument, order).rest(stop, quantity, fresh=fresh)

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        """Set one-way mode and leverage, where the market is a contract. Idempotent."""
        self._know(instrument)
        if instrument.kind is InstrumentKind.SPOT:
            return
        if instrument.settle == _TWO_MODES:
            await self._set("privatePostV5PositionSwitchMode", _where(instrument) | {"mode": 0})
        both = {"buyLeverage": str(leverage), "sellLeverage": str(leverage)}
        await self._set("privatePostV5PositionSetLeverage", _where(instrument) | both)

    async def _set(self, endpoint: str, params: Mapping[str, Any]) -> None:
        try:
            await self._client.change(endpoint, params)
        except NotModified:
            return

    # ------------------------------------------------------------------------------------------------------- account
    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        """Ask every authoritative endpoint for the order. Raises unless each of them answered."""
        report, told_ns = await account_queries.find(self._client, instrument, client_id)
        return Lookup(report=report, at_ns=self._now_ns(), venue_ns=told_ns)

    async def open_orders(self) -> Sequence[OrderReport]:
        """Return every open order of the known instruments, protective ones included, ours or not."""
        return await account_queries.open_orders(self._client, self._known)

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        """Return fills and cash flows of the known instruments since then (the venue's clock), oldest first."""
        now_ns = self._venue_now_ms() * MILLISECOND_NS
        return await account_queries.executions(self._client, self._known, since_ns, now_ns, market)

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the open positions in contracts; a contract that is absent is flat. Spot holdings are balances."""
        return await account_queries.positions(self._client, self._known)

    async def balances(self) -> Sequence[Balance]:
        """Return the account's money."""
        return await account_queries.balances(self._client)

    async def transfers(self, since_ns: int) -> Sequence[Transfer | Unclear]:
        """Return what was moved into the account and out of it since then (the venue's clock), oldest first."""
        now_ns = self._venue_now_ms() * MILLISECOND_NS
        return await account_queries.transfers(self._client, self._known, since_ns, now_ns)

    async def margin_mode(self) -> str:
        """Return the account's margin mode: "cross", "isolated", "portfolio", or Bybit's own word for another."""
        return await account_queries.margin_mode(self._client)

    async def key_rights(self) -> KeyRights:
        """Return what our key may do here. NeedsHuman where it is not taken."""
        return await key_rights(self._client)

    async def aclose(self) -> None:
        """Close the connections; bounded by a second."""
        await self._http.aclose()

    def _know(self, *instruments: Instrument) -> None:
        for one in instruments:
            self._known[one.kind.value, one.native] = one
        self._client.know(instruments)


def _where(instrument: Instrument) -> dict[str, Any]:
    return {"category": instrument.kind.value, "symbol": instrument.native}


def _digits(number: Decimal) -> str:
    """Return the number as Bybit reads it: never an exponent."""
    return format(number, "f")
