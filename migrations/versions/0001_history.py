"""The history a trader queries: orders, fills, round trips, positions, run states, bars, cash, equity, events.

MariaDB commits each statement that changes the schema, so every one here may be run again after a crash half-way.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

# Exact amounts: SQLite has no decimals, its NUMERIC is a float; text keeps every digit.
AMOUNT = sa.Text().with_variant(sa.Numeric(38, 18), "mysql", "mariadb")
TIME = sa.Text().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
BODY = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
NAME = sa.String(128)
WORD = sa.String(32)
WORDS = sa.Text()

# Ids differ by case at some venues, so names compare byte by byte.
OPTIONS = {
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    """Make the tables and their indexes."""
    _table("journals", sa.Column("tag", sa.String(8), primary_key=True), _big("stored"))
    _orders()
    _executions()
    _positions()
    _markets()
    _events()


def _orders() -> None:
    # What the intent says is empty where a change is known without it.
    _table(
        "orders",
        sa.Column("client_id", WORD, primary_key=True),
        sa.Column("market", NAME, nullable=False),
        _big("number", nullable=True),
        sa.Column("purpose", WORD),
        sa.Column("side", WORD),
        sa.Column("kind", WORD),
        sa.Column("quantity", AMOUNT),
        sa.Column("price", AMOUNT),
        sa.Column("time_in_force", WORD),
        sa.Column("reduce_only", sa.SmallInteger()),
        sa.Column("stop", AMOUNT),
        sa.Column("reference", AMOUNT),
        sa.Column("reason", WORDS),
        sa.Column("intended_at", TIME),
        sa.Column("deadline_at", TIME),
        sa.Column("status", WORD, nullable=False, server_default="intent"),
        sa.Column("evidence", WORD, nullable=False, server_default="none"),
        sa.Column("filled", AMOUNT, nullable=False, server_default=sa.text("'0'")),
        sa.Column("average", AMOUNT),
        sa.Column("venue_order_id", NAME),
        sa.Column("code", NAME),
        sa.Column("message", WORDS),
        sa.Column("changed_at", TIME),
        *_record(),
    )
    _index("orders", "market", "intended_at")
    _index("orders", "status")


def _executions() -> None:
    _table(
        "fills",
        sa.Column("market", NAME, primary_key=True),
        sa.Column("execution_id", NAME, primary_key=True),
        sa.Column("client_id", WORD),
        sa.Column("venue_order_id", NAME, nullable=False),
        sa.Column("side", WORD, nullable=False),
        sa.Column("price", AMOUNT, nullable=False),
        sa.Column("quantity", AMOUNT, nullable=False),
        sa.Column("fee", AMOUNT, nullable=False),
        sa.Column("fee_currency", WORD, nullable=False),
        sa.Column("maker", sa.SmallInteger(), nullable=False),
        sa.Column("cause", WORD, nullable=False),
        sa.Column("net_after", AMOUNT, nullable=False),
        sa.Column("filled_at", TIME, nullable=False),
        *_record(),
    )
    _index("fills", "filled_at")
    _index("fills", "client_id")
    _table(
        "cash_flows",
        sa.Column("market", NAME, primary_key=True),
        sa.Column("execution_id", NAME, primary_key=True),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("amount", AMOUNT, nullable=False),
        sa.Column("currency", WORD, nullable=False),
        sa.Column("flowed_at", TIME, nullable=False),
        *_record(),
    )
    _index("cash_flows", "flowed_at")


def _positions() -> None:
    _table(
        "positions",
        sa.Column("market", NAME, primary_key=True),
        sa.Column("net", AMOUNT, nullable=False, server_default=sa.text("'0'")),
        sa.Column("entry_price", AMOUNT),
        sa.Column("changed_at", TIME),
        sa.Column("stop", AMOUNT),
        sa.Column("stop_set_at", TIME),
        *_record(),
    )
    _table(
        "round_trips",
        *_record(primary_key=True),
        sa.Column("market", NAME, nullable=False),
        sa.Column("strategy", NAME, nullable=False),
        sa.Column("side", WORD, nullable=False),
        sa.Column("quantity", AMOUNT, nullable=False),
        sa.Column("entry_price", AMOUNT, nullable=False),
        sa.Column("exit_price", AMOUNT, nullable=False),
        sa.Column("profit", AMOUNT, nullable=False),
        sa.Column("fees", AMOUNT, nullable=False),
        sa.Column("net_profit", AMOUNT, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
    )
    _index("round_trips", "market", "closed_at")
    _index("round_trips", "closed_at")
    _table(
        "equity",
        *_record(primary_key=True),
        sa.Column("venue", NAME, nullable=False),
        sa.Column("currency", WORD, nullable=False),
        sa.Column("equity", AMOUNT, nullable=False),
        sa.Column("marked_at", TIME, nullable=False),
    )
    _index("equity", "marked_at")


def _markets() -> None:
    _table(
        "run_states",
        *_record(primary_key=True),
        sa.Column("market", NAME, nullable=False),
        sa.Column("previous", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    _index("run_states", "market", "changed_at")
    _table(
        "bars",
        sa.Column("market", NAME, primary_key=True),
        sa.Column("timeframe_s", sa.Integer(), primary_key=True),
        sa.Column("opened_at", TIME, primary_key=True),
        sa.Column("open", AMOUNT, nullable=False),
        sa.Column("high", AMOUNT, nullable=False),
        sa.Column("low", AMOUNT, nullable=False),
        sa.Column("close", AMOUNT, nullable=False),
        sa.Column("volume", AMOUNT, nullable=False),
        *_record(),
    )


def _events() -> None:
    _table(
        "events",
        *_record(primary_key=True),
        sa.Column("at", TIME, nullable=False),
        _big("at_ns"),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("market", NAME),
        sa.Column("severity", WORD),
        sa.Column("message", WORDS),
        sa.Column("body", BODY, nullable=False),
    )
    _index("events", "at")
    _index("events", "market", "at")
    _index("events", "kind", "at")


def _table(name: str, *columns: sa.Column) -> None:
    op.create_table(name, *columns, **OPTIONS)


def _index(table: str, *columns: str) -> None:
    name = f"{table}_{'_'.join(columns)}"
    known = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in known:  # MySQL has no CREATE INDEX IF NOT EXISTS
        op.create_index(name, table, list(columns))


def _record(*, primary_key: bool = False) -> tuple[sa.Column, sa.Column]:
    """Return the event id of the record that wrote the row last."""
    return (
        sa.Column("journal", sa.String(8), nullable=False, primary_key=primary_key),
        sa.Column("sequence", sa.BigInteger(), nullable=False, primary_key=primary_key, autoincrement=False),
    )


def _big(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)
