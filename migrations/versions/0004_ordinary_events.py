"""The kind of an event in the indexes of its time, so that the listing of ordinary events reads no row of the others.

A market that trades on for months has few of them, and thousands of orders and fills in between: each was looked up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the new ones, then drop those they begin with; what a broken run has done is left."""
    known = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("events")}
    for columns in (("at",), ("market", "at")):
        narrow, wide = (f"events_{'_'.join(names)}" for names in (columns, (*columns, "kind")))
        if wide not in known:  # MySQL has no CREATE INDEX IF NOT EXISTS
            op.create_index(wide, "events", [*columns, "kind"])
        if narrow in known:
            op.drop_index(narrow, "events")
