"""The connect budget of one host: its waits on virtual time, what outlives it on a real disk."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.feed.connects import ConnectBudget
from kangbot.feed.kept import Counted, Kept
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop


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


def virtual() -> Clock:
    """Return the clock of the running virtual loop."""
    here = loop()
    return Clock(monotonic_ns=lambda: here.now_ns)


def test_no_span_holds_more_dials_than_the_budget() -> None:
    """Many streams that ask at once are spread; each span holds at most its share."""

    async def main() -> None:
        clock = virtual()
        budget = ConnectBudget(clock, most=1000, burst=2, burst_s=0.05)
        given = await take(budget, clock, 7)
        assert budget.waits == 3
        for start in budget.stamps:
            assert sum(start <= at < start + 50_000_000 for at in budget.stamps) <= 2
        assert len(given) == 7

    run(main())


async def test_connects_of_an_earlier_life_count(tmp_path: Path) -> None:
    """A daemon that is killed and restarts in a loop must not dial itself into a ban."""
    clock = Clock()
    async with Kept(tmp_path / "connects.json") as kept:
        first = ConnectBudget(clock, most=2, span_s=3.0, kept=kept)
        await first.restore()
        await take(first, clock, 2)
    async with Kept(tmp_path / "connects.json") as kept:
        second = ConnectBudget(clock, most=2, span_s=3.0, kept=kept)
        await second.restore()
        assert second.stamps == first.stamps
        (given,) = await take(second, clock, 1)
    assert given >= first.stamps[0] + 3_000_000_000


async def test_a_host_that_asked_to_be_left_alone_is_left_alone_by_the_next_life_too(tmp_path: Path) -> None:
    """Whoever waits already waits longer, and a restart forgets nothing."""
    clock = Clock()
    asked_ns = clock.now_ns()
    async with Kept(tmp_path / "connects.json") as kept:
        first = ConnectBudget(clock, kept=kept)
        first.pause(400_000_000)
        await first.keep()
    async with Kept(tmp_path / "connects.json") as kept:
        second = ConnectBudget(clock, kept=kept)
        await second.restore()
        (given,) = await take(second, clock, 1)
    assert given >= asked_ns + 400_000_000


async def test_a_clock_that_was_set_back_leaves_no_host_alone_for_longer_than_it_asked(tmp_path: Path) -> None:
    """Or no market would have prices for hours; and a further life goes on from there."""
    right = Clock()
    async with Kept(tmp_path / "connects.json") as kept:
        first = ConnectBudget(right.shifted(3 * 3600 * 1_000_000_000), kept=kept)
        first.pause(400_000_000)
        first.pause(1_000_000)
        await first.keep()
    began_ns = right.now_ns()
    async with Kept(tmp_path / "connects.json") as kept:
        second = ConnectBudget(right, kept=kept)
        await second.restore()
        await second.keep()
    async with Kept(tmp_path / "connects.json") as kept:
        third = ConnectBudget(right, kept=kept)
        await third.restore()
        (given,) = await take(third, right, 1)
    assert given >= began_ns + 400_000_000


async def test_a_file_that_speaks_of_weeks_is_not_believed(tmp_path: Path) -> None:
    """No host bans for longer than three days: a bit that fell over must not leave every market deaf for a year."""
    clock, hour_ns = Clock(), 3600 * 1_000_000_000
    now_ns = clock.now_ns()
    async with Kept(tmp_path / "connects.json") as kept:
        await kept.write(Counted(until_ns=now_ns + 9000 * hour_ns, asked_ns=now_ns))
        budget = ConnectBudget(clock, kept=kept)
        await budget.restore()
        await budget.keep()
        counted = await kept.read()
        assert 71 < (counted.until_ns - now_ns) / hour_ns < 73
        assert counted.asked_ns == now_ns


@pytest.mark.parametrize("left", [b"", b"{", b"\xff\xfe", b'{"stamps": "many"}'])
async def test_a_file_that_cannot_be_understood_counts_nothing(tmp_path: Path, left: bytes) -> None:
    """It is told, and the daemon dials."""
    (tmp_path / "connects.json").write_bytes(left)
    with capture_logs() as logged:
        async with Kept(tmp_path / "connects.json") as kept:
            budget = ConnectBudget(Clock(), kept=kept)
            await budget.restore()
            await budget.permit()
            assert (await kept.read()).stamps == budget.stamps
    assert [entry["event"] for entry in logged] == ["feed.connects_unread"]


async def test_a_disk_that_takes_nothing_keeps_nobody_from_dialling(tmp_path: Path) -> None:
    """It is told once."""
    with capture_logs() as logged:
        async with Kept(tmp_path / "nowhere" / "connects.json") as kept:
            budget = ConnectBudget(Clock(), kept=kept)
            await budget.restore()
            for _ in range(3):
                await budget.permit()
    assert [entry["event"] for entry in logged] == ["feed.connects_unwritten"]


def test_whoever_waits_already_waits_longer_where_the_host_asks_to_be_left_alone() -> None:
    """A dial into a ban makes it longer."""

    async def main() -> None:
        clock = virtual()
        budget = ConnectBudget(clock, most=1, span_s=1.0)
        await budget.permit()
        asked_ns = clock.now_ns() + 500_000_000
        asyncio.get_running_loop().call_later(0.5, budget.pause, 5_000_000_000)
        (given,) = await take(budget, clock, 1)
        assert given >= asked_ns + 5_000_000_000

    run(main())


def test_a_cancelled_wait_spends_nothing_and_blocks_nobody() -> None:
    """The next in line gets the permit."""

    async def main() -> None:
        clock = virtual()
        budget = ConnectBudget(clock, most=1, span_s=0.2)
        await budget.permit()
        (first,) = budget.stamps
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await budget.permit()
        (given,) = await take(budget, clock, 1)
        assert given >= first + 200_000_000
        assert len(budget.stamps) == 1

    run(main())
