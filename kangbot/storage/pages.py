"""Pages of the history for whoever looks at it: the newest rows of one listing, as plain values.

One shape a listing, so that the two databases answer alike: amounts are text, exact to their digits, and times are UTC
as ISO 8601 says. `events` leaves out what the other listings tell better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kangbot.ports import Listing, Page, Row

_TOLD_ELSEWHERE = (
    "order_intended",
    "order_changed",
    "fill_applied",
    "cash_flow_applied",
    "round_trip_closed",
    "stop_set",
    "equity_marked",
    "desired_changed",
)
_ORDINARY = ", ".join(f"'{kind}'" for kind in _TOLD_ELSEWHERE)


SQLITE, MYSQL = "?", "%s"  # how their drivers mark a place in a statement

_AMOUNTS = frozenset(
    (
        "quantity", "price", "stop", "filled", "average", "fee", "net_after", "entry_price", "exit_price", "profit",
        "fees", "net_profit", "equity", "amount", "open", "high", "low", "close", "volume",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is read of a table; `newest` is what its rows are sorted by."""

    table: str
    columns: tuple[str, ...]
    time: str
    newest: str  # each is the end of an index, so that no page sorts a table
    where: str = ""
    along: str = ""  # the index that SQLite has to use where it is asked for all markets


_SHAPES = {
    Listing.ORDERS: _Shape(
        "orders",
        (
            "client_id", "market", "purpose", "side", "kind", "quantity", "price", "stop", "status", "evidence",
            "filled", "average", "reason", "code", "message", "intended_at", "changed_at",
        ),
        "intended_at",
        "intended_at DESC",
    ),
    Listing.FILLS: _Shape(
        "fills",
        (
            "execution_id", "client_id", "market", "side", "quantity", "price", "fee", "fee_currency", "cause",
            "net_after", "filled_at",
        ),
        "filled_at",
        "filled_at DESC",
    ),
    Listing.ROUND_TRIPS: _Shape(
        "round_trips",
        (
            "market", "strategy", "side", "quantity", "entry_price", "exit_price", "profit", "fees", "net_profit",
            "opened_at", "closed_at",
        ),
        "closed_at",
        "closed_at DESC",
    ),
    Listing.CASH_FLOWS: _Shape(
        "cash_flows", ("market", "kind", "amount", "currency", "flowed_at"), "flowed_at", "flowed_at DESC"
    ),
    Listing.EQUITY: _Shape("equity", ("venue", "currency", "equity", "marked_at"), "marked_at", "marked_at DESC"),
    Listing.EVENTS: _Shape(
        "events",
        ("at", "kind", "market", "severity", "message"),
        "at",
        "at DESC, journal DESC, sequence DESC",
        f"kind NOT IN ({_ORDINARY})",
        "events_at_kind",  # it has the first term alone, and SQLite 3.53 would rather sort the whole table
    ),
    Listing.BARS: _Shape(
        "bars",
        ("market", "timeframe_s", "opened_at", "open", "high", "low", "close", "volume"),
        "opened_at",
        "opened_at DESC",
    ),
}  # fmt: skip


def statement(page: Page, mark: str) -> tuple[str, tuple[str | int, ...]]:
    """Return the statement and its arguments; `mark` is how the driver marks a place: `SQLITE` or `MYSQL`."""
    shape = _SHAPES[page.listing]
    wheres = [shape.where] if shape.where else []
    arguments: list[str | int] = []
    if page.market is not None:
        wheres.append(f"market = {mark}")
        arguments.append(page.market)
    if page.timeframe_s is not None:
        wheres.append(f"timeframe_s = {mark}")
        arguments.append(page.timeframe_s)
    for bound, sign in ((page.since_ns, ">="), (page.until_ns, "<")):
        if bound is not None:
            wheres.append(f"{shape.time} {sign} {mark}")
            arguments.append(_time(bound))
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    columns = ", ".join(shape.columns)
    along = f" INDEXED BY {shape.along}" if shape.along and page.market is None and mark == SQLITE else ""
    text = f"SELECT {columns} FROM {shape.table}{along}{where} ORDER BY {shape.newest} LIMIT {mark} OFFSET {mark}"  # noqa: S608 -- names of ours
    return text, (*arguments, page.limit, page.offset)


def rows(page: Page, answered: Iterable[Sequence[Any]]) -> list[Row]:
    """Return what the database answered, newest first."""
    columns = _SHAPES[page.listing].columns
    return [{column: _plain(column, value) for column, value in zip(columns, row, strict=True)} for row in answered]


def _time(at_ns: int) -> str:
    """Return the moment as both databases compare it: UTC, to the microsecond."""
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC) + timedelta(microseconds=at_ns % 1_000_000_000 // 1000)
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def _plain(column: str, value: Any) -> str | int | None:
    if value is not None and column in _AMOUNTS:
        return format(Decimal(value).normalize(), "f")
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds") + "Z"
    if isinstance(value, str) and (column == "at" or column.endswith("_at")):
        return value.replace(" ", "T") + "Z"  # SQLite's text
    return value if value is None or isinstance(value, int) else str(value)
