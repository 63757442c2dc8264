"""What the daemon's own history says when it has stopped: the database a user would query."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from kangbot.model.orders import OrderStatus


def orders_in(state: Path) -> dict[OrderStatus, int]:
    """Return the orders of the history by status."""
    with closing(_open(state)) as database:
        rows = database.execute("SELECT status, COUNT(*) FROM orders GROUP BY status")
        return {OrderStatus(status): count for status, count in rows}


def positions_in(state: Path) -> dict[str, Decimal]:
    """Return the open positions of the history by market."""
    with closing(_open(state)) as database:
        rows = database.execute("SELECT market, net FROM positions")
        return {market: Decimal(net) for market, net in rows if Decimal(net)}


def _open(state: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{state / 'history.sqlite'}?mode=ro", uri=True)
