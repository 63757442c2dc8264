"""What the daemon writes down: the journal, the history that is fed from it, and what keeps its file bounded."""

import asyncio
from collections.abc import Callable

import msgspec

from kangbot.errors import NeedsHuman, Retryable, words
from kangbot.health.vitals import Vitals
from kangbot.journal.announce import AnnouncedJournal, Listener
from kangbot.journal.compact import Compactor
from kangbot.journal.drain import Drain
from kangbot.journal.replay import Others
from kangbot.journal.writer import JournalWriter
from kangbot.machines.lives import STOPPED
from kangbot.market.vitals import TURN_S
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.world import World
from kangbot.storage.opening import Readable


class Books:
    """One daemon's. `fresh` makes those who remember by the journal anew.

    `changed` hears why the history is away, and None when it is back.
    `apart` is the same journal for the kill switch: risk learns of it by another way, people by this one.
    """

    def __init__(
        self,
        *,
        writer: JournalWriter,
        history: Readable,
        kind: str,
        world: World,
        batch: int,
        fresh: Callable[[], Others],
        changed: Callable[[Exception | None], None],
    ) -> None:
        self.writer = writer
        self.journal = AnnouncedJournal(writer)
        self.apart = AnnouncedJournal(writer)
        self.history = history
        self.history_kind = kind  # of database: "sqlite" or "mysql"
        self.drain = Drain(
            writer,
            history,
            world,
            mark=writer.mark_drained,
            marked=writer.drained,
            changed=self._history_changed,
            batch=batch,
        )
        self.compactor = Compactor(writer, world.clock, fresh=fresh)
        self._clock = world.clock
        self._changed = changed
        writer.on_hindered(self._hindered)

    @property
    def history_away(self) -> str:
        """Why the history is away, in the words of now: a server that was restarted may be full, or a replica."""
        return self.drain.away

    def watch(self, vitals: Vitals) -> None:
        """Have the writer watched: it must never die."""
        writer = self.writer
        vitals.register("journal", TURN_S, done=lambda: writer.settled, waiting=lambda: writer.waiting)

    def overhear(self, bystander: Listener) -> None:
        """Have `bystander` told of every event, whoever writes it."""
        for journal in (self.journal, self.apart):
            journal.overhear(bystander)

    def note(self, kind: str, severity: Severity, market: MarketId | None, message: str, check: str = "") -> None:
        """Write down what happened, in words; and of which `check` of the health, where it is of one."""
        noted = self._noted(kind, severity, market, message)
        self.journal.append(msgspec.structs.replace(noted, fields={"check": check}) if check else noted)

    async def close(self) -> None:
        """Write the end of the run down, and wait until the history has it too, or is away."""
        await self.journal.append(self._noted(STOPPED, Severity.INFO, None, "stopped in order"))
        while self.drain.backlog and not self.history_away:  # noqa: ASYNC110 -- once, at the end, and bounded
            await asyncio.sleep(0.05)

    def _noted(self, kind: str, severity: Severity, market: MarketId | None, message: str) -> Noted:
        return Noted(kind=kind, severity=severity, market=market, message=message, at_ns=self._clock.now_ns())

    def _hindered(self, why: str) -> None:
        """Tell people. The journal may refuse the very words; they reach whoever listens all the same."""
        if why:
            self.note("journal.full", Severity.ERROR, None, f"the journal {why}")
        else:
            self.note("journal.has_room", Severity.WARNING, None, "the journal takes everything again")

    def _history_changed(self, error: Exception | None) -> None:
        """Tell people: the events of months would wait in the journal otherwise, and nobody would know."""
        if error is None:
            self.note("history.back", Severity.INFO, None, "the database answers again, and gets what waits")
        else:
            said = words(error)
            severity = Severity.WARNING if isinstance(error, Retryable) else Severity.ERROR
            if isinstance(error, NeedsHuman):
                said = f"{said}: {error.remedy}"
            self.note("history.away", severity, None, f"{said}. Trading goes on, events wait in the journal")
        self._changed(error)
