"""Questions about our account: one order, all open orders, executions, positions, money.

Bulk endpoints only, but for `find`: a request a category or settle coin, whatever the number of markets. Rows of
markets that we do not trade are passed over unread. A row of ours that cannot be read fails the whole question, because
an answer with a hole in it would be evidence of something that is not so.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from kangbot.model.ids import ClientId, ExecutionId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO
from kangbot.model.orders import (
    Balance,
    CashFlow,
    Evidence,
    Fill,
    OrderReport,
    OrderStatus,
    VenuePosition,
)
from kangbot.venues.bybit.client import Answer, Client, Page
from kangbot.venues.bybit.public import VENUE
from kangbot.venues.bybit.rows import ExecutionRow, OrderRow, PositionRow, WalletRow
from kangbot.venues.reading import MILLISECOND_NS, readable

Known = Mapping[tuple[str, str], Instrument]  # (category, native name) → instrument

_ORDERS_A_PAGE = 50
_EXECUTIONS_A_PAGE = 100
_POSITIONS_A_PAGE = 200
_WINDOW_NS = (7 * 86_400 - 1) * 1_000_000_000  # `/v5/execution/list` refuses endTime - startTime above seven days
_KEPT_NS = 730 * 86_400 * 1_000_000_000  # and remembers two years


class ExecutionOfOrder(ExecutionRow, frozen=True, kw_only=True, rename="camel"):
    """An execution with the quantity of its order."""

    order_qty: Decimal = ZERO


# ---------------------------------------------------------------------------------------------------------- one order
async def find(client: Client, instrument: Instrument, client_id: ClientId) -> Answer[OrderReport | None]:
    """Return the order under `client_id`; None when every endpoint that could know it answered that it does not.

    The answer is as old as the earliest of theirs, by the venue's clock.

    `/v5/order/realtime` shows open orders, and recently closed ones under `openOnly=1` until its service restarts; it
    can lag. `/v5/order/history` has closed orders, later. Executions prove an order that none of them shows yet.
    """
    where = {"category": instrument.kind.value, "symbol": instrument.native, "orderLinkId": client_id}
    told_ns: list[int] = []
    for endpoint, params in (
        ("privateGetV5OrderRealtime", where),
        ("privateGetV5OrderRealtime", where | {"openOnly": 1}),
        ("privateGetV5OrderHistory", where),
    ):
        page, at_ns = await client.ask(endpoint, params, Page[OrderRow])
        told_ns.append(at_ns)
        for row in page.rows:
            if row.order_link_id == client_id:
                with readable(VENUE):
                    return Answer(row.report(instrument.market, Evidence.QUERY), min(told_ns))
    rows, at_ns = await client.pages("privateGetV5ExecutionList", where, ExecutionOfOrder)
    with readable(VENUE):
        report = _by_executions(instrument, [row for row in rows if row.order_link_id == client_id])
    return Answer(report, min(*told_ns, at_ns))


def _by_executions(instrument: Instrument, rows: Sequence[ExecutionOfOrder]) -> OrderReport | None:
    """Return what executions tell of their order: how much is filled, never whether the rest was cancelled."""
    events = [row.event(instrument.market) for row in rows]
    fills = [event for event in events if isinstance(event, Fill)]
    if not fills:
        return None
    filled = sum((fill.quantity for fill in fills), ZERO)
    quantity = max(rows[0].order_qty, filled)
    return OrderReport(
        market=instrument.market,
        client_id=fills[0].client_id,
        venue_order_id=fills[0].venue_order_id,
        status=OrderStatus.FILLED if filled == quantity else OrderStatus.PARTIAL,
        side=fills[0].side,
        quantity=quantity,
        filled=filled,
        average=sum((fill.quantity * fill.price for fill in fills), ZERO) / filled,
        at_ns=max(fill.at_ns for fill in fills),
        evidence=Evidence.FILLS,
    )


# ----------------------------------------------------------------------------------------------------------- in bulk
async def open_orders(client: Client, known: Known) -> list[OrderReport]:
    """Return every open order, protective ones included, ours or not."""
    reports = []
    for scope in _scopes(known):
        params = scope | {"openOnly": 0, "limit": _ORDERS_A_PAGE}
        for row in (await client.pages("privateGetV5OrderRealtime", params, OrderRow)).result:
            if (instrument := known.get((scope["category"], row.symbol))) is not None:
                with readable(VENUE):
                    reports.append(row.report(instrument.market, Evidence.QUERY))
    return reports


async def positions(client: Client, known: Known) -> list[VenuePosition]:
    """Return the open positions in contracts. What is held of a spot pair's currencies is money: see `balances`."""
    found = []
    for scope in _scopes(known):
        if "settleCoin" not in scope:
            continue
        params = scope | {"limit": _POSITIONS_A_PAGE}
        for row in (await client.pages("privateGetV5PositionList", params, PositionRow)).result:
            if (instrument := known.get((scope["category"], row.symbol))) is not None:
                with readable(VENUE):
                    found.append(row.position(instrument.market))
    return [position for position in found if position.net]


async def executions(client: Client, known: Known, since_ns: int, now_ns: int) -> list[Fill | CashFlow]:
    """Return fills and cash flows from `since_ns` to `now_ns` (the venue's clock), oldest first.

    A request a category and week at least: ask from the last one known, not from the beginning of time.
    """
    events: dict[ExecutionId, Fill | CashFlow] = {}  # windows touch: an execution on the seam is in both
    for category in sorted({category for category, _ in known}):
        start_ns = max(since_ns, now_ns - _KEPT_NS)
        while start_ns < now_ns:
            end_ns = start_ns + _WINDOW_NS
            params: dict[str, str | int] = {
                "category": category,
                "startTime": start_ns // MILLISECOND_NS,
                "limit": _EXECUTIONS_A_PAGE,
            }
            if end_ns < now_ns:  # else Bybit's own bound, seven days on: nothing is cut off by a difference of clocks
                params["endTime"] = end_ns // MILLISECOND_NS
            for row in reversed((await client.pages("privateGetV5ExecutionList", params, ExecutionRow)).result):
                if (instrument := known.get((category, row.symbol))) is not None:
                    with readable(VENUE):
                        events[ExecutionId(row.exec_id)] = row.event(instrument.market)
            start_ns = end_ns
    return sorted(events.values(), key=lambda event: event.at_ns)


async def balances(client: Client) -> list[Balance]:
    """Return the money of the unified account, currency by currency."""
    params = {"accountType": "UNIFIED"}
    answer = await client.ask("privateGetV5AccountWalletBalance", params, Page[WalletRow])
    with readable(VENUE):
        return [balance for row in answer.result.rows for balance in row.balances(answer.at_ns)]


def _scopes(known: Known) -> list[dict[str, str]]:
    """Return what a bulk question may be limited to: Bybit wants a settle coin for contracts and none for spot."""
    coins = sorted({one.settle for one in known.values() if one.kind is InstrumentKind.LINEAR})
    scopes: list[dict[str, str]] = [{"category": "linear", "settleCoin": coin} for coin in coins]
    if any(one.kind is InstrumentKind.SPOT for one in known.values()):
        scopes.append({"category": "spot"})
    return scopes
