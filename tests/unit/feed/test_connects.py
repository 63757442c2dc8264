"""The connect budget of one host."""

import asyncio

import pytest

from kangbot.feed.connects import ConnectBudget
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock


async def take(budget: ConnectBudget, clock: Clock, count: int) -> list[int]:
    """Ask for permits from as many tasks, all at once; return when each was given."""
    given: list[int] = []

    async def one() -> None:
        await budget.permit()
        given.append(clock.now_ns())

    tasks = Tasks("test", lambda _name, error: pytest.fail(repr(error)))
    for number in range(count):
        tasks.spawn(str(number), one())
    assert await tasks.settle(10.0)
    return given


async def test_no_span_holds_more_dials_than_the_budget() -> None:
    """Many streams that ask at once are spread; each span holds at most its share."""
    clock = Clock()
    budget = ConnectBudget(clock, most=1000, burst=2, burst_s=0.05)
    given = await take(budget, clock, 7)
    assert budget.waits == 3
    for start in budget.stamps:
        assert sum(start <= at < start + 50_000_000 for at in budget.stamps) <= 2
    assert len(given) == 7


async def test_connects_of_an_earlier_life_count() -> None:
    """A daemon that restarts in a loop must not dial itself into a ban."""
    clock = Clock()
    first = ConnectBudget(clock, most=2, span_s=0.2)
    await take(first, clock, 2)
    second = ConnectBudget(clock, most=2, span_s=0.2)
    second.restore(first.stamps)
    (given,) = await take(second, clock, 1)
    assert given >= first.stamps[0] + 200_000_000


async def test_a_cancelled_wait_spends_nothing_and_blocks_nobody() -> None:
    """The next in line gets the permit."""
    clock = Clock()
    budget = ConnectBudget(clock, most=1, span_s=0.2)
    await budget.permit()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await budget.permit()
    (given,) = await take(budget, clock, 1)
    assert given >= 200_000_000
    assert len(budget.stamps) == 1
