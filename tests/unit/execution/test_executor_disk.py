"""A journal that takes nothing: entries stay, exits go, what was learnt is written later."""

import asyncio

import pytest

from kangbot.errors import NeedsHuman, Refused, Retryable
from kangbot.machines.backlog import KEPT
from kangbot.model.events import FillApplied, Severity
from kangbot.model.ids import client_id
from kangbot.model.orders import OrderKind, OrderStatus, Purpose
from tests.support.order_story import Story, exits, told
from tests.support.trade_words import TAG, dec, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)


@told
async def test_an_entry_that_the_journal_does_not_take_never_leaves() -> None:
    """The disk is full: it is said, entries are withheld, and exits go through the reserve."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await market.settled()
    story.disk.full = True
    market.executor.place(proposal())
    await market.settled()
    entry = market.executor.memory().orders[-1]
    assert (entry.status, entry.message) == (S.NOT_ACCEPTED, "the journal did not take it: the disk is full")
    assert entry.client_id not in b"".join(story.disk.lines).decode()  # which would cost some of the reserve
    await exits(market, 1)
    assert len(story.venue.submits) == 2
    assert market.executor.position.net == 0
    story.check(market)
    await market.end()


@told
async def test_what_was_learnt_while_the_disk_was_dead_is_written_when_it_lives() -> None:
    """In order, once; until then the journal is behind and entries are blocked."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await market.settled()
    story.disk.dead = True
    story.venue.trade(story.venue.of(FIRST), dec("0.4"))
    await asyncio.sleep(0.5)
    story.venue.trade(story.venue.of(FIRST), dec("0.6"))
    await asyncio.sleep(5)
    with pytest.raises(Refused, match="the journal is behind: the disk is full"):
        market.executor.place(proposal())
    assert market.executor.position.net == dec(1)
    story.disk.dead = False
    await asyncio.sleep(2)
    assert market.executor.entries_blocked is None
    fills = [event for event in story.disk.events if isinstance(event, FillApplied)]
    assert [event.net for event in fills] == [dec("0.4"), dec(1)]
    story.check(market)
    await market.end()


@told
async def test_what_a_person_commanded_is_kept_once_it_is_on_disk() -> None:
    """What was told before is there then; a disk that takes nothing is said, while it fails and afterwards."""
    story = Story()
    market = await story.live()
    market.executor.tell("market.released", Severity.WARNING, "ann lifted the quarantine")
    await market.executor.kept()
    assert market.notes().count("market.released") == 1
    story.disk.dead = True
    market.executor.tell("market.released", Severity.WARNING, "ann lifted it again")
    with pytest.raises(NeedsHuman, match="the disk is full"):
        await market.executor.kept()
    await asyncio.sleep(0.1)
    with pytest.raises(Retryable, match="the journal is behind: the disk is full"):
        await market.executor.kept()
    story.disk.dead = False
    await asyncio.sleep(2)
    await market.executor.kept()
    assert market.notes().count("market.released") == 2
    await market.end()


@told
async def test_an_executor_says_when_no_more_can_be_learnt() -> None:
    """While two thousand events of its market wait; once the disk has taken some it can."""
    story = Story()
    market = await story.live()
    story.disk.dead = True
    market.executor.place(proposal(purpose=Purpose.EXIT, kind=OrderKind.MARKET))
    for number in range(KEPT):
        market.executor.tell("market.released", Severity.WARNING, f"number {number}")
    await asyncio.sleep(5)
    before = market.executor.overfull
    story.disk.dead = False
    await asyncio.sleep(5)
    assert (before, market.executor.overfull) == (True, False)
    assert market.notes().count("market.released") == KEPT
    await market.end()


@told
async def test_a_disk_that_hangs_withholds_the_order() -> None:
    """Its time is over before the intent is on disk."""
    story = Story()
    market = await story.live()
    story.disk.hangs = True
    market.executor.place(proposal())
    await market.settled()
    assert (market.status(FIRST), story.venue.submits) == (S.NOT_ACCEPTED, [])
    await market.end()
