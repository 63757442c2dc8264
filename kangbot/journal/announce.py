"""A journal that tells what is written: whoever keeps count of events (risk, the log) hears each of them once.

Listeners hear an event when it is queued, in the order of the journal, and may not wait. What they hear may still be
refused by the disk; a listener that must not count such an event looks at the journal instead. One that is written
again after that is not told again.

A listener is part of what is decided (risk): where it raises, so does whoever appends. Bystanders are not: what they do
with an event is nobody else's trouble.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from kangbot.errors import named
from kangbot.model.events import Event, Record
from kangbot.ports import Checkpoint, Journal

log = structlog.get_logger(__name__)

Listener = Callable[[Event], None]


class AnnouncedJournal:
    """Implements `ports.Journal` over another journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []
        self._bystanders: dict[Listener, str] = {}  # with the fault that was told of last

    def listen(self, listener: Listener) -> None:
        """Have `listener` told of every event from now on."""
        self._listeners.append(listener)

    def overhear(self, bystander: Listener) -> None:
        """Have `bystander` told after the listeners; where it raises, that is told of once and changes nothing."""
        self._bystanders[bystander] = ""

    @property
    def tag(self) -> str:
        """The journal's name."""
        return self._journal.tag

    @property
    def last(self) -> int:
        """The sequence of the newest record on disk."""
        return self._journal.last

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        """Queue the events, and tell of them, unless that was done when they were given first."""
        written = self._journal.append(*events, reserve=reserve, later=later, again=again)
        for event in () if again else events:
            for listener in self._listeners:
                listener(event)
            for bystander in self._bystanders:
                try:
                    bystander(event)
                except Exception as error:  # noqa: BLE001 -- whatever it was: trading does not need it
                    self._fell(bystander, event, error)
        return written

    def _fell(self, bystander: Listener, event: Event, error: Exception) -> None:
        words = named(error)
        if self._bystanders[bystander] != words:
            self._bystanders[bystander] = words
            log.error(
                "journal.bystander_fault", who=bystander.__qualname__, event_type=type(event).__name__, exc_info=error
            )

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return records of the journal below."""
        return await self._journal.read(after, limit)

    async def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint of the journal below."""
        return await self._journal.checkpoint()

    async def beyond(self, sequence: int) -> int:
        """Wait for the journal below."""
        return await self._journal.beyond(sequence)
