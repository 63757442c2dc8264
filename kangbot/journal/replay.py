"""What the journal remembers, read from its checkpoint and the records after it.

The fold itself is `machines/memory.py`; what follows from it, for orders that were in flight, is left to `execution/`.
Others remember by the journal too (the ledger of risk, a simulated account): they hear every event, and since old
records are removed, each can say what it has come to and go on from there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.machines import memory_text
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.events import Event, Record
from kangbot.ports import Checkpoint, Journal

_PAGE = 2_000  # records a read at a start: a megabyte or two at a time
_MEMORY = "memory"


class Remembers(Protocol):
    """Whoever remembers by the journal. `resume(checkpoint())` of another one makes both the same."""

    def observe(self, event: Event) -> None:
        """Take the next event."""

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""

    def resume(self, state: bytes) -> None:
        """Go on from there. msgspec.DecodeError where it cannot be understood."""


Others = Mapping[str, Remembers]  # by a name that is for ever: it stands on our users' disks
_NOBODY: Others = MappingProxyType({})


async def replay(
    journal: Journal,
    others: Others = _NOBODY,
    *,
    until: Callable[[Record], bool] = lambda _record: False,
    page: int = _PAGE,
    come_to: Callable[[int], None] = lambda _sequence: None,
) -> Memory:
    """Return what all records of the journal come to; it is neither changed nor locked. NeedsHuman where it is torn.

    `others` hear every event in order; they must be new. Ends before the first record that `until` holds for. `page`
    records are read at a time, and folded in one turn of the loop; `come_to` is told the last one's sequence.
    """
    kept = await journal.checkpoint()
    recollection = Recollection() if kept is None else Recollection(resumed(kept, others))
    after = 0 if kept is None else kept.sequence
    while records := await journal.read(after, page):
        for record in records:
            if until(record):
                return recollection.memory()
            recollection.add(record)
            for other in others.values():
                other.observe(record.event)
        after = records[-1].sequence
        come_to(after)
    return recollection.memory()


def checkpoint_of(memory: Memory, others: Others) -> Checkpoint:
    """Return what stands for every record that the memory and the others have heard of."""
    states = {name: msgspec.Raw(other.checkpoint()) for name, other in others.items()}
    return Checkpoint(
        sequence=memory.last_sequence, states={_MEMORY: msgspec.Raw(memory_text.encode(memory)), **states}
    )


def resumed(kept: Checkpoint, others: Others) -> Memory:
    """Return the memory of the checkpoint, from which the others go on too. NeedsHuman where it is torn."""
    try:
        for name, other in others.items():
            if name in kept.states:  # else it is younger than the checkpoint, and begins with the records after it
                other.resume(bytes(kept.states[name]))
        return memory_text.decode(bytes(kept.states[_MEMORY]))
    except (msgspec.DecodeError, KeyError) as error:
        raise NeedsHuman(
            f"the journal's checkpoint at {kept.sequence} cannot be understood: {error}",
            remedy="start the version of kangbot that wrote it, or restore the journal from a backup",
        ) from error
