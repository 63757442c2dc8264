"""Whether a database's schema is the one that this kangbot writes. Pure."""

from kangbot.errors import NeedsHuman
from kangbot.storage.tables import REVISION


def judge(current: str | None) -> bool:
    """Return whether the revision is ours; False where it must be migrated first. NeedsHuman where it is newer.

    Revisions are numbered with leading zeros, so they compare as text.
    """
    if current is not None and current > REVISION:
        raise newer(current)
    return current == REVISION


def newer(current: str) -> NeedsHuman:
    """Return the refusal of a schema that a later kangbot has made."""
    return NeedsHuman(
        f"the database's schema has revision {current}; this kangbot knows revisions up to {REVISION}",
        remedy="start the later version of kangbot that made it, or name another database",
    )
