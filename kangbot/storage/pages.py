"""Pages of the history for whoever looks at it: the newest rows of one listing, as plain values.

One shape a listing, so that the two databases answer alike: amounts are text, exact to their digits, and times are UTC
as ISO 8601 says. `events` leaves out what the other listings tell better.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from kangbot.ports import Listing, Page, Row
from kangbot.storage import tables
from kangbot.storage.tables import Upsert

SQLITE, MYSQL = "?", "%s"  # how their drivers mark a place in a statement

_AMOUNTS = frozenset(
    (
        "quantity", "price", "stop", "filled", "average", "fee", "net_after", "entry_price", "exit_price", "profit",
        "fees", "net_profit", "equity", "amount", "open", "high", "low", "close", "volume",
    )
)  # fmt: skip


class _Shape(msgspec.Struct, frozen=True):
    """What is read of a table; `newest` is what its rows are sorted by."""

    rows: Upsert  # by which its rows are written
    columns: tuple[str, ...]
    time: str
    newest: str  # each is the end of an index, so that no page sorts a table
    where: str = ""
    newest_in_file: str = ""  # where SQLite would have to read every row for that: its indexes end in `rowid` alone


_SHAPES = {
    Listing.ORDERS: _Shape(
        tables.ORDER_INTENDED,
        (
            "client_id", "market", "purpose", "side", "kind", "quantity", "price", "stop", "status", "evidence",
            "filled", "average", "reason", "code", "message", "intended_at", "changed_at",
        ),
        "intended_at",
        "intended_at DESC",
    ),
    Listing.FILLS: _Shape(
        tables.FILL,
        (
            "execution_id", "client_id", "market", "side", "quantity", "price", "fee", "fee_currency", "cause",
            "net_after", "filled_at",
        ),
        "filled_at",
        "filled_at DESC",
    ),
    Listing.ROUND_TRIPS: _Shape(
        tables.ROUND_TRIP,
        (
            "market", "strategy", "side", "quantity", "entry_price", "exit_price", "profit", "fees", "net_profit",
            "opened_at", "closed_at",
        ),
        "closed_at",
        "closed_at DESC",
    ),
    Listing.CASH_FLOWS: _Shape(
        tables.CASH_FLOW, ("market", "kind", "amount", "currency", "flowed_at"), "flowed_at", "flowed_at DESC"
    ),
    Listing.TRANSFERS: _Shape(
        tables.TRANSFER, ("venue", "transfer_id", "amount", "currency", "moved_at"), "moved_at", "moved_at DESC"
    ),
    Listing.DRAWDOWN_RESETS: _Shape(
        tables.EVENT,
        ("at", "body"),
        "at",
        "at DESC, journal DESC, sequence DESC",
        "listed = 1 AND kind = 'drawdown_reset'",
        "at DESC, rowid DESC",
    ),
    Listing.EQUITY: _Shape(tables.EQUITY, ("venue", "currency", "equity", "marked_at"), "marked_at", "marked_at DESC"),
    Listing.EVENTS: _Shape(
        tables.EVENT,
        ("at", "kind", "market", "severity", "message"),
        "at",
        "at DESC, journal DESC, sequence DESC",
        "listed = 1",
        "at DESC, rowid DESC",
    ),
    Listing.BARS: _Shape(
        tables.BAR,
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
    newest = shape.newest_in_file or shape.newest if mark == SQLITE else shape.newest
    columns, table, order = ", ".join(shape.columns), shape.rows.table, f"ORDER BY {newest}"
    some = f"FROM {table}{where} {order} LIMIT {mark} OFFSET {mark}"
    text = f"SELECT {columns} {some}"
    if page.offset and mark == MYSQL:
        # Far from the newest it would rather sort the table, whole rows of it, than count along an index.
        key = ", ".join(shape.rows.key)
        text = f"SELECT {columns} FROM {table} JOIN (SELECT {key} {some}) AS page USING ({key}) {order}"  # noqa: S608 -- names of ours
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
