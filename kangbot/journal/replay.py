"""What the journal remembers, read from its first record to its last.

The fold itself is `machines/memory.py`; what follows from it, for orders that were in flight, is left to `execution/`.
"""

from kangbot.machines.memory import Memory, Recollection
from kangbot.ports import Journal

_PAGE = 2_000  # records a read: a megabyte or two at a time


async def replay(journal: Journal) -> Memory:
    """Return what all records of the journal come to; it is neither changed nor locked. NeedsHuman where it is torn."""
    recollection = Recollection()
    after = 0
    while records := await journal.read(after, _PAGE):
        for record in records:
            recollection.add(record)
        after = records[-1].sequence
    return recollection.memory()
