"""How far the marks of equity have been thinned: `journals` remembers it, so that a restart goes on from there."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; one that a broken run has made is left."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("journals")}
    if "thinned" not in known:  # MySQL has no ADD COLUMN IF NOT EXISTS
        op.add_column("journals", sa.Column("thinned", sa.BigInteger(), nullable=False, server_default="0"))
