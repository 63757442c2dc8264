"""Which events the listing of events shows, and an index of those alone; the indexes that made up for it go.

MariaDB sorted all that a daemon had ever noted for each page, once that was some ten thousand; read along the time of
all events, it found the few between thousands of orders and fills. An index by kind served nothing else, and each takes
a fifteenth of the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

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


def upgrade() -> None:
    """Add the column and the new indexes, then drop the old ones; what a broken run has done is left."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("events")}
    if "listed" not in known:  # MySQL has no ADD COLUMN IF NOT EXISTS
        op.add_column("events", sa.Column("listed", sa.SmallInteger()))
    events = sa.table("events", sa.column("listed"), sa.column("kind"))
    op.execute(events.update().where(events.c.kind.notin_(_TOLD_ELSEWHERE)).values(listed=1))
    indexes = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("events")}
    if "events_listed_at" not in indexes:  # nor CREATE INDEX IF NOT EXISTS
        op.create_index("events_listed_at", "events", ["listed", "at"], sqlite_where=sa.text("listed = 1"))
    if "events_market_listed_at" not in indexes:
        op.create_index("events_market_listed_at", "events", ["market", "listed", "at"])
    for name in ("events_at_kind", "events_market_at_kind", "events_kind_at"):
        if name in indexes:
            op.drop_index(name, "events")
