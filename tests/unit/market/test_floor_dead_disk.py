"""A floor of one market whose disk takes nothing for hours: what waits is bounded, and nothing that matters is lost."""

import asyncio
from collections.abc import Awaitable
from typing import cast

import pytest

from kangbot.journal.announce import AnnouncedJournal
from kangbot.machines.plan import Style
from kangbot.model.events import Event, FillApplied, Noted, OrderChanged, OrderIntended, Severity
from kangbot.model.orders import OrderKind, OrderStatus, Side
from tests.support.floor_story import Story, play, spec
from tests.support.order_disk import Disk
from tests.support.trade_words import dec, funding

KEPT = 200  # a tenth of what it is, so that hours are soon told


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep little."""
    monkeypatch.setattr("kangbot.execution.records.KEPT", KEPT)


class Counting(Disk):
    """Remembers how much it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        self.most = max(self.most, len(events))
        return super().append(*events, reserve=reserve, later=later)


def waiting(told: Story) -> int:
    """Return how many events of the market wait for the disk."""
    return told.task.desk.executor._records.count


async def hold(told: Story) -> Counting:
    """Go live and enter two; return the disk."""
    told.disk = disk = Counting()
    await told.live()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == 2
    return disk


async def agreed(told: Story) -> None:
    """Wait until the market is as it would be had the disk never been dead."""
    await asyncio.sleep(120)
    executor = told.task.desk.executor
    assert executor.entries_blocked is None
    assert waiting(told) == 0
    applied = [event.fill for event in told.disk.events if isinstance(event, FillApplied)]
    assert [fill.execution_id for fill in applied] == [fill.execution_id for fill in told.venue.fills]
    assert sum((fill.signed for fill in applied), dec(0)) == executor.position.net == told.venue.net


def test_an_exit_that_is_tried_for_hours_leaves_nothing_to_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Its intent is not in the journal, so its end is no news; once the disk lives the exit leaves, once."""

    async def story(told: Story) -> None:
        disk = await hold(told)
        disk.dead = True
        told.strategy.want(0)
        numbers = told.task.desk.executor.upcoming_id
        for _ in range(120):
            await told.bar()
        assert told.task.desk.executor.upcoming_id != numbers
        assert told.venue.net == 2
        assert waiting(told) == 0
        assert capsys.readouterr().out.count("order.blocked") <= 2
        disk.dead = False
        await told.bar()
        assert told.venue.net == 0
        intents = [event.intent.client_id for event in disk.events if isinstance(event, OrderIntended)]
        ends = [event.client_id for event in disk.events if isinstance(event, OrderChanged) and event.status.terminal]
        assert intents == ends
        assert len(told.venue.submits) == 2
        await agreed(told)

    play(story)


def test_entries_on_a_full_disk_leave_its_reserve_to_exits() -> None:
    """A strategy that wants in does so for hours; each record of an order that never left would take a commit of it."""

    async def story(told: Story) -> None:
        told.disk = disk = Counting()
        await told.live()
        disk.full = True
        on_disk = disk.last
        told.strategy.want(1)
        for _ in range(60):
            await told.bar()
        executor = told.task.desk.executor
        assert executor.counts.withheld >= 60
        assert (told.venue.submits, disk.last) == ([], on_disk)
        disk.full = False
        await told.bar()
        assert told.venue.net == 2
        await agreed(told)

    play(story)


def test_notes_that_repeat_for_hours_become_one_with_their_number() -> None:
    """In the log each of them was told; in the journal the newest says how often."""

    async def story(told: Story) -> None:
        disk = await hold(told)
        disk.dead = True
        executor = told.task.desk.executor
        for number in range(4 * KEPT):
            await asyncio.sleep(15)
            executor.tell("strategy.odd", Severity.WARNING, f"number {number}")
            assert waiting(told) <= KEPT
        disk.dead = False
        await agreed(told)
        odd = [event for event in disk.events if isinstance(event, Noted) and event.kind == "strategy.odd"]
        assert sum(int(note.fields.get("times", "1")) for note in odd) == 4 * KEPT
        assert len(odd) < KEPT
        assert odd[-1].message == f"number {4 * KEPT - 1}"

    play(story)


def test_what_somebody_does_by_hand_for_hours_is_asked_for_once_the_disk_lives() -> None:
    """Beyond the bound nothing more is learnt, and then everything is, each execution once and in order."""

    async def story(told: Story) -> None:
        disk = await hold(told)
        disk.dead = True
        disk.most = 0
        told.venue.by_hand("2", side=Side.SELL)  # somebody closes what we held, and goes on
        for number in range(540):
            await asyncio.sleep(20)
            told.venue.by_hand("1", side=Side.SELL if number % 3 else Side.BUY)
            assert waiting(told) <= KEPT * 5 // 4
            assert disk.most < 10
        executor = told.task.desk.executor
        assert waiting(told) >= KEPT
        assert executor.position.net != told.venue.net
        assert told.task.inbox.missed_since_ns
        assert "behind" in (executor.entries_blocked or "")
        disk.dead = False
        await asyncio.sleep(10)
        assert executor.position.net == told.venue.net
        await agreed(told)

    play(story)


def test_an_order_that_rests_and_is_filled_on_a_dead_disk_is_in_the_journal_in_the_end() -> None:
    """Bit by bit, for hours: each execution stays, and of what the order became the last word."""

    async def story(told: Story) -> None:
        told.specs = [spec(told.strategy, style=Style(kind=OrderKind.LIMIT, patience_ns=10**18))]
        told.disk = disk = Counting()
        await told.live()
        told.strategy.want(1)
        await told.bar()
        (order,) = told.venue.orders
        disk.dead = True
        while order.filled < order.quantity:
            await asyncio.sleep(30)
            told.venue.trade(order, dec("0.0125"))
            assert waiting(told) <= KEPT
        told.venue.by_hand("0.1")
        disk.dead = False
        await agreed(told)
        changes = [event for event in disk.events if isinstance(event, OrderChanged)]
        assert changes[-1].status is OrderStatus.FILLED
        assert len(changes) < len(told.venue.fills) // 3

    play(story)


def test_what_is_written_again_and_again_is_heard_of_once() -> None:
    """A loss that the disk does not take for a minute is no sixty losses, which would hold every market for a day."""

    async def story(told: Story) -> None:
        disk = Counting()
        journal = AnnouncedJournal(disk)
        told.disk = cast("Disk", journal)
        await told.live()
        journal.listen(told.risk.observe)
        for dead in (False, True):  # known when the disk dies, and learnt while it is dead
            disk.dead = True
            told.venue.push(funding(f"f{dead}", "-3", at_ns=told.world.clock.now_ns()))
            await asyncio.sleep(60)
        assert told.risk.day_loss(told.world.clock.now_ns()) == 3, "what is learnt on a dead disk is told once it lives"
        disk.dead = False
        await asyncio.sleep(60)
        assert told.risk.day_loss(told.world.clock.now_ns()) == 6

    play(story)
