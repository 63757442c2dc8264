"""One empty database a test: makes histories over it, and looks at its rows with a connection of its own."""

import shutil
import sqlite3
from abc import ABC, abstractmethod
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from kangbot.runtime.world import Clock, World
from kangbot.storage.migrate import upgrade_apart
from kangbot.storage.mysql import MysqlHistory
from kangbot.storage.opening import Readable
from kangbot.storage.pool import Pool
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import DatabaseUrl, MysqlUrl, SqliteUrl, parse
from tests.support.mariadb import MariadbServer

WORLD = World(clock=Clock(), seed=b"history")


class Database(ABC):
    """What a test asks of either kind."""

    url: DatabaseUrl

    def __init__(self) -> None:
        self._open: list[Readable] = []

    def history(self, place: str = "", keep_bars: int = 0) -> Readable:
        """Return one more history over the database, closed after the test; `place` is that of its daemon."""
        self._open.append(self._make(place, keep_bars))
        return self._open[-1]

    async def aclose(self) -> None:
        """Close the histories."""
        for history in self._open:
            await history.aclose()

    @abstractmethod
    def _make(self, place: str, keep_bars: int) -> Readable: ...

    @abstractmethod
    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])

    def row(self, columns: str, table: str) -> tuple[Any, ...]:
        """Return the only row of a table; amounts as Decimal, times as datetime, as both databases mean them."""
        rows = self.sql(f"SELECT {columns} FROM {table}")
        assert len(rows) == 1
        return tuple(_meant(value) for value in rows[0])


def _meant(value: object) -> object:
    if isinstance(value, str):
        for read in (Decimal, datetime.fromisoformat):
            try:
                return read(value)
            except (ArithmeticError, ValueError):
                continue
    return value


class Mariadb(Database):
    """A database on the private server."""

    def __init__(self, server: MariadbServer, template: str | None = None) -> None:
        super().__init__()
        self.server = server
        self.name = server.copy(template) if template else server.database()
        url = parse(server.url(self.name))
        assert isinstance(url, MysqlUrl)
        self.url: MysqlUrl = url

    def _make(self, place: str, keep_bars: int) -> Readable:
        pool = Pool(self.url, WORLD.fork("pool").random)
        return MysqlHistory(pool, partial(upgrade_apart, self.url), place, keep_bars)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        return self.server.sql(statement, database=self.name)


class Sqlite(Database):
    """A file."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        super().__init__()
        self.url: SqliteUrl = SqliteUrl(path=folder / "with space" / "history.sqlite")
        if template is not None:
            self.url.path.parent.mkdir()
            shutil.copy(template, self.url.path)

    def _make(self, place: str, keep_bars: int) -> Readable:
        return SqliteHistory(self.url.path, partial(upgrade_apart, self.url), place, keep_bars)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        self.url.path.parent.mkdir(exist_ok=True)
        db = sqlite3.connect(self.url.path, isolation_level=None)
        try:
            return db.execute(statement).fetchall()
        finally:
            db.close()
