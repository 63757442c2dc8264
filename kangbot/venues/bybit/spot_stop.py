"""The stop beside a spot holding: one conditional order of ours, placed, moved, resized or taken away.

Bybit keeps no position in spot, so there is nothing to set a stop on. It takes three kinds of order that wait for a
price; this is the conditional one, `orderFilter=StopOrder`, because "the assets will not be occupied until the price
of the underlying asset reaches the trigger price": exits work beside it. A `tpslOrder` occupies the coins from the
start, and so does what becomes of a stop that rides on a limit order: an exit beside it would be refused for want of
coins. Source: Bybit v5, "Place Order" (orderFilter) and "Amend Order" (triggerPrice, qty); on a unified account the
order keeps its id when it is triggered.

Spot has no `triggerDirection` in its requests: Bybit takes it from the price at that moment, so a sell whose trigger
the price has passed already would wait for a rise. Such a one guards nothing: it is looked for, and taken away.
"""

from decimal import Decimal

import msgspec

from kangbot.errors import DuplicateId, NotFound, Refused, Retryable
from kangbot.model.ids import STOP_ATTEMPTS, ClientId, journal_of, stop_id, stop_ids
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.venues.bybit.account_queries import find
from kangbot.venues.bybit.client import Client
from kangbot.venues.bybit.errors import NotModified
from kangbot.venues.bybit.rows import RISE, OrderRow

STOP_FILTER = {"orderFilter": "StopOrder"}  # a request on such an order that does not say so does not find it


class _Ticker(msgspec.Struct, frozen=True, rename="camel"):
    last_price: Decimal


class _Tickers(msgspec.Struct, frozen=True):
    list: tuple[_Ticker, ...]


class SpotStop:
    """The stops of one market, for one call. Nothing is remembered: what rests is asked of the venue."""

    def __init__(self, client: Client, instrument: Instrument, order: ClientId) -> None:
        self._client = client
        self._instrument = instrument
        self._order = order
        self._where: dict[str, str] = {"category": instrument.kind.value, "symbol": instrument.native}

    async def rest(self, stop: Price | None, quantity: Quantity, *, fresh: bool) -> ClientId | None:
        """Have exactly one rest at `stop` for `quantity`, none where `stop` is None; return its client id."""
        if fresh and stop is not None:
            try:
                return await self._place(stop, quantity, 0)
            except DuplicateId:
                pass  # an earlier life of the daemon placed it, and heard nothing of it
        kept = None
        for row in await self._resting():
            if kept is None and stop is not None and row.trigger_direction != RISE:
                kept = row
            else:
                await self._cancel(row)
        if stop is None:
            return None
        if kept is None:
            await self._check_side(stop)
            return await self._place_anew(stop, quantity)
        await self._amend(kept, stop, quantity)
        return ClientId(kept.order_link_id)

    async def _resting(self) -> list[OrderRow]:
        params = self._where | {"openOnly": 0, "limit": 50}
        rows = (await self._client.pages("privateGetV5OrderRealtime", params, OrderRow)).result
        mine = stop_ids(journal_of(self._order))
        return [row for row in rows if row.order_link_id.startswith(mine)]

    async def _check_side(self, stop: Price) -> None:
        found = await self._client.ask("publicGetV5MarketTickers", self._where, _Tickers)
        if not found.result.list:
            raise Retryable("bybit has no price just now to hold the stop against")
        last = found.result.list[0].last_price
        if stop >= last:
            raise Refused(f"the stop {stop:f} is not below the last price {last:f}")

    async def _place(self, stop: Price, quantity: Quantity, attempt: int) -> ClientId:
        name = stop_id(self._order, attempt)
        await self._client.place(
            symbol=self._instrument.symbol,
            kind="market",
            side="sell",
            quantity=format(quantity, "f"),
            price=None,
            params={"clientOrderId": name, "triggerPrice": format(stop, "f")},
        )
        return name

    async def _place_anew(self, stop: Price, quantity: Quantity) -> ClientId:
        """Place it under the first id that has not been used; one that is used and open is it."""
        for attempt in range(STOP_ATTEMPTS):
            try:
                return await self._place(stop, quantity, attempt)
            except DuplicateId:
                used = (await find(self._client, self._instrument, stop_id(self._order, attempt))).result
                if used is None or not used.status.terminal:
                    raise Retryable("bybit's list of open orders is behind: the stop rests and is not in it") from None
        raise Refused(f"the stop beside {self._order} has ended {STOP_ATTEMPTS} times")

    async def _amend(self, row: OrderRow, stop: Price, quantity: Quantity) -> None:
        if row.order_status != "Untriggered":
            raise Retryable("the stop is being executed")
        changed: dict[str, str] = {}
        if Decimal(row.trigger_price) != stop:
            await self._check_side(stop)
            changed["triggerPrice"] = format(stop, "f")
        if Decimal(row.qty) != quantity:
            changed["qty"] = format(quantity, "f")
        if not changed:
            return
        try:
            await self._client.change(
                "privatePostV5OrderAmend", self._where | {"orderLinkId": row.order_link_id} | changed
            )
        except NotModified:
            return

    async def _cancel(self, row: OrderRow) -> None:
        try:
            await self._client.change(
                "privatePostV5OrderCancel", self._where | STOP_FILTER | {"orderLinkId": row.order_link_id}
            )
        except NotFound:
            return  # it has ended meanwhile
