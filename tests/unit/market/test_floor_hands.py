"""A floor where somebody trades by hand: told, and handled by policy."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.plan import Style
from kangbot.market.naming import UnknownMarketError
from kangbot.market.promises import lifted
from kangbot.market.reporting import report_of
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.model.orders import FillCause, OrderKind, OrderReport, OrderStatus, Side
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET, SECOND


def test_nothing_is_entered_beside_an_order_by_hand() -> None:
    """While it rests, and it is left alone; when it is gone, entries may."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        order = told.venue.by_hand("1", filled=False)
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert told.venue.submits == []
        assert told.task.desk.blocked == "by_hand: somebody traded this market by hand"
        assert report_of(told.task, told.roster[MARKET], 0, {}).by_hand == "order: buy 1"
        assert order.status is OrderStatus.ACKED
        told.venue.close(order, OrderStatus.CANCELED)
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_a_position_by_hand_counts_in_exposure() -> None:
    """The venue keeps one position a contract, and its losses are the account's whoever bought."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.venue.by_hand("3")
        await told.bar()
        assert 295 < told.risk.market_exposure(MARKET) < 305

    play(story)


@pytest.mark.parametrize("policy", [ForeignPolicy.REPORT, ForeignPolicy.QUARANTINE])
def test_an_entry_that_rests_is_withdrawn_where_somebody_trades(policy: ForeignPolicy) -> None:
    """Before the strategy says its next word, which may be a day away."""

    async def story(told: Story) -> None:
        told.foreign = policy
        await told.wants_in(style=Style(kind=OrderKind.LIMIT))
        (entry,) = told.venue.orders
        assert not entry.status.terminal
        told.venue.by_hand("1")
        await asyncio.sleep(1)
        assert entry.status is OrderStatus.CANCELED
        assert told.venue.submits == [entry.client_id]

    play(story)


@pytest.mark.parametrize("unsaid", [(), (OrderReport,)])
def test_an_order_that_somebody_makes_larger_is_withdrawn(unsaid: tuple[type, ...]) -> None:
    """What is left of it would rest beyond every limit, and nobody would cancel it; told once, a restart included."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT))
        (entry,) = told.venue.orders
        told.venue.unsaid = unsaid
        entry.quantity = Decimal(5)
        told.venue.trade(entry, Decimal(2))
        await asyncio.sleep(70)
        assert (entry.status, told.venue.net) == (OrderStatus.CANCELED, Decimal(2))
        assert told.venue.stop == Decimal(90)
        assert kinds(told, "order.amended") == 1

    play(story)


def test_an_order_that_somebody_cancels_is_not_placed_again_at_once() -> None:
    """It is told, and the strategy decides anew, on its next bar."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT, patience_ns=3600 * SECOND))
        told.venue.withdraw(told.venue.orders[0])
        await asyncio.sleep(30)
        assert len(told.venue.submits) == kinds(told, "order.taken_away") == 1
        await told.bar()
        assert len(told.venue.submits) == 2

    play(story)


def kinds(told: Story, kind: str) -> int:
    """Return how many notes of that kind were journalled."""
    return sum(isinstance(event, Noted) and event.kind == kind for event in told.disk.events)


def test_what_somebody_holds_by_hand_is_left_alone() -> None:
    """It is neither closed, nor given a stop, nor added to; our own share is managed as before."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.by_hand("3")
        await asyncio.sleep(1)
        assert report_of(told.task, told.roster[MARKET], 0, {}).by_hand == "position: 3"
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == Decimal(3)
        told.venue.stop = None
        told.strategy.want(1)
        for _ in range(3):
            await told.bar()
        assert told.venue.net == Decimal(3)
        assert told.venue.stop is None
        told.venue.by_hand("3", side=Side.SELL)
        await told.bar()
        await told.bar()
        assert told.venue.net == Decimal(2)

    play(story)


def test_a_position_that_somebody_closed_is_not_opened_again_at_once() -> None:
    """The strategy decides anew, on its next bar."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.by_hand("2", side=Side.SELL)
        await asyncio.sleep(20)
        assert told.venue.net == 0
        assert len(told.venue.submits) == 1

    play(story)


@pytest.mark.parametrize("cause", [FillCause.LIQUIDATION, FillCause.DELEVERAGING, FillCause.SETTLEMENT])
def test_a_position_that_the_venue_closed_is_not_opened_again_at_once(cause: FillCause) -> None:
    """What was wanted was of another market: the strategy decides anew, on its next bar."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.venue.unsaid = (OrderReport,)  # that the venue's own order rests for a moment is not seen
        told.venue.trade(told.venue.by_hand("2", side=Side.SELL, filled=False), Decimal(2), cause=cause)
        await asyncio.sleep(20)
        told.quote()
        await asyncio.sleep(1)
        assert (told.venue.net, len(told.venue.submits)) == (Decimal(0), 1)
        assert told.task.desk.executor.quarantine == ""
        await told.bar()
        assert len(told.venue.submits) == 2

    play(story)


def test_an_adopted_position_is_the_strategys() -> None:
    """It gets a stop, and is closed when the strategy wants out."""

    async def story(told: Story) -> None:
        told.foreign = ForeignPolicy.ADOPT
        await told.live()
        told.quote()
        told.venue.by_hand("3")
        await asyncio.sleep(2)
        assert told.venue.stop == Decimal("95.0")
        told.strategy.want(0)
        await told.bar()
        assert told.venue.net == 0

    play(story)


def test_a_quarantined_market_waits_for_a_person() -> None:
    """Also after what they did is over."""

    async def story(told: Story) -> None:
        told.foreign = ForeignPolicy.QUARANTINE
        await told.live()
        told.quote()
        told.venue.by_hand("1")
        told.venue.by_hand("1", side=Side.SELL)
        await asyncio.sleep(1)
        told.strategy.want(1)
        await told.bar()
        assert told.venue.submits == []
        assert "by no order of ours" in told.task.desk.executor.quarantine
        assert report_of(told.task, told.roster[MARKET], 0, {}).quarantine == told.task.desk.executor.quarantine
        with pytest.raises(UnknownMarketError):
            told.floor.release(MarketId("bybit:NO-SUCH"), "anna")
        for _ in range(2):
            await lifted(told.floor.release(MARKET, "anna"), told.task.desk.executor.kept)
        released = [e.message for e in told.disk.events if isinstance(e, Noted) and e.kind == "market.released"]
        assert len(released) == 1
        assert released[0].startswith("anna lifted the quarantine: ")
        assert report_of(told.task, told.roster[MARKET], 0, {}).quarantine == ""
        await asyncio.sleep(1)
        assert told.venue.net == Decimal(2), "what was wanted before: the next bar may be a day away"

    play(story)


def test_whoever_lifts_a_quarantine_hears_so_once_it_is_on_disk() -> None:
    """Else a `kill -9` within the commit would bring back what they were told is over."""

    async def story(told: Story) -> None:
        await quarantined(told)
        told.disk.slow(2.0)
        await lifted(told.floor.release(MARKET, "anna"), told.task.desk.executor.kept)
        told.disk.crash()
        assert any(isinstance(event, Noted) and event.kind == "market.released" for event in told.disk.events)

    play(story)


def test_whoever_lifts_a_quarantine_hears_of_a_disk_that_does_not_take_it() -> None:
    """One that refuses, one that says nothing, and one that the market's records already wait for."""

    async def story(told: Story) -> None:
        await quarantined(told)
        executor = told.task.desk.executor
        told.disk.hangs = True
        with pytest.raises(NeedsHuman, match=r"bring it back: no word of the disk in 5 s"):
            await lifted(told.floor.release(MARKET, "anna"), executor.kept)
        told.disk.hangs, told.disk.dead = False, True
        executor.tell("market.quarantine", Severity.WARNING, "what the disk is refused with")
        for why in ("bring it back: the disk is full", "bring it back: the journal is behind: the disk is full"):
            with pytest.raises(NeedsHuman, match=why):
                await lifted(told.floor.release(MARKET, "anna"), executor.kept)
            await asyncio.sleep(0.1)
        told.disk.dead = False
        await asyncio.sleep(2)
        await lifted(told.floor.release(MARKET, "anna"), executor.kept)

    play(story)


def test_whoever_lifts_a_quarantine_hears_of_a_market_that_does_not_come_to_it() -> None:
    """The same again waits for the same turn; nothing is lifted before it."""

    async def story(told: Story) -> None:
        await quarantined(told)
        told.task.inbox.take = lambda _deadline_ns: asyncio.sleep(3600)  # type: ignore[method-assign,assignment,return-value]
        told.quote()
        told.task.inbox.look_again()
        await asyncio.sleep(0.1)
        first = told.floor.release(MARKET, "anna")
        assert told.floor.release(MARKET, "anna") is first
        with pytest.raises(Retryable, match="nothing is lifted until it does"):
            await lifted(first, told.task.desk.executor.kept)
        assert told.task.desk.executor.quarantine

    play(story)


async def quarantined(told: Story) -> None:
    """Have a market that waits for a person."""
    told.foreign = ForeignPolicy.QUARANTINE
    await told.live()
    told.quote()
    told.venue.by_hand("1")
    await asyncio.sleep(1)
    assert told.task.desk.executor.quarantine
