"""Indexes for pages that show the newest first: orders of all markets, fills of one.

Without them the database sorts a whole table for each page, once it has a year of rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the indexes; those that a broken run has made are left."""
    _index("orders", "intended_at")
    _index("fills", "market", "filled_at")


def _index(table: str, *columns: str) -> None:
    name = f"{table}_{'_'.join(columns)}"
    known = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in known:  # MySQL has no CREATE INDEX IF NOT EXISTS
        op.create_index(name, table, list(columns))
