"""Requests that are lost, late, refused or made in vain: one order at most, and what became of it is found out."""

import asyncio

import pytest

from kangbot.errors import Refused
from kangbot.machines.order import worst_case
from kangbot.model.ids import client_id
from kangbot.model.orders import Evidence, OrderKind, OrderStatus
from kangbot.ports import IdRule
from kangbot.runtime.world import SECOND_NS
from kangbot.sim.world.loop import run
from tests.support.order_story import Story, exits, told
from tests.support.order_venue import Fate
from tests.support.trade_words import START, TAG, dec, proposal

S = OrderStatus
FIRST = client_id(TAG, 1)


EXISTS = [Fate.LOST_AFTER, Fate.HANGS_AFTER, Fate.TWICE]
ABSENT = [Fate.LOST_BEFORE, Fate.HANGS_BEFORE, Fate.UNREACHED, Fate.UNMAPPED]


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize(
    ("fate", "rule"),
    [
        (fate, rule)
        for fate in (*EXISTS, *ABSENT, Fate.LATE)
        for rule in IdRule
        if fate is not Fate.TWICE or rule is IdRule.FOR_EVER  # elsewhere the copy below us makes a second order
    ],
)
def test_whatever_becomes_of_the_request_there_is_one_order_at_most(fate: Fate, rule: IdRule, deaf: bool) -> None:
    """Resolved within 30 s after the answer was lost, with or without the private stream; never under another id."""

    async def story_of() -> None:
        story = Story(id_rule=rule)
        market = await story.live()
        story.venue.fates.append(fate)
        story.venue.deaf = deaf
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await asyncio.sleep(0.3)
        took_s = await market.settled(40)
        assert took_s < 30 + 7
        await asyncio.sleep(10)
        assert set(story.venue.submits) == {FIRST}
        story.check(market)
        exists = fate in EXISTS or fate is Fate.LATE
        if exists:
            assert market.status(FIRST) is S.FILLED
        else:
            resent = rule is IdRule.FOR_EVER and fate is not Fate.HANGS_BEFORE
            assert market.status(FIRST) is (S.FILLED if resent else S.NOT_ACCEPTED)
            assert len(story.venue.submits) == (2 if resent else 1)
        await market.end()

    run(story_of())


@told
async def test_ids_that_are_unique_only_while_open_are_never_sent_again() -> None:
    """It is asked about until its deadline and margin have passed, and then twice more."""
    story = Story(id_rule=IdRule.WHILE_OPEN)
    market = await story.live()
    story.venue.fates.append(Fate.LOST_BEFORE)
    market.executor.place(proposal())
    await market.settled()
    (order,) = market.executor.memory().orders
    assert (order.status, order.evidence, order.sends) == (S.NOT_ACCEPTED, Evidence.ABSENCE, 1)
    asked = [at_ns for name, at_ns in story.venue.asked if name == f"find {FIRST}" and at_ns > order.settle_ns]
    assert len(asked) == 2
    assert asked[1] - asked[0] > SECOND_NS
    assert "order.unknown" in market.notes()
    await market.end()


@told
async def test_a_second_copy_that_is_lost_too_is_asked_about_like_the_first() -> None:
    """Twice lost before it arrived, the third copy is taken; or twice lost after."""
    for fate, copies in ((Fate.LOST_BEFORE, 3), (Fate.LOST_AFTER, 1)):
        story = Story()
        market = await story.live()
        story.venue.fates.extend([fate, fate])
        market.executor.place(proposal(kind=OrderKind.MARKET))
        await market.settled()
        assert (market.status(FIRST), story.venue.submits) == (S.FILLED, [FIRST] * copies)
        story.check(market)
        await market.end()


@told
async def test_unknown_counts_blocks_entries_and_lets_exits_pass() -> None:
    """An UNKNOWN entry reserves its worst case; what is held may be sold."""
    story = Story(id_rule=IdRule.WHILE_OPEN)
    market = await story.live()
    market.executor.place(proposal(2, kind=OrderKind.MARKET))
    await market.settled()
    story.venue.fates.append(Fate.LOST_BEFORE)
    market.executor.place(proposal())
    await asyncio.sleep(0.5)
    (unknown,) = market.executor.unknown
    assert worst_case(unknown) == dec(1)
    with pytest.raises(Refused, match="is not known") as caught:
        market.executor.place(proposal())
    assert caught.value.code == "entries_blocked"
    await exits(market, 2)
    assert market.executor.position.net == 0
    await market.settled()
    assert market.executor.entries_blocked is None
    story.check(market)
    await market.end()


@told
async def test_an_entry_that_waited_behind_an_order_that_became_unknown_stays() -> None:
    """What was allowed when it was placed is not when it would leave."""
    story = Story(id_rule=IdRule.WHILE_OPEN)
    market = await story.live()
    story.disk._commit_s = 1.0
    market.executor.place(proposal())
    await asyncio.sleep(0.99)
    story.venue.fates.append(Fate.LOST_BEFORE)
    market.executor.place(proposal())
    await asyncio.sleep(1.5)
    assert market.status(client_id(TAG, 2)) is S.NOT_ACCEPTED
    assert story.venue.submits == [FIRST]
    await market.end()


@told
async def test_a_venue_that_answers_nothing_for_a_minute_is_told_of_and_waited_for() -> None:
    """An unanswered question is no answer: no order is dropped, and a person hears of it once."""
    story = Story()
    market = await story.live()
    story.venue.fates.append(Fate.LOST_AFTER)
    story.venue.deaf = story.venue.unreachable = True
    market.executor.place(proposal(kind=OrderKind.MARKET))
    await asyncio.sleep(60)
    assert market.status(FIRST) is S.UNKNOWN
    assert market.notes().count("order.unresolved") == 1
    story.venue.unreachable = False
    await market.settled()
    assert market.status(FIRST) is S.FILLED
    story.check(market)
    await market.end()


@told
async def test_questions_that_hang_are_given_up_and_asked_again() -> None:
    """Each has a deadline of ours."""
    story = Story()
    market = await story.live()
    story.venue.fates.append(Fate.LOST_AFTER)
    story.venue.deaf = story.venue.questions_hang = True
    market.executor.place(proposal())
    await asyncio.sleep(20)
    story.venue.questions_hang = False
    await market.settled()
    assert market.status(FIRST) is S.ACKED
    await market.end()


@told
async def test_a_lagging_endpoint_is_not_believed() -> None:
    """Found nowhere for four seconds although it is there: a second copy is refused by its id, which is proof."""
    story = Story()
    market = await story.live()
    story.venue.fates.append(Fate.LOST_AFTER)
    story.venue.deaf, story.venue.lag_s = True, 4.0
    market.executor.place(proposal())
    await market.settled()
    assert (market.status(FIRST), market.executor.counts.resent) == (S.ACKED, 1)
    assert len(story.venue.orders) == 1
    story.check(market)
    await market.end()


@pytest.mark.parametrize(("fate", "code"), [(Fate.REFUSED, "110007"), (Fate.LIMITED, "10006")])
def test_a_definitive_code_rejects(fate: Fate, code: str) -> None:
    """And a rate limit holds up everybody for as long as the venue said."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        story.venue.fates.append(fate)
        market.executor.place(proposal())
        await market.settled()
        (order,) = market.executor.memory().orders
        assert (order.status, order.evidence, order.code) == (S.REJECTED, Evidence.CODE, code)
        paused_ns = market.budget.paused_until_ns - market.now_ns
        assert (paused_ns > SECOND_NS) is (fate is Fate.LIMITED)
        assert market.executor.refusal(FIRST) == ("" if fate is Fate.LIMITED else code)  # what lasts, and what passes
        assert market.executor.refusal(client_id(TAG, 99)) == ""
        await market.end()

    run(story_of())


@told
async def test_an_order_whose_time_is_over_before_it_could_leave_stays() -> None:
    """A ban of ten seconds outlasts the receive window."""
    story = Story()
    market = await story.live()
    market.budget.pause(10 * SECOND_NS)
    market.executor.place(proposal())
    await market.settled()
    (order,) = market.executor.memory().orders
    assert (order.status, order.message) == (S.NOT_ACCEPTED, "its time was over before it could leave")
    assert (market.now_ns - START) / SECOND_NS == pytest.approx(5, abs=1)
    assert story.venue.submits == []
    await market.end()


@told
async def test_a_process_that_was_stopped_sends_nothing_stale() -> None:
    """SIGSTOP between the decision and the send: what was decided then is withheld."""
    story = Story()
    market = await story.live()
    market.executor.place(proposal())
    await asyncio.sleep(0.0005)
    story.leaps.ahead_ns = 30 * SECOND_NS
    await market.settled()
    (order,) = market.executor.memory().orders
    assert (order.status, order.message) == (S.NOT_ACCEPTED, "its time was over before it could leave")
    await market.end()


@pytest.mark.parametrize("cancel", [False, True])
def test_a_second_copy_that_waited_stays_where_the_first_was_found(cancel: bool) -> None:
    """Or where nobody wants it any more."""

    async def story_of() -> None:
        story = Story()
        market = await story.live()
        story.venue.fates.append(Fate.LATE)
        story.venue.late_s = 1.0
        market.executor.place(proposal())
        async with asyncio.timeout(5):
            while not market.executor.memory().orders[0].missing:
                await asyncio.sleep(0.01)
        market.budget.pause(3 * SECOND_NS)
        await asyncio.sleep(0.4)
        assert market.budget.waiting == 1
        if cancel:
            market.executor.cancel(FIRST)
        await market.settled()
        async with asyncio.timeout(10):
            while market.budget.waiting:
                await asyncio.sleep(0.01)
        assert story.venue.submits == [FIRST]
        assert market.status(FIRST) is (S.CANCELED if cancel else S.ACKED)
        story.check(market)
        await market.end()

    run(story_of())


@told
async def test_a_second_copy_that_stays_here_says_nothing_of_the_first() -> None:
    """The first is still in a queue of the venue when the second one's time is over: it is not taken for unsent."""
    story = Story()
    market = await story.live()
    story.venue.fates.append(Fate.LATE)
    story.venue.deaf = True
    market.executor.place(proposal())
    while f"find {FIRST}" not in [name for name, _ in story.venue.asked]:
        await asyncio.sleep(0.01)
    market.budget.pause(10 * SECOND_NS)
    await asyncio.sleep(6)
    assert market.status(FIRST) is S.UNKNOWN
    await market.settled()
    assert (market.status(FIRST), story.venue.submits) == (S.ACKED, [FIRST])
    assert market.executor.quarantine == ""
    await market.end()
