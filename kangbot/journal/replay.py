"""What the journal remembers, read from its first record to its last.

The fold itself is `machines/memory.py`; what follows from it, for orders that were in flight, is left to `execution/`.
"""

from collections.abc import Callable

from kangbot.machines.memory import Memory, Recollection
from kangbot.model.events import Event
from kangbot.ports import Journal

_PAGE = 2_000  # records a read: a megabyte or two at a time


async def replay(journal: Journal, listen: Callable[[Event], None] | None = None) -> Memory:
    """Return what all records of the journal come to; it is neither changed nor locked. NeedsHuman where it is torn.

    `listen` is told of every event, in order: for whoever else remembers by the journal.
    """
    recollection = Recollection()
    after = 0
    while records := await journal.read(after, _PAGE):
        for record in records:
            recollection.add(record)
            if listen is not None:
                listen(record.event)
        after = records[-1].sequence
    return recollection.memory()
