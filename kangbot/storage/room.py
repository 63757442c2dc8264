"""Room on the disk, which is asked for before a history is copied, changed or put back.

A disk that is full stops every entry, for the journal is mostly on the same one: so what does not fit is not begun, and
the refusal says how much there is and how much it takes.
"""

import shutil
from pathlib import Path

SPARE = 256 << 20
"""Bytes that a copy of the history leaves free: the journal is on the same disk, and must go on."""

_MB = 1_000_000
_FULL = ("No space left on device", "Disk quota exceeded")  # ENOSPC, EDQUOT


def lacking(folder: Path, need: int) -> str:
    """Return in words that the folder's disk has fewer than `need` bytes; "" where it has them."""
    free = shutil.disk_usage(folder).free
    return "" if free >= need else f"{folder} has {free // _MB:,} MB free, and {need // _MB:,} MB are asked for"


def changed(size: int) -> int:
    """Return how many bytes are asked for before the schema of a file of this size changes.

    It is one transaction, whose log may have every page, and indexes are sorted beside it: a file of events alone took
    1.3 times its size, one of five years of 27 markets 0.6 times. As much again is left free, of a large history what
    a copy leaves.
    """
    need = size + size // 3
    return need + min(SPARE, need)


def full(said: str) -> bool:
    """Return whether a database server says that its disk is full, whatever it was about and by which of its codes."""
    return any(words in said for words in _FULL)
