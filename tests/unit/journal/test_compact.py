"""Records that nobody needs any more become a checkpoint, and nothing else changes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kangbot.errors import NeedsHuman, Retryable
from kangbot.journal.compact import Compactor
from kangbot.journal.replay import Others, replay
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.model.events import Event
from kangbot.model.ids import VenueName
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.tasks import close_task
from kangbot.runtime.world import Clock, World
from kangbot.sim.paper.ledger import Ledger
from tests.support.journal_story import lives
from tests.support.records import NOON_NS, noted

WORLD = World(clock=Clock(anchor_ns=NOON_NS), seed=b"compact")
HOUR_NS = 3600 * 1_000_000_000


def others() -> Others:
    """Those who remember by the journal, before they have heard of anything."""
    return {"risk": AccountRisk(Limits()), "ledger": Ledger(VenueName("bybit"), "USDT")}


def compactor(journal: JournalWriter, *, keep_s: float = 0, most: int = 1_000, step: int = 1_000) -> Compactor:
    """One that takes the first record too, and does not wait."""
    return Compactor(
        journal, WORLD.clock, fresh=others, beat_s=0.01, keep_s=keep_s, most=most, least=1, step=step, pause_s=0
    )


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[JournalWriter]:
    """A new journal."""
    async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=0) as one:
        yield one


async def remembered(journal: JournalWriter) -> object:
    """Return all that a replay comes to."""
    known = others()
    memory = await replay(journal, known)
    return memory, {name: other.checkpoint() for name, other in known.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=lives(60), drained=st.floats(0, 1), keep_h=st.integers(0, 80), step=st.integers(1, 40))
async def test_a_replay_of_the_compacted_journal_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, events: Sequence[Event], drained: float, keep_h: int, step: int
) -> None:
    """Memory, the ledger of risk and the simulated account; at once, and after opening the file again."""
    folder = tmp_path_factory.mktemp("journal")
    async with await JournalWriter.open(folder, WORLD, reserve_bytes=0) as journal:
        for event in events:
            await journal.append(event)
        journal.mark_drained(round(drained * len(events)))
        whole = await remembered(journal)
        clock = Clock(monotonic_ns=lambda: 0, anchor_ns=events[-1].at_ns if events else 0)
        small = Compactor(journal, clock, fresh=others, keep_s=keep_h * 3600, least=1, step=step)
        for _ in range(3):
            await small.compact()
        assert journal.floor <= journal.drained
        assert await remembered(journal) == whole
        last = journal.last
    async with await JournalWriter.open(folder, WORLD, reserve_bytes=0) as journal:
        assert journal.last == last == len(events)
        assert await remembered(journal) == whole
        assert await journal.append(noted(1)) == last + 1


async def test_only_what_the_history_has_is_removed(journal: JournalWriter) -> None:
    """And of that what is old, unless too much is left."""
    hours = [noted(number, at_ns=NOON_NS + (number - 20) * HOUR_NS) for number in range(20)]
    await journal.append(*hours)
    small = compactor(journal, keep_s=10.5 * 3600)
    assert await small.compact() == 0
    journal.mark_drained(5)
    assert await small.compact() == 5
    assert [record.sequence for record in await journal.read(5, 100)] == list(range(6, 21))
    journal.mark_drained(20)
    assert await small.compact() == 5  # the others are younger
    assert await compactor(journal, keep_s=10.5 * 3600, most=3).compact() == 7
    assert (journal.floor, journal.last) == (17, 20)


async def test_little_is_left_alone(journal: JournalWriter) -> None:
    """A checkpoint costs more than a few records."""
    await journal.append(*(noted(number) for number in range(9)))
    journal.mark_drained(9)
    assert await Compactor(journal, WORLD.clock, fresh=others, keep_s=0, least=10).compact() == 0
    assert await Compactor(journal, WORLD.clock, fresh=others, keep_s=3600, least=5).compact() == 0
    assert journal.floor == 0


async def test_nothing_is_folded_while_few_records_are_old_enough(journal: JournalWriter) -> None:
    """That is so on most beats, and the checkpoint of a thousand markets would hold up the loop."""
    await journal.append(*(noted(number, at_ns=1) for number in range(5)), *(noted(number) for number in range(5)))
    journal.mark_drained(10)
    made: list[Others] = []

    def fresh() -> Others:
        made.append(others())
        return made[-1]

    small = Compactor(journal, WORLD.clock, fresh=fresh, keep_s=3600, least=3, step=3)
    assert (await small.compact(), len(made)) == (3, 1)
    assert (await small.compact(), len(made)) == (0, 1)  # two are old
    assert journal.floor == 3


async def test_a_young_record_keeps_the_old_ones_behind_it(journal: JournalWriter) -> None:
    """Written before the clock was put back; what is removed has no gap in it."""
    await journal.append(noted(0, at_ns=1), noted(1), *(noted(number, at_ns=1) for number in range(2, 6)))
    journal.mark_drained(6)
    assert await Compactor(journal, WORLD.clock, fresh=others, keep_s=3600, least=3).compact() == 0
    assert journal.floor == 0


async def test_it_goes_on_by_steps_until_nothing_is_left_to_remove(journal: JournalWriter) -> None:
    """On each beat; new records are taken on a later one."""
    await journal.append(*(noted(number, at_ns=1) for number in range(25)))
    journal.mark_drained(25)
    small = compactor(journal, step=10)
    task = asyncio.create_task(small.run())
    async with asyncio.timeout(120):
        while journal.floor < 25:
            await asyncio.sleep(0.005)
        await journal.append(noted(1, at_ns=1))
        journal.mark_drained(26)
        while journal.floor < 26:
            await asyncio.sleep(0.005)
    await close_task(task)
    assert await journal.append(noted(2)) == 27


async def test_a_disk_that_does_not_take_it_changes_nothing(
    journal: JournalWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again on the next beat."""
    await journal.append(*(noted(number, at_ns=1) for number in range(5)))
    journal.mark_drained(5)
    before = await remembered(journal)
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    await journal._thread.run(lambda: journal._file._db.execute("PRAGMA busy_timeout = 1"))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retryable, match="cannot be compacted"):
        await compactor(journal).compact()
    small = compactor(journal)
    step, begun = small.compact, 0

    async def counted() -> int:
        nonlocal begun
        begun += 1
        return await step()

    monkeypatch.setattr(small, "compact", counted)
    task = asyncio.create_task(small.run())
    async with asyncio.timeout(120):
        while begun < 2:  # the second begins after the first was refused
            await asyncio.sleep(0.005)
    assert journal.floor == 0
    assert await remembered(journal) == before
    holder.execute("ROLLBACK")
    async with asyncio.timeout(120):
        while journal.floor < 5:
            await asyncio.sleep(0.005)
    holder.close()
    await close_task(task)
    assert await remembered(journal) == before


async def test_who_is_younger_than_the_checkpoint_begins_after_it(journal: JournalWriter) -> None:
    """A later kangbot has more that remember; they hear what is left."""
    await journal.append(*(noted(number, at_ns=1) for number in range(5)))
    journal.mark_drained(5)
    await compactor(journal).compact()
    risk = AccountRisk(Limits())
    memory = await replay(journal, {"newcomer": risk})
    assert memory.last_sequence == 5
    assert risk.checkpoint() == AccountRisk(Limits()).checkpoint()


@pytest.mark.parametrize("states", ['{"memory": 3}', '{"memory": {}, "risk": {}}', "{}"])
async def test_a_checkpoint_that_means_nothing_calls_a_human(
    journal: JournalWriter, tmp_path: Path, states: str
) -> None:
    """Rather than to begin with half a memory."""
    await journal.append(noted(1))
    db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    db.execute("INSERT INTO checkpoint VALUES (1, 0, ?)", (f'{{"version": 1, "states": {states}}}',))
    db.close()
    with pytest.raises(NeedsHuman, match="checkpoint at 0 cannot be understood"):
        await replay(journal, others())
