"""What `ports.Journal` promises, whoever implements it."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kangbot.model.events import Noted
from kangbot.ports import Journal
from tests.support.records import EVERY, noted

# One journal for all examples of a property: each example goes on where the one before ended.
ONE_JOURNAL = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def test_new_journal_is_empty(journal: Journal) -> None:
    """It has a name and nothing else."""
    assert len(journal.tag) == 8
    assert set(journal.tag) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert journal.last == 0
    assert list(await journal.read(0, 10)) == []
    assert await journal.checkpoint() is None


async def test_resolved_append_is_readable(journal: Journal) -> None:
    """When the awaitable resolves, `last`, `read` and `beyond` all see the record."""
    for number in range(1, 51):
        assert await journal.append(noted(number)) == number
        assert journal.last == number
        assert await journal.beyond(number - 1) == number
        assert [record.event for record in await journal.read(number - 1, 5)] == [noted(number)]


async def test_order_of_calls_is_order_on_disk(journal: Journal) -> None:
    """Many tasks append at once, each without waiting; every task's events stay in its order, all are there once."""

    async def write(task: int) -> None:
        for number in range(50):
            journal.append(noted(number, message=f"{task} first"), noted(number, message=f"{task} second"))
            if number % 7 == task % 7:
                await asyncio.sleep(0)

    await asyncio.gather(*(write(task) for task in range(20)))
    last = await journal.append(noted(0))
    records = await journal.read(0, 10_000)
    assert [record.sequence for record in records] == list(range(1, last + 1))
    assert last == 20 * 50 * 2 + 1
    messages = [record.event.message for record in records if isinstance(record.event, Noted)]
    for task in range(20):
        expected = [f"{task} {part} {number}" for number in range(50) for part in ("first", "second")]
        assert [message for message in messages if message.startswith(f"{task} ")] == expected


async def test_what_can_wait_does_not_wait_for_ever(journal: Journal) -> None:
    """Nobody appends anything else, and it is written all the same."""
    assert await journal.append(noted(1), later=True) == 1
    assert await journal.append(noted(2), noted(3), later=True) == 3
    assert [record.event for record in await journal.read(0, 5)] == [noted(1), noted(2), noted(3)]


async def test_groups_are_neighbours(journal: Journal) -> None:
    """The events of one call stand side by side and resolve to the last one's sequence."""
    first = journal.append(noted(1))
    group = journal.append(*EVERY)
    then = journal.append(noted(2))
    assert (await first, await group, await then) == (1, 1 + len(EVERY), 2 + len(EVERY))
    assert [record.event for record in await journal.read(1, len(EVERY))] == list(EVERY)


async def test_wait_for_growth_ends_with_growth(journal: Journal) -> None:
    """`beyond` sleeps until there is more, for any number of waiters."""
    waiting = [asyncio.create_task(journal.beyond(sequence)) for sequence in (0, 0, 1, 2)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in waiting)
    await journal.append(noted(1), noted(2), noted(3))
    assert [await task for task in waiting] == [3, 3, 3, 3]


async def test_cancelled_caller_is_harmless(journal: Journal) -> None:
    """Cancelling who waits for an append, a read or growth stops neither that write nor anybody else's."""

    async def impatient(number: int) -> None:
        await journal.append(noted(number))
        await journal.read(0, 10)
        await journal.beyond(1 << 60)

    tasks = [asyncio.create_task(impatient(number)) for number in range(100)]
    for turn in range(100):
        await asyncio.sleep(0)
        tasks[turn].cancel()
    assert await journal.append(noted(0)) == journal.last
    records = await journal.read(0, 1000)
    assert len(records) == journal.last >= 100
    assert len({record.sequence for record in records}) == len(records)


@ONE_JOURNAL
@given(after=st.integers(0, 40), limit=st.integers(1, 40))
async def test_read_returns_the_next_in_order(journal: Journal, after: int, limit: int) -> None:
    """Sequences after + 1, after + 2, … up to the limit or the end."""
    while journal.last < 30:
        await journal.append(noted(journal.last + 1))
    sequences = [record.sequence for record in await journal.read(after, limit)]
    assert sequences == list(range(after + 1, min(after + limit, 30) + 1))
