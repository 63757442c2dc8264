"""A server's history as one file of rows, for a backup, and back into an empty database.

A gzip of JSON lines: the schema's revision, then each table's name and columns followed by its rows, then how many rows
there were, so that a file that was cut is known. Values are what the server prints: an amount or a time as text, which
it reads back to the last digit.

The dump is one transaction that sees one moment, whatever is written meanwhile. Rows are streamed both ways, so that
memory does not grow with the history.
"""

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.storage.link import Link
from kangbot.storage.mysql import version
from kangbot.storage.schema import judge
from kangbot.storage.tables import NAMES
from kangbot.storage.url import MysqlUrl

_CONNECT_S = 10.0
_STATEMENT_S = 120.0  # the first rows of a large table, or the commit of all of them, on a slow disk
_ROWS = 500  # at a time; far below what a server takes as one statement
_LEVEL = 3  # of gzip: half of the best one's time for a file a tenth larger
_NO_DUMP = "it is no dump of a history"
_SIZE = "SELECT coalesce(sum(data_length), 0) FROM information_schema.tables WHERE table_schema = database()"
_SNAPSHOT = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
)


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is: whether any row, about how many bytes in the server, and how far each journal is stored."""

    rows: bool
    size: int
    stored: Mapping[str, int]


async def dump(url: MysqlUrl, path: Path, *, watch: Callable[[], None] = lambda: None) -> Mapping[str, int] | None:
    """Write the history into `path`, and return how far each journal is stored in it, by its tag.

    None, and no file, where the database has no tables of ours yet. `watch` is called before each piece is written, and
    may raise to end it. Retryable: it is away. NeedsHuman: it refuses us, or its schema is of a later kangbot.
    """
    link = await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)
    try:
        revision = await version(link)
        if revision is None:
            return None
        judge(revision, str(url))  # a later kangbot may have tables that this one would leave out
        for statement in _SNAPSHOT:
            await link.query(statement)
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=_LEVEL) as file:
            file.write(_line({"revision": revision}))
            count = 0
            async for head, rows in _tables(link):
                watch()
                file.write(_line(head) if head else "".join(map(_line, rows)))
                count += len(rows)
            file.write(_line({"rows": count}))
        return await _marks(link)  # the same moment's
    finally:
        await link.aclose()


async def extent(url: MysqlUrl) -> Extent:
    """Return how much the database has of ours. The same errors as `dump`."""
    link = await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)
    try:
        if await _empty(link):
            return Extent(rows=False, size=0, stored={})
        ((size,),) = await link.query(_SIZE)
        return Extent(rows=True, size=int(size), stored=await _marks(link))
    finally:
        await link.aclose()


async def _marks(link: Link) -> dict[str, int]:
    if "journals" not in await _there(link):  # somebody dropped it: what is left can be copied all the same
        return {}
    return {str(tag): int(sequence) for tag, sequence in await link.query("SELECT tag, `stored` FROM journals")}


async def _there(link: Link) -> set[str]:
    return {str(name) for (name,) in await link.query("SHOW TABLES")}


async def _tables(link: Link) -> AsyncIterator[tuple[dict[str, Any], list[tuple[Any, ...]]]]:
    """Yield a head without rows for each table, then its rows without a head."""
    there = await _there(link)
    for table in (one for one in NAMES if one in there):
        columns = [str(row[0]) for row in await link.query(f"SHOW COLUMNS FROM `{table}`")]
        yield {"table": table, "columns": columns}, []
        async for rows in link.stream(f"SELECT {_names(columns)} FROM `{table}`", size=_ROWS):  # noqa: S608 -- our own
            yield {}, rows


def revision_of(path: Path) -> str:
    """Return the schema's revision in the file. NeedsHuman where a later kangbot wrote it; ValueError for no dump."""
    revision = _begun(_lines(path))
    judge(revision, str(path))
    return revision


def marks(path: Path) -> dict[str, int]:
    """Return how far each journal is stored in the file, by its tag. ValueError for no dump.

    They are in its first table, so no more than that is read; where somebody had dropped that one there are none.
    """
    lines = _lines(path)
    _begun(lines)
    match next(lines, None):
        case {"table": "journals", "columns": [*columns]} if {"tag", "stored"} <= set(columns):
            rows = (dict(zip(columns, row, strict=True)) for row in takewhile(_is_row, lines))
            return {str(row["tag"]): int(row["stored"]) for row in rows}
        case {"table": str(table)} if table != "journals":
            return {}
        case {"rows": int()}:
            return {}
        case _:
            raise ValueError(_NO_DUMP)


def _begun(lines: Iterator[Any]) -> str:
    """Return the revision, from the first line. ValueError where it is no dump's."""
    match next(lines, None):
        case {"revision": str(revision)}:
            return revision
        case _:
            raise ValueError(_NO_DUMP)


def _is_row(line: object) -> bool:
    return isinstance(line, list)


async def empty(url: MysqlUrl) -> bool:
    """Return whether none of our tables has a row. The same errors as `dump`."""
    link = await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)
    try:
        return await _empty(link)
    finally:
        await link.aclose()


async def _empty(link: Link) -> bool:
    there = await _there(link)
    for table in NAMES:
        if table in there and await link.query(f"SELECT 1 FROM `{table}` LIMIT 1"):  # noqa: S608 -- our own name
            return False
    return True


async def fill(url: MysqlUrl, path: Path) -> int:
    """Put every row of the file into the tables, which are of its revision and empty; return how many there were.

    One transaction: all or none. NeedsHuman where a table has a row; ValueError where the file is cut or no dump.
    """
    link = await Link.open(url, connect_s=_CONNECT_S, statement_s=_STATEMENT_S)
    try:
        await link.query("START TRANSACTION")
        if not await _empty(link):
            raise NeedsHuman(f"{url} has a history already", remedy="name an empty database; nothing is overwritten")
        count, insert, width, rows = 0, "", 0, list[list[Any]]()
        for line in _lines(path):
            if isinstance(line, list):
                if len(line) != width:
                    raise ValueError(f"a row has {len(line)} values, and its table {width} columns")
                rows.append(line)
                count += 1
                if len(rows) < _ROWS:
                    continue
            await _insert(link, insert, rows)
            rows = []
            if isinstance(line, dict) and "table" in line:
                insert, width = _insertion(line), len(line["columns"])
            elif isinstance(line, dict) and "rows" in line:
                if line["rows"] != count:
                    break
                await link.query("COMMIT")
                return count
        raise ValueError("the history in it is cut")
    finally:
        await link.aclose()  # without a commit nothing has happened


async def _insert(link: Link, insert: str, rows: list[list[Any]]) -> None:
    if not rows:
        return
    places = f"({', '.join(['%s'] * len(rows[0]))})"
    await link.query(f"{insert} {', '.join([places] * len(rows))}", [value for row in rows for value in row])


def _insertion(head: Mapping[str, Any]) -> str:
    """Return the beginning of a statement. ValueError where the table is none of ours, or has no columns."""
    table = head["table"]
    match head:
        case {"columns": [_, *_] as columns} if table in NAMES and all(map(_is_name, columns)):
            return f"INSERT INTO `{table}` ({_names(columns)}) VALUES"
        case {"columns": [_, *_]}:
            raise ValueError(f"it has a table {table!r}, which is none of kangbot's")
        case _:
            raise ValueError(f"it has a table {table!r} without columns")


def _is_name(column: object) -> bool:
    return isinstance(column, str) and column.isidentifier()


def _names(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError("the history in it is cut, or damaged") from error


def _line(value: object) -> str:
    return json.dumps(value, default=_printed, ensure_ascii=False, separators=(",", ":")) + "\n"


def _printed(value: object) -> str:
    """Return an amount or a time as the server writes and reads it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    raise TypeError(f"a history has no {type(value).__name__}")
