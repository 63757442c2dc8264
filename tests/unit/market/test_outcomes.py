"""What becomes of how things end, and why a market may not enter; on a floor: `test_floor_faults.py`."""

import asyncio

import pytest
from structlog.testing import capture_logs

from kangbot.errors import Misstamped, NotFound, Refused, Retryable
from kangbot.machines.faults import LANES, Kind, Operation
from kangbot.market.outcomes import Outcomes
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET

AWAY = Retryable("no route to host")


async def opened(told: Story) -> Outcomes:
    """Open the floor, and wait until it has been compared with its venue; return its outcomes."""
    await told.open()
    await asyncio.sleep(1)
    return told.floor._outcomes


def failures(told: Story) -> dict[Lane, int]:
    """Return how many failures the breakers of the market have counted."""
    return {lane: len(told.floor.circuits.breakers.of(MARKET, lane).failed_ns) for lane in Lane}


def test_entries_are_held_by_whichever_is_not_well_and_the_gravest_is_named() -> None:
    """Of several the first is told; with the last of them gone the market may enter."""

    async def story(told: Story) -> None:
        outcomes, account = await opened(told), told.floor.account
        assert outcomes.held(MARKET) == ""
        told.risk.kill("news", flatten=False)
        account.fell_by = "ValueError: a fault"
        account.unread[MARKET] = "it is in hedge mode"
        told.task.inbox.missed_since_ns = 1
        told.floor.circuits.isolate(MARKET, Lane.ENTRY, "ann")
        told.floor.faults.met(Kind.RATE_LIMIT, Operation.ENTRY, MARKET, "too many visits")
        assert outcomes.held(MARKET) == "kill_switch: news"
        told.risk.release()
        assert outcomes.held(MARKET).endswith("compared our books with the venue's since ValueError: a fault")
        account.fell_by = ""
        assert outcomes.held(MARKET).endswith("of this market cannot be read: it is in hedge mode")
        account.unread.clear()
        assert outcomes.held(MARKET) == "inbox: news of the account did not fit, and are being asked for"
        told.task.inbox.missed_since_ns = 0
        assert outcomes.held(MARKET).startswith("breaker")
        told.floor.circuits.reset(MARKET, None, "ann")
        assert outcomes.held(MARKET) == "rate_limit: too many visits"
        told.floor.faults.forgive(MARKET, "ann")
        assert outcomes.held(MARKET) == ""

    play(story)


def test_what_is_wrong_in_one_market_holds_no_other() -> None:
    """What is wrong with the account holds all of them; one that joins is asked for before it is there."""

    async def story(told: Story) -> None:
        outcomes, other = await opened(told), MarketId("v:OTHER")
        told.floor.account.unread[MARKET] = "it is in hedge mode"
        told.task.inbox.missed_since_ns = 1
        assert outcomes.held(other) == ""
        told.risk.kill("news", flatten=False)
        assert outcomes.held(other) == "kill_switch: news"

    play(story)


@pytest.mark.parametrize("operation", list(Operation))
def test_the_breaker_of_its_lane_counts_what_fails(operation: Operation) -> None:
    """And is told what goes well; a question about an order, a fall, and a round of the account count for none."""

    async def story(told: Story) -> None:
        outcomes, lane = await opened(told), LANES.get(operation)
        for _ in range(2):
            outcomes.ended(MARKET, operation, AWAY)
        assert failures(told) == {each: 2 if each is lane else 0 for each in Lane}
        assert lane is None or told.floor.circuits.breakers.of(MARKET, lane).row == 2
        outcomes.ended(MARKET, operation, None)
        assert lane is None or told.floor.circuits.breakers.of(MARKET, lane).row == 0

    play(story)


def test_every_end_is_a_matter_of_the_desk_of_faults() -> None:
    """In its market, with the id of what it was about."""

    async def story(told: Story) -> None:
        outcomes = await opened(told)
        with capture_logs() as logs:
            outcomes.ended(MARKET, Operation.ENTRY, Refused("no", code="1"), "kb1")
            outcomes.ended(MARKET, Operation.ENTRY, None)
        met = next(line for line in logs if line["event"] in ("error.met", "error.alert"))
        assert (met["market"], met["operation"], met["subject"]) == (MARKET, "entry", "kb1")
        (tally,) = told.floor.faults.tallies()
        assert (tally.market, tally.total, tally.message) == (MARKET, 1, "no")

    play(story)


def test_a_refusal_may_be_the_first_that_is_heard_of_other_rules() -> None:
    """Of an exit they are asked for at once. One that says by its class what it is about is no such word."""

    async def story(told: Story) -> None:
        outcomes = await opened(told)
        await asyncio.sleep(400)
        outcomes.ended(MARKET, Operation.EXIT, NotFound("no such order"))
        assert not told.floor._rules._due_ns
        outcomes.ended(MARKET, Operation.EXIT, Refused("a price that does not fit"))
        assert list(told.floor._rules._due_ns) == [MARKET]

    play(story)


def test_a_stamp_that_is_refused_has_the_venues_clock_measured() -> None:
    """Whatever it was on; any other error says nothing of the time."""

    async def story(told: Story) -> None:
        outcomes = await opened(told)
        await asyncio.sleep(30)
        times = told.venue.times
        outcomes.ended(MARKET, Operation.ENTRY, AWAY)
        await asyncio.sleep(1)
        assert told.venue.times == times
        outcomes.ended(MARKET, Operation.ASK, Misstamped("check your server timestamp", code="10002"))
        await asyncio.sleep(1)
        assert told.venue.times > times

    play(story)


@pytest.mark.parametrize(("wait_ns", "again"), [(5, True), (None, False)])
def test_a_fall_of_the_accounts_keeper_is_the_accounts(wait_ns: int | None, again: bool) -> None:
    """Nobody compares meanwhile, and no market is blamed for it."""

    async def story(told: Story) -> None:
        outcomes = await opened(told)
        with capture_logs() as logs:
            outcomes.account_fell(ValueError("a fault"), wait_ns)
        assert [line["again"] for line in logs if line["event"] == "account.fell"] == [again]
        assert outcomes.held(MARKET).startswith("account: nobody has compared our books")
        assert [(tally.kind, tally.market) for tally in told.floor.faults.tallies()] == [(Kind.FALL, None)]

    play(story)
