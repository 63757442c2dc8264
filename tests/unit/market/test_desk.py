"""What leaves a market's desk, and what is said of what does not."""

import asyncio
from collections.abc import Awaitable, Sequence
from decimal import Decimal

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from kangbot.errors import Refused
from kangbot.machines.plan import Style
from kangbot.market.desk import Desk, Leave
from kangbot.market.inbox import Inbox
from kangbot.market.roster import Command
from kangbot.model.events import Event, OrderIntended, RunState
from kangbot.model.orders import Intent, OrderKind, OrderStatus
from kangbot.model.target import Target
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.world import Clock
from tests.support.floor_story import Story, play
from tests.support.order_venue import Fate
from tests.support.trade_words import MARKET, report


def reasons(logged: Sequence[EventDict]) -> list[str]:
    """Return why nothing left, as the log says."""
    return [line["reason"] for line in logged if line["event"] == "order.blocked"]


def test_what_holds_an_order_back_is_logged_once_a_rule() -> None:
    """Not on every bar, not for other figures, not when it alternates with another reason; anew once an order left."""

    async def story(told: Story) -> None:
        told.risk = type(told.risk)(Limits(leverage=None, market_notional=Decimal(150), stale_data_ns=None))
        await told.live()
        with capture_logs() as logged:
            for price, stop in (("100", "90"), ("101", "91"), ("100", "100"), ("99", "99"), ("100", "90")):
                told.venue.price = Decimal(price)
                told.strategy.want(1, stop)
                await told.bar()
        notional, stop_side = reasons(logged)
        assert "150" in notional
        assert stop_side.startswith("the stop 100 is not beyond")
        assert told.task.desk.blocked.startswith(notional.partition(":")[0])

    play(story)


def test_it_is_said_again_once_an_order_has_left() -> None:
    """What held back the second position is news, though it held back the first one as well."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        with capture_logs() as logged:
            for _ in range(2):
                told.strategy.want(1, "100")
                await told.bar()
                told.strategy.want(1)
                await told.bar()
                told.strategy.want(0)
                await told.bar()
        assert len(told.venue.submits) == 4
        assert len(reasons(logged)) == 2

    play(story)


def test_exits_that_are_refused_on_and_on_are_told_of_once_a_code() -> None:
    """Each is tried and the report counts them; the log has a line for each cause, and anew once one was filled."""

    async def story(told: Story) -> None:
        await told.wants_in()
        codes = ["110017"] * 5 + ["110074"] * 5

        def refuse(_: Intent) -> None:
            if codes:
                raise Refused("not now", code=codes.pop(0))

        told.venue.before_submit = refuse
        told.strategy.want(0)
        with capture_logs() as logged:
            await told.bar()
            while len(codes) > 6:
                await asyncio.sleep(1)
            assert "refused it with 110017 (4 times)" in told.task.desk.blocked
            while told.venue.net:
                told.quote()
                await asyncio.sleep(0.1)
        assert [reason.partition(" with ")[2] for reason in reasons(logged)] == ["110017 (once)", "110074 (once)"]
        codes.extend(["110017"] * 2)
        told.strategy.want(1)
        with capture_logs() as logged:
            await told.bar()
            while not told.venue.net:
                told.quote()
                await asyncio.sleep(0.1)
        assert len(reasons(logged)) == 1

    play(story)


def test_an_entry_brings_its_stop_and_no_further_request() -> None:
    """The stop is believed to rest from the fill on, and confirmed: nothing asks for it a second time."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        for exposure, stop in ((1, "90"), (-1, "110"), (0, None), (1, "90")):
            told.strategy.want(exposure, stop)
            await told.bar()
        assert told.venue.stop == Decimal(90)
        assert [asked for asked, _ in told.venue.asked if asked.startswith("protect")] == []

    play(story)


def test_what_a_market_holds_counts_from_the_desks_beginning() -> None:
    """After a restart another market may enter before this one has had its first turn."""

    async def story(told: Story) -> None:
        await told.wants_in()
        desk, risk = told.task.desk, AccountRisk(Limits())
        held = desk.executor.position
        assert held.net
        Desk(
            spec=told.task.spec,
            instrument=told.task.instrument,
            executor=desk.executor,
            risk=risk,
            inbox=Inbox(Clock()),
            clock=Clock(),
        )
        assert risk.market_exposure(held.market) == abs(held.net) * (held.entry or 0)

    play(story)


def test_a_partly_filled_entry_counts_once() -> None:
    """What was filled counts as the position, and of the order only what is left of it."""

    async def story(told: Story) -> None:
        await told.wants_in(style=Style(kind=OrderKind.LIMIT))
        (entry,) = told.venue.orders
        market = told.task.spec.market
        before = told.risk.market_exposure(market)
        told.venue.trade(entry, entry.quantity / 2)
        await asyncio.sleep(1)
        assert told.task.desk.executor.position.net == entry.quantity / 2
        assert abs(told.risk.market_exposure(market) - before) < before / 20

    play(story)


def test_what_may_leave_is_the_callers_to_say() -> None:
    """Nothing from a market that is drained, no entry from a paused one, whatever either of them wants."""

    async def story(told: Story) -> None:
        await told.live()
        told.quote()
        told.roster.command(MARKET, Command.STOP, "test")
        await told.reach(RunState.STOPPED)
        desk = told.task.desk
        enter, close = (Target(exposure=Decimal(exposure), stop=Decimal(90), reason="test") for exposure in (1, 0))
        for wanted, leave, sent in (
            (enter, Leave.CANCELS, 0),
            (enter, Leave.EXITS, 0),
            (enter, Leave.ANYTHING, 1),
            (close, Leave.CANCELS, 1),
            (close, Leave.EXITS, 2),
        ):
            desk.target = wanted
            desk.act(leave, 0)
            await asyncio.sleep(1)
            assert len(told.venue.submits) == sent
        assert told.venue.net == 0

    play(story)


def test_a_stop_that_the_strategy_moves_is_moved_at_the_venue() -> None:
    """With the position as it is: nothing else leaves."""

    async def story(told: Story) -> None:
        await told.wants_in()
        told.strategy.want(1, "95")
        await told.bar()
        assert (told.venue.net, told.venue.stop) == (Decimal(2), Decimal(95))
        assert len(told.venue.submits) == 1

    play(story)


async def refused(told: Story) -> None:
    """Have the venue refuse an entry for a quarter of an hour, and take whatever comes after that."""
    told.venue.fates.extend([Fate.REFUSED] * 100)
    await told.wants_in()
    for _ in range(15):
        await told.bar()
    assert told.task.desk.blocked.startswith("the last order came to nothing: the next one waits, for the venue")
    told.venue.fates.clear()


def test_what_the_venue_refuses_holds_up_no_other_target() -> None:
    """It is another question."""

    async def story(told: Story) -> None:
        await refused(told)
        told.strategy.want(-1, "110")
        await told.bar()
        assert told.venue.net == -2

    play(story)


def test_what_the_venue_refuses_is_tried_at_once_where_a_person_wants_it() -> None:
    """Who has put something right at the exchange need not wait for up to an hour."""

    async def story(told: Story) -> None:
        await refused(told)
        told.floor.force_retry(MARKET, "anna")
        await asyncio.sleep(1)
        assert told.venue.net == 2

    play(story)


def test_an_entry_that_shows_itself_after_its_end_counts_anew() -> None:
    """The venue refused it, and it rests there all the same: it may be filled, as any other."""

    async def story(told: Story) -> None:
        told.venue.fates.extend([Fate.REFUSED] * 100)
        await told.wants_in(style=Style(kind=OrderKind.LIMIT))
        name = told.venue.submits[0]
        told.strategy.want(0)
        await told.bar()
        desk = told.task.desk
        assert not desk.executor.orders
        assert told.risk.total_exposure == 0
        told.task.inbox.put(report(OrderStatus.ACKED, quantity=2))
        await asyncio.sleep(0.1)
        (order,) = desk.executor.orders
        assert (order.client_id, told.risk.total_exposure) == (name, told.risk.worst_case(order.intent))
        assert told.risk.total_exposure > 0
        told.task.inbox.put(report(OrderStatus.CANCELED, quantity=2))
        await asyncio.sleep(0.1)
        assert not desk.executor.orders
        assert told.risk.total_exposure == 0

    play(story)


def test_an_entry_that_falls_before_there_is_an_order_keeps_no_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for its record: the market begins anew, and what was admitted is not counted for ever."""

    async def story(told: Story) -> None:
        await told.live()
        append, refused = told.disk.append, list[Event]()

        def hungry(*events: Event, **how: bool) -> Awaitable[int]:
            if not refused and isinstance(events[0], OrderIntended):
                refused.extend(events)
                raise MemoryError
            return append(*events, **how)

        monkeypatch.setattr(told.disk, "append", hungry)
        told.quote()
        told.strategy.want(1)
        await told.bar()
        told.strategy.want(0)
        await asyncio.sleep(60)
        for _ in range(3):
            await told.bar()
        desk = told.task.desk
        assert refused
        assert not desk.executor.orders
        assert desk.executor.position.net == 0
        assert told.risk.total_exposure == 0

    play(story)
