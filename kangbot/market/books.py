"""The daemon's books at its start: the journal, what it remembers, and the ledger of risk that listens to it."""

from dataclasses import dataclass

from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.replay import replay
from kangbot.machines.memory import Memory
from kangbot.ports import Journal
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is known before anything is asked of a venue."""

    journal: AnnouncedJournal  # the journal to write to: the ledger hears of every event
    memory: Memory
    risk: AccountRisk


async def open_books(journal: Journal, limits: Limits) -> Books:
    """Replay the journal into memory and ledger, and have the ledger listen from here on. NeedsHuman: it is torn."""
    risk = AccountRisk(limits)
    memory = await replay(journal, {"risk": risk})
    announced = AnnouncedJournal(journal)
    announced.listen(risk.observe)
    return Books(journal=announced, memory=memory, risk=risk)
