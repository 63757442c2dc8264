"""A journal that tells what is written: whoever keeps count of events (risk, the log) hears each of them once.

Listeners hear an event when it is queued, in the order of the journal, and may not wait. What they hear may still be
refused by the disk; a listener that must not count such an event looks at the journal instead.
"""

from collections.abc import Awaitable, Callable, Sequence

from kangbot.model.events import Event, Record
from kangbot.ports import Checkpoint, Journal


class AnnouncedJournal:
    """Implements `ports.Journal` over another journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have `listener` told of every event from now on."""
        self._listeners.append(listener)

    @property
    def tag(self) -> str:
        """The journal's name."""
        return self._journal.tag

    @property
    def last(self) -> int:
        """The sequence of the newest record on disk."""
        return self._journal.last

    def append(self, *events: Event, reserve: bool = False, later: bool = False) -> Awaitable[int]:
        """Queue the events, and tell of them."""
        written = self._journal.append(*events, reserve=reserve, later=later)
        for event in events:
            for listener in self._listeners:
                listener(event)
        return written

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return records of the journal below."""
        return await self._journal.read(after, limit)

    async def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint of the journal below."""
        return await self._journal.checkpoint()

    async def beyond(self, sequence: int) -> int:
        """Wait for the journal below."""
        return await self._journal.beyond(sequence)
