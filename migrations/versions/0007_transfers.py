"""Money that was moved into the account and out of it, in a table of its own: a report reads it beside the equity."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"

# As the tables of 0001 are.
AMOUNT = sa.Text().with_variant(sa.Numeric(38, 18), "mysql", "mariadb")
TIME = sa.Text().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
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
    """Make the table and its index; what a broken run has made is left."""
    op.create_table(
        "transfers",
        sa.Column("venue", sa.String(32), primary_key=True),
        sa.Column("transfer_id", sa.String(128), primary_key=True),
        sa.Column("amount", AMOUNT, nullable=False),
        sa.Column("currency", sa.String(32), nullable=False),
        sa.Column("moved_at", TIME, nullable=False),
        sa.Column("journal", sa.String(8), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        **OPTIONS,
    )
    known = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("transfers")}
    if "transfers_moved_at" not in known:  # MySQL has no CREATE INDEX IF NOT EXISTS
        op.create_index("transfers_moved_at", "transfers", ["moved_at"])
