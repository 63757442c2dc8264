"""The simulated journal: what survives a death at each point, and what a full disk takes."""

import asyncio
import random
from collections.abc import Callable, Coroutine

import msgspec
import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.model.events import Event, Noted, Severity
from kangbot.ports import Checkpoint
from kangbot.sim.world.disk import Disk, SimJournal
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.loop import run
from kangbot.sim.world.process import Process, Spot


def noted(text: str) -> Noted:
    """Return an event."""
    return Noted(kind="test", severity=Severity.INFO, market=None, message=text, at_ns=1)


class Story:
    """A disk and one process on it."""

    def __init__(self, seed: int = 1) -> None:
        self.told: list[tuple[int, list[Event]]] = []
        self.faults = Faults(random.Random(seed))
        self.disk = Disk(tag="testtest", faults=self.faults, synced=self._synced)
        self.process = Process(lambda _spot: None)
        self.journal = SimJournal(self.disk, self.process)

    def _synced(self, first: int, rows: object) -> None:
        assert isinstance(rows, list)
        self.told.append((first, [event for event, _ in rows]))


def play(story: Callable[[Story], Coroutine[None, None, None]], seed: int = 1) -> None:
    """Run the story on virtual time."""

    async def main() -> None:
        await story(Story(seed))

    run(main())


def test_what_is_queued_while_a_commit_runs_goes_into_the_next() -> None:
    """One sync for all of it, and every group gets its own sequence."""

    async def story(told: Story) -> None:
        first = told.journal.append(noted("a"))
        await asyncio.sleep(0)  # its commit begins
        second = told.journal.append(noted("b"), noted("c"))
        third = told.journal.append(noted("d"))
        assert [await first, await second, await third] == [1, 3, 4]
        assert [(first_row, len(events)) for first_row, events in told.told] == [(1, 1), (2, 3)]
        records = await told.journal.read(1, 2)
        assert [(record.sequence, record.event) for record in records] == [(2, noted("b")), (3, noted("c"))]

    play(story)


def test_what_is_not_synced_dies_with_the_process() -> None:
    """And whatever its code still appends."""

    async def story(told: Story) -> None:
        told.process.doom(Spot.APPEND, 2)
        await told.journal.append(noted("kept"))
        told.journal.append(noted("lost"))
        told.journal.append(noted("by the dead"))
        await asyncio.sleep(1)
        assert told.disk.last == 1

    play(story)


@pytest.mark.parametrize("spot", [Spot.COMMIT, Spot.COMMITTED])
def test_a_commit_that_death_interrupts_is_whole_or_not_at_all(spot: Spot) -> None:
    """Whether it was durable is a matter of the file system; a part of it is never there."""
    survived: set[int] = set()

    async def story(told: Story) -> None:
        told.process.doom(spot, 1)
        told.journal.append(noted("a"), noted("b"))
        await asyncio.sleep(1)
        survived.add(told.disk.last)

    for seed in range(20):
        play(story, seed)
    assert survived == ({0, 2} if spot is Spot.COMMIT else {2})


def test_a_full_disk_takes_only_what_may_use_the_reserve() -> None:
    """And everything again once there is room."""

    async def story(told: Story) -> None:
        told.faults.begin(Kind.DISK_FULL, 1.0)
        with pytest.raises(NeedsHuman, match="full"):
            await told.journal.append(noted("entry"))
        assert await told.journal.append(noted("exit"), reserve=True) == 1
        told.faults.end(Kind.DISK_FULL)
        assert await told.journal.append(noted("entry")) == 2

    play(story)


def test_whoever_waits_for_more_is_woken_by_the_commit() -> None:
    """The drain sleeps until then."""

    async def story(told: Story) -> None:
        told.journal.append(noted("a"))
        assert await told.journal.beyond(0) == 1
        told.journal.mark_drained(1)
        assert told.disk.drained == 1

    play(story)


def test_a_checkpoint_takes_the_place_of_what_the_history_has() -> None:
    """No process can read those records any more; the sequences go on."""

    async def story(told: Story) -> None:
        await told.journal.append(noted("a"), noted("b"))
        await told.journal.append(noted("c"))
        assert await told.journal.checkpoint() is None
        checkpoint = Checkpoint(sequence=2, states={"memory": msgspec.Raw(b"{}")})
        with pytest.raises(ValueError, match="has 0 records"):
            await told.journal.compact(checkpoint)
        told.journal.mark_drained(2)
        await told.journal.compact(checkpoint)
        kept = await told.journal.checkpoint()
        assert kept is not None
        assert (kept.sequence, told.journal.floor, told.journal.last) == (2, 2, 3)
        assert [record.event for record in await told.journal.read(0, 10)] == [noted("c")]

    play(story)


@pytest.mark.parametrize(("spot", "floor"), [(Spot.COMPACT, 0), (Spot.COMPACTED, 1)])
def test_a_death_leaves_either_the_records_or_the_checkpoint(spot: Spot, floor: int) -> None:
    """They change places in one step; the dead learn nothing of it."""

    async def story(told: Story) -> None:
        await told.journal.append(noted("a"))
        told.journal.mark_drained(1)
        told.process.doom(spot, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await told.journal.compact(Checkpoint(sequence=1, states={}))
        assert told.disk.floor == floor

    play(story)


def test_a_full_disk_takes_no_checkpoint() -> None:
    """Nothing has changed then."""

    async def story(told: Story) -> None:
        await told.journal.append(noted("a"))
        told.journal.mark_drained(1)
        told.faults.begin(Kind.DISK_FULL, 1.0)
        with pytest.raises(Retryable):
            await told.journal.compact(Checkpoint(sequence=1, states={}))
        assert told.disk.floor == 0

    play(story)
