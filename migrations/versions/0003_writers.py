"""Who writes: `journals` says which daemon stored last, and when by the database's own clock.

Two daemons in one database would overwrite each other's positions, so each looks whether another one lives.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; one that a broken run has made is left. Nobody has written until somebody does."""
    _column("place", sa.Text())
    _column("written_at", sa.Text().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"))


def _column(name: str, kind: sa.types.TypeEngine) -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("journals")}
    if name not in known:  # MySQL has no ADD COLUMN IF NOT EXISTS
        op.add_column("journals", sa.Column(name, kind))
