"""Crashes at every step of placing, filling, cancelling and protecting; the next life knows only the disk."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kangbot.execution.budget import Budget
from kangbot.execution.executor import Executor
from kangbot.execution.numbers import Numbers
from kangbot.execution.venue_clock import VenueClock
from kangbot.journal.replay import replay
from kangbot.journal.writer import JournalWriter
from kangbot.machines.limiter import Window
from kangbot.machines.reconcile import Reconciled
from kangbot.model.ids import client_id
from kangbot.model.orders import Evidence, OrderKind, OrderStatus, Purpose, Side
from kangbot.ports import Channel, IdRule, Topic
from kangbot.runtime.world import SECOND_NS, Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk
from tests.support.order_story import Market, Story
from tests.support.order_venue import FakeVenue, Fate
from tests.support.trade_words import MARKET, TAG, dec, funding, instrument, proposal, stated

S = OrderStatus
FIRST = client_id(TAG, 1)
_ACCOUNT = Topic(market=None, channel=Channel.ACCOUNT, native="order")
STEP_S = 0.0125  # a quarter of the venue's answer time: every await lies between two of these


def crashes() -> list[float]:
    """Return when to crash, in seconds after the decision: within each step, and long after."""
    return [0.0, 0.0005, 0.001, 0.0015, *(step * STEP_S for step in range(1, 10)), 0.3, 1.0, 6.0, 8.0]


@pytest.mark.parametrize("rule", list(IdRule))
@pytest.mark.parametrize("fate", [Fate.NORMAL, Fate.LOST_AFTER, Fate.LOST_BEFORE, Fate.LATE, Fate.REFUSED])
def test_a_crash_at_any_moment_doubles_and_loses_nothing(fate: Fate, rule: IdRule) -> None:
    """Market order with its stop, the process dies; the next life finds out and agrees with the venue."""

    async def story_of(crash_s: float) -> None:
        story = Story(id_rule=rule)
        market = await story.live()
        story.venue.fates.append(fate)
        market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
        await asyncio.sleep(crash_s)
        await market.end()
        again = await story.live()
        await again.settled()
        await asyncio.sleep(10)
        story.check(again)
        assert story.venue.submits.count(FIRST) <= 2
        if story.venue.net:
            assert not again.executor.unprotected
        await again.end()

    for crash_s in crashes():
        run(story_of(crash_s))


@pytest.mark.parametrize("deaf", [False, True])
def test_a_crash_while_cancelling_ends_the_order_as_the_venue_did(deaf: bool) -> None:
    """Cancelled, or filled a moment before."""

    async def story_of(crash_s: float, *, filled: bool) -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal())
        await market.settled()
        story.venue.deaf = deaf
        market.executor.cancel(FIRST)
        if filled:
            story.venue.trade(story.venue.of(FIRST), dec("0.4"))
        await asyncio.sleep(crash_s)
        await market.end()
        again = await story.live()
        story.check(again)
        order = story.venue.of(FIRST)
        assert again.status(FIRST) is order.status
        await again.end()

    for crash_s in crashes():
        for filled in (False, True):
            run(story_of(crash_s, filled=filled))


def test_a_restart_on_an_unchanged_venue_produces_no_event_and_no_order() -> None:
    """Twice: a resting order, a half-filled one and a position with its stop are found as they were."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
        await market.settled()
        market.executor.place(proposal())
        market.executor.place(proposal())
        await market.settled()
        story.venue.trade(story.venue.of(client_id(TAG, 3)), dec("0.5"))
        await asyncio.sleep(10)
        await market.end()
        before, submits = story.disk.last, list(story.venue.submits)
        for _ in range(2):
            again = await story.live()
            await asyncio.sleep(70)
            story.check(again)
            assert again.executor.stop == dec(90)
            await again.end()
        assert (story.disk.last, story.venue.submits) == (before, submits)

    run(story_of())


@pytest.mark.parametrize("away_s", [0, 3600])
def test_an_order_that_was_unknown_at_the_end_is_waited_for_anew(away_s: int) -> None:
    """Nobody has asked meanwhile: that the venue says nothing for long is told when it has been asked for as long."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        story.venue.fates.append(Fate.LOST_AFTER)
        story.venue.deaf = story.venue.unreachable = True
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await asyncio.sleep(5)
        await market.end()
        await asyncio.sleep(away_s)
        again = await story.live(account=False)
        assert again.status(FIRST) is S.UNKNOWN
        await asyncio.sleep(29)
        assert "order.unresolved" not in again.notes()
        await asyncio.sleep(2)
        assert again.notes().count("order.unresolved") == 1
        await again.end()

    run(story_of())


def test_fills_that_were_missing_at_the_end_are_waited_for_anew() -> None:
    """The venue's report was heard, its executions were not; nobody has asked for them meanwhile."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        story.venue.fates.append(Fate.LOST_AFTER)
        story.venue.deaf = True
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await asyncio.sleep(1)
        assert market.status(FIRST) is S.FILLED
        assert market.executor.position.net == 0
        await market.end()
        await asyncio.sleep(3600)
        again = await story.live(account=False)
        await asyncio.sleep(29)
        assert "order.fills_missing" not in again.notes()
        await asyncio.sleep(2)
        assert again.notes().count("order.fills_missing") == 1
        await again.end()

    run(story_of())


def test_what_happened_while_nobody_looked_is_found() -> None:
    """Fills, a cancel and a triggered stop of three days; executions come with overlap."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
        market.executor.place(proposal())
        await market.settled()
        await market.end()
        await asyncio.sleep(3 * 24 * 3600)
        story.venue.trade(story.venue.of(client_id(TAG, 2)), dec("0.5"))
        story.venue.close(story.venue.of(client_id(TAG, 2)), S.CANCELED)
        story.venue.by_hand("1.5", side=Side.SELL)
        again = await story.live()
        story.check(again)
        assert again.executor.position.net == 0
        assert again.status(client_id(TAG, 2)) is S.CANCELED
        assert again.executor.stop is None
        await again.end()

    run(story_of())


@pytest.mark.parametrize("sold", [False, True])
def test_a_market_that_did_not_run_for_two_weeks_learns_what_its_stop_did(sold: bool) -> None:
    """Others of the account traded until a moment ago, so the executions of everybody are asked for since then only."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET, stop="90"))
        await market.settled()
        await market.end()
        await asyncio.sleep(24 * 3600)
        story.venue.flows.append(funding("f1", "-0.01", at_ns=story.world.clock.now_ns()))
        await asyncio.sleep(6 * 24 * 3600)
        if sold:
            story.venue.by_hand("1", side=Side.SELL)
        await asyncio.sleep(7 * 24 * 3600)
        now_ns = story.world.clock.now_ns()
        again = await Market(story.venue, story.disk, story.world, last_execution_ns=now_ns).start()
        await again.settled(60)
        assert (again.executor.position.net, again.executor.quarantine) == (dec(0 if sold else 1), "")
        assert again.executor.funding == dec("-0.01")
        assert "position.drift" not in again.notes()
        story.check(again)
        await again.end()

    run(story_of())


def test_an_execution_older_than_the_last_one_we_know_is_found() -> None:
    """Its push was dropped, a later one was heard, and the process died before the next round."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal())
        await market.settled()
        story.venue.deaf = True
        story.venue.by_hand("1")
        await asyncio.sleep(1)
        story.venue.deaf = False
        story.venue.trade(story.venue.of(FIRST), dec(1))
        await asyncio.sleep(0.1)
        assert market.executor.position.net == dec(1)
        await market.end()
        again = await story.live()
        story.check(again)
        assert "position.drift" not in again.notes()
        await again.end()

    run(story_of())


def test_an_intent_that_never_left_is_proved_absent_and_not_sent() -> None:
    """The process died between the disk and the venue; what was decided then is stale."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.budget.pause(2 * SECOND_NS)
        market.executor.place(proposal())
        await asyncio.sleep(1)
        await market.end()
        assert story.venue.submits == []
        again = await Market(story.venue, story.disk, story.world).start()
        await asyncio.sleep(1)
        assert again.status(FIRST) is S.UNKNOWN
        assert again.executor.entries_blocked == f"what became of order {FIRST} is not known"
        assert not again.executor.settled
        took_s = await again.settled()
        assert took_s < 30
        (order,) = again.executor.memory().orders
        assert (order.status, order.evidence) == (S.NOT_ACCEPTED, Evidence.ABSENCE)
        assert story.venue.submits == []
        await again.end()

    run(story_of())


def test_a_task_that_begins_anew_goes_on_from_the_executors_memory() -> None:
    """Within one process too: what `memory` gives is enough."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await market.settled()
        kept = market.executor.memory()
        await market.end()
        again = await story.live()
        assert again.executor.memory().position == kept.position
        assert again.executor.memory().executions == kept.executions
        await again.end()

    run(story_of())


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(
                ["entry", "exit", "limit", "cancel", "trade", "crash", "deaf", "hear", "down", "up", "wait"]
            ),
            st.sampled_from(list(Fate)),
            st.sampled_from([0.0, 0.0005, 0.03, 0.3, 4.0]),
        ),
        max_size=14,
    ),
    rule=st.sampled_from(list(IdRule)),
)
def test_after_any_story_the_venue_and_the_journal_agree(steps: list[tuple[str, Fate, float]], rule: IdRule) -> None:
    """Orders with any fate, cancels, fills, dropped pushes, unreachable questions, crashes; then faults stop."""

    async def story_of() -> None:
        story = Story(id_rule=rule)
        market = await story.live()
        for step, fate, pause_s in steps:
            # A copy made below us under ids that are unique only while open is a second order of the venue's making.
            lawful = fate is not Fate.TWICE or rule is IdRule.FOR_EVER
            match step:
                case "entry" | "limit" if market.executor.entries_blocked is None:
                    story.venue.fates.append(fate if lawful else Fate.NORMAL)
                    market.executor.place(
                        proposal(kind=OrderKind.MARKET if step == "entry" else OrderKind.LIMIT, stop="90")
                    )
                case "exit":
                    story.venue.fates.append(fate if lawful else Fate.NORMAL)
                    market.executor.place(proposal(purpose=Purpose.EXIT, side=Side.SELL, kind=OrderKind.MARKET))
                case "cancel":
                    for order in market.executor.orders:
                        market.executor.cancel(order.client_id)
                case "trade":
                    for resting in [one for one in story.venue.orders if not one.status.terminal]:
                        story.venue.trade(resting, min(dec("0.6"), resting.quantity - resting.filled))
                case "crash":
                    await market.end()
                    market = await Market(story.venue, story.disk, story.world).start()
                case "deaf" | "hear":
                    story.venue.deaf = step == "deaf"
                case "down" | "up":
                    story.venue.unreachable = step == "down"
                case _:
                    pass
            await asyncio.sleep(pause_s)
        story.venue.deaf = story.venue.unreachable = False
        story.venue.fates.clear()
        market.account.feed_changed(_ACCOUNT, live=True, reason="test")
        await asyncio.sleep(8)  # requests that are under way end by their deadlines
        await market.settled(30)
        await asyncio.sleep(60)
        story.check(market)
        assert market.executor.entries_blocked is None
        await market.end()
        before = story.disk.last
        again = await story.live()
        await asyncio.sleep(10)
        story.check(again)
        await again.end()
        assert story.disk.last == before

    run(story_of())


# ----------------------------------------------------------------------------------------------------- the real journal
async def test_an_order_goes_through_the_real_journal_on_the_real_loop(tmp_path: Path) -> None:
    """Placed, filled, remembered by the next life: with threads, fsync and wall time."""
    world = World(clock=Clock(), seed=b"recovery")
    venue = FakeVenue(clock=world.clock, answer_s=0.001)
    async with await JournalWriter.open(tmp_path, world) as journal:
        inbox: asyncio.Queue[object] = asyncio.Queue()
        executor = Executor(
            world=world,
            journal=journal,
            venue=venue,
            instrument=instrument(),
            budget=Budget(clock=world.clock, venue="bybit", windows=(Window(most=50, span_ns=SECOND_NS),)),
            numbers=Numbers(1),
            post=inbox.put_nowait,
            on_crash=lambda name, error: inbox.put_nowait(error),
            memory=(await replay(journal)).market(MARKET),
            born_ns=0,
            strategy="test",
            venue_clock=VenueClock(world.clock, most_ns=SECOND_NS),
        )
        now_ns = world.clock.now_ns()
        executor.handle(
            Reconciled(
                market=MARKET,
                open_orders=(),
                executions=(),
                executions_since_ns=now_ns,
                position=stated(0),
                asked_ns=now_ns,
                answered_ns=now_ns,
            )
        )
        placed = executor.place(proposal(kind=OrderKind.LIMIT))
        message = await asyncio.wait_for(inbox.get(), 20)
        assert executor.handle(message)  # type: ignore[arg-type]
        assert journal.tag in placed.client_id
        await executor.kept()
        memory = await replay(journal)
        (order,) = memory.market(MARKET).orders
        assert (order.client_id, order.status, order.venue_order_id) == (placed.client_id, S.ACKED, "v1")
        await executor.aclose()


def test_a_life_without_its_journal_enters_nothing_on_a_position_that_it_does_not_know() -> None:
    """The disk was lost: the market is not live before a person has it, and no order of ours adds to the position."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await market.settled()
        await market.end()
        story.disk = Disk()
        await asyncio.sleep(60)
        again = await Market(story.venue, story.disk, story.world).start()
        await asyncio.sleep(1)
        settled = [again.executor.settled]
        assert again.executor.entries_blocked is not None
        assert "looking for what explains it" in again.executor.entries_blocked
        while not again.executor.quarantine:
            assert again.executor.entries_blocked is not None
            await asyncio.sleep(0.5)
        settled.append(again.executor.settled)
        assert settled == [False, True]
        assert "kangbot journal rebuild" in again.executor.quarantine
        again.executor.release("operator")
        assert again.executor.entries_blocked is not None, "it is looked at once more"
        await asyncio.sleep(60)
        assert (again.executor.quarantine, again.executor.position.net) == ("", dec(1))
        assert again.executor.settled
        assert again.executor.holding.by_hand == dec(1), "a person has it, and closes it"
        story.venue.by_hand("1", side=Side.SELL)
        await asyncio.sleep(1)
        assert again.executor.position.net == 0
        assert not again.executor.entries_blocked
        await again.end()
        third = await Market(story.venue, story.disk, story.world).start()
        await third.settled()
        assert (third.executor.quarantine, third.executor.position.net) == ("", dec(0))
        await third.end()

    run(story_of())
