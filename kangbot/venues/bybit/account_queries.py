"""Questions about our account: one order, all open orders, executions, positions, money.

Bulk endpoints only, but for `find`: a request a category or settle coin, whatever the number of markets. Rows of
markets that we do not trade are passed over unread. A row of ours that cannot be read leaves its market without an
answer, because one with a hole in it would be evidence of something that is not so; the other markets have theirs
(`PartlyRead`): a word, or a null, that Bybit begins to use in one of them is not to blind all while it stands there.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from kangbot.errors import PartlyRead
from kangbot.machines.margin import CROSS, ISOLATED, PORTFOLIO
from kangbot.model.ids import ClientId, MarketId, TransferId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO
from kangbot.model.orders import (
    Balance,
    CashFlow,
    Evidence,
    Fill,
    OrderReport,
    OrderStatus,
    Transfer,
    Unclear,
    VenuePosition,
)
from kangbot.venues.bybit.client import Answer, Client, EndlessError, Page
from kangbot.venues.bybit.ledger import LedgerRow, moved
from kangbot.venues.bybit.public import VENUE
from kangbot.venues.bybit.rows import TRANSFER_TYPES, ExecutionRow, OrderRow, PositionRow, TransferRow, WalletRow
from kangbot.venues.reading import MILLISECOND_NS, UNREADABLE, read_as, readable

T = TypeVar("T")
Row = TypeVar("Row")
Known = Mapping[tuple[str, str], Instrument]  # (category, native name) → instrument

_ORDERS_A_PAGE = 50
_EXECUTIONS_A_PAGE = 100
_POSITIONS_A_PAGE = 200
_LOG = "privateGetV5AccountTransactionLog"
_LINES_A_PAGE = 50  # of the transaction log
_LINES_PAGES = 20  # that are read of all of it, for what is neither traded nor a plain transfer
_LINES_NS = 86_400 * 1_000_000_000  # and how far back
_WINDOW_NS = (7 * 86_400 - 1) * 1_000_000_000  # `/v5/execution/list` refuses endTime - startTime above seven days
_LEAST_WINDOW_NS = 600 * 1_000_000_000  # what has too many pages within less has no end
_NARROWER = 8  # a window by which too many are asked for becomes so much shorter
_AHEAD_NS = 60 * 1_000_000_000  # by which its clock may be ahead of what we know of it
_KEPT_NS = 730 * 86_400 * 1_000_000_000  # and remembers two years


_MARGIN_MODES = {"REGULAR_MARGIN": CROSS, "ISOLATED_MARGIN": ISOLATED, "PORTFOLIO_MARGIN": PORTFOLIO}


class _AccountInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    margin_mode: str


class ExecutionOfOrder(ExecutionRow, frozen=True, kw_only=True, rename="camel"):
    """An execution with the quantity of its order."""

    order_qty: Decimal = ZERO


# ---------------------------------------------------------------------------------------------------------- one order
async def find(client: Client, instrument: Instrument, client_id: ClientId) -> Answer[OrderReport | None]:
    """Return the order under `client_id`; None when every endpoint that could know it answered that it does not.

    The answer is as old as the earliest of theirs, by the venue's clock.

    `/v5/order/realtime`, asked by id, knows open orders, and closed ones until its service restarts; it can lag.
    `/v5/order/history` has closed orders, later. Executions prove an order that neither of them shows yet. By id the
    first takes no notice of `openOnly`: https://bybit-exchange.github.io/docs/v5/order/open-order.
    """
    where = {"category": instrument.kind.value, "symbol": instrument.native, "orderLinkId": client_id}
    told_ns: list[int] = []
    for endpoint in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
        page, at_ns = await client.ask(endpoint, where, Page[OrderRow])
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
class _Reading(Generic[T]):
    """What is read of an answer about all markets, row by row."""

    def __init__(self, known: Known) -> None:
        self.rows: list[T] = []
        self._known = known
        self._unread: dict[str, str] = {}

    def row(self, category: str, told: dict[str, Any], shape: type[Row], read: Callable[[Row, MarketId], T]) -> None:
        """Read one row as it was told; pass it over where its market is none of ours."""
        instrument = self._known.get((category, str(told.get("symbol"))))
        if instrument is None:
            return
        try:
            self.rows.append(read(read_as(told, shape), instrument.market))
        except UNREADABLE as error:
            self._unread[instrument.market] = str(error)

    def whole(self, rows: Sequence[T]) -> Sequence[T]:
        """Return `rows` as the answer. PartlyRead where they are not of every market."""
        if not self._unread:
            return rows
        why = "; ".join(f"{market}: {reason}" for market, reason in self._unread.items())
        raise PartlyRead(f"{VENUE} sent a row that cannot be read: {why}", unread=self._unread, rest=rows)


def _queried(row: OrderRow, market: MarketId) -> OrderReport:
    return row.report(market, Evidence.QUERY)


async def open_orders(client: Client, known: Known) -> Sequence[OrderReport]:
    """Return every open order, protective ones included, ours or not."""
    reading = _Reading[OrderReport](known)
    for scope in _scopes(known):
        params = scope | {"openOnly": 0, "limit": _ORDERS_A_PAGE}
        for told in (await client.pages("privateGetV5OrderRealtime", params, dict[str, Any])).result:
            reading.row(scope["category"], told, OrderRow, _queried)
    return reading.whole(reading.rows)


async def positions(client: Client, known: Known) -> Sequence[VenuePosition]:
    """Return the open positions in contracts. What is held of a spot pair's currencies is money: see `balances`."""
    reading = _Reading[VenuePosition](known)
    for scope in _scopes(known):
        if "settleCoin" not in scope:
            continue
        params = scope | {"limit": _POSITIONS_A_PAGE}
        for told in (await client.pages("privateGetV5PositionList", params, dict[str, Any])).result:
            reading.row(scope["category"], told, PositionRow, PositionRow.position)
    return reading.whole([position for position in reading.rows if position.net])


async def executions(
    client: Client, known: Known, since_ns: int, now_ns: int, market: MarketId | None = None
) -> Sequence[Fill | CashFlow]:
    """Return fills and cash flows from `since_ns` to `now_ns` (the venue's clock), oldest first; of `market` if named.

    A request a category and week at least: ask from the last one known, not from the beginning of time.
    """
    reading = _Reading[Fill | CashFlow](known)
    for scope in _traded(known, market):
        start_ns, window_ns = max(since_ns, now_ns - _KEPT_NS), _WINDOW_NS
        while start_ns < now_ns:
            end_ns = start_ns + window_ns
            params: dict[str, str | int] = {
                **scope,
                "startTime": start_ns // MILLISECOND_NS,
                "limit": _EXECUTIONS_A_PAGE,
            }
            if end_ns < now_ns:  # else Bybit's own bound, seven days on: nothing is cut off by a difference of clocks
                params["endTime"] = end_ns // MILLISECOND_NS
            try:
                rows = (await client.pages("privateGetV5ExecutionList", params, dict[str, Any])).result
            except EndlessError:  # somebody else trades in the account, very much
                window_ns = min(window_ns, now_ns - start_ns) // _NARROWER
                if window_ns < _LEAST_WINDOW_NS:
                    raise
                continue
            for told in reversed(rows):
                reading.row(scope["category"], told, ExecutionRow, ExecutionRow.event)
            start_ns = end_ns
    events = {event.execution_id: event for event in reading.rows}  # windows touch: one on the seam is in both
    return reading.whole(sorted(events.values(), key=lambda event: event.at_ns))


async def balances(client: Client) -> list[Balance]:
    """Return the money of the unified account, currency by currency."""
    params = {"accountType": "UNIFIED"}
    answer = await client.ask("privateGetV5AccountWalletBalance", params, Page[WalletRow])
    with readable(VENUE):
        return [balance for row in answer.result.rows for balance in row.balances(answer.at_ns)]


async def margin_mode(client: Client) -> str:
    """Return the unified account's margin mode, which is one for all of its markets."""
    told = (await client.ask("privateGetV5AccountInfo", {}, _AccountInfo)).result.margin_mode
    return _MARGIN_MODES.get(told, told)


async def transfers(client: Client, known: Known, since_ns: int, now_ns: int) -> Sequence[Transfer | Unclear]:
    """Return what came into the unified account and left it untraded from `since_ns` to `now_ns`, oldest first.

    Plain transfers are asked for by their types, whole, however far back. What else moves money has dozens of types,
    and some that are not known yet: the log itself is read for it, of a day and a thousand lines at most, the newest
    ones. In wild markets it may be late, says Bybit.
    """
    found: dict[TransferId, Transfer] = {}  # windows touch: one on the seam is in both
    for kind in TRANSFER_TYPES:
        start_ns = max(since_ns, now_ns - _KEPT_NS)
        while start_ns < now_ns:
            end_ns = min(start_ns + _WINDOW_NS, now_ns + _AHEAD_NS)  # without one Bybit gives a day
            params = _lines(start_ns, end_ns) | {"type": kind}
            rows = (await client.pages(_LOG, params, TransferRow)).result
            with readable(VENUE):
                found.update({row.id: row.transfer() for row in rows})
            start_ns = end_ns
    told = await _log(client, _lines(max(since_ns, now_ns - _LINES_NS), now_ns + _AHEAD_NS))
    coins = {one.base for one in known.values() if one.kind is InstrumentKind.SPOT}
    with readable(VENUE):
        others = list(moved([read_as(row, LedgerRow) for row in told], coins))
    return sorted([*found.values(), *others], key=lambda each: each.at_ns)


def _lines(start_ns: int, end_ns: int) -> dict[str, Any]:
    return {
        "accountType": "UNIFIED",
        "startTime": start_ns // MILLISECOND_NS,
        "endTime": end_ns // MILLISECOND_NS,
        "limit": _LINES_A_PAGE,
    }


async def _log(client: Client, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the newest lines of every type, as they were told."""
    lines: list[dict[str, Any]] = []
    for _ in range(_LINES_PAGES):
        page, _ = await client.ask(_LOG, asked, Page[dict[str, Any]])
        lines.extend(page.rows)
        if not page.rows or not page.next_page_cursor:
            break
        asked = asked | {"cursor": page.next_page_cursor}
    return lines


def _traded(known: Known, market: MarketId | None) -> list[dict[str, str]]:
    """Return what a question about executions may be limited to: a category, or one market."""
    if market is None:
        return [{"category": category} for category in sorted({category for category, _ in known})]
    return [
        {"category": category, "symbol": native} for (category, native), one in known.items() if one.market == market
    ]


def _scopes(known: Known) -> list[dict[str, str]]:
    """Return what a bulk question may be limited to: Bybit wants a settle coin for contracts and none for spot."""
    coins = sorted({one.settle for one in known.values() if one.kind is InstrumentKind.LINEAR})
    scopes: list[dict[str, str]] = [{"category": "linear", "settleCoin": coin} for coin in coins]
    if any(one.kind is InstrumentKind.SPOT for one in known.values()):
        scopes.append({"category": "spot"})
    return scopes
