"""A floor of one market whose strategy takes its time; virtual time for the market, real time for the strategy."""

import time

from kangbot.machines.slowness import MILLISECOND_NS, Bounds
from kangbot.market.roster import Command
from kangbot.model.events import Noted, RunState
from kangbot.runtime.alarm import Alarm
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET

BOUNDS = Bounds(slow_ns=30 * MILLISECOND_NS, block_ns=300 * MILLISECOND_NS, times=4)


def noted(told: Story, kind: str) -> list[str]:
    """Return what the journal says under that name."""
    return [event.message for event in told.disk.events if isinstance(event, Noted) and event.kind == kind]


async def hold(told: Story) -> None:
    """Go live and enter."""
    told.decisions = BOUNDS
    await told.live()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == 2


def test_a_slow_strategy_is_named_once_and_goes_on() -> None:
    """Two slow bars are one word; the market trades on."""

    async def story(told: Story) -> None:
        await hold(told)
        told.strategy.busy = lambda: time.sleep(0.05)
        await told.bar()
        await told.bar()
        assert len(noted(told, "strategy.slow")) == 1
        assert told.state is RunState.LIVE
        assert told.task.overseer.longest_ms >= 50
        told.strategy.busy = None
        for _ in range(11):
            await told.bar()
        assert len(noted(told, "strategy.quick")) == 1

    play(story)


def test_a_strategy_that_blocks_is_stopped_and_its_position_stays_protected() -> None:
    """The market alone is FAILED, with the reason; its stop is seen to, its books are kept; a start forgives."""

    async def story(told: Story) -> None:
        await hold(told)
        told.strategy.busy = lambda: time.sleep(0.35)
        told.strategy.want(0)
        await told.bar()
        await told.reach(RunState.FAILED)
        assert "for a bar; 300 ms are the most" in told.roster[MARKET].reason
        assert len(noted(told, "strategy.stopped")) == 1
        assert told.venue.net == 2  # what it wanted last is not done
        told.venue.stop = None
        told.venue.push(told.venue.position())
        await told.bar()
        assert told.venue.position().stop is not None
        assert len(noted(told, "strategy.stopped")) == 1
        told.strategy.busy = None
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.LIVE)
        assert not told.task.overseer.why

    play(story)


def test_a_strategy_that_is_slow_again_and_again_is_stopped() -> None:
    """The fourth time within ten minutes."""

    async def story(told: Story) -> None:
        await hold(told)
        told.strategy.busy = lambda: time.sleep(0.04)
        for _ in range(3):
            await told.bar()
        assert told.state is RunState.LIVE
        await told.bar()
        await told.reach(RunState.FAILED)
        assert told.roster[MARKET].reason == "its strategy took more than 30 ms 4 times within 600 s"

    play(story)


def test_a_strategy_that_never_returns_is_interrupted() -> None:
    """In the middle of its loop; the daemon goes on."""

    def spin() -> None:
        while True:
            pass

    async def story(told: Story) -> None:
        await hold(told)
        told.strategy.busy = spin
        await told.bar()
        await told.reach(RunState.FAILED)
        assert "did not return, and was interrupted" in told.roster[MARKET].reason

    alarm = Alarm(0.5)

    async def with_alarm(told: Story) -> None:
        told.alarm = alarm
        await story(told)

    try:
        play(with_alarm)
    finally:
        alarm.close()


def test_warming_up_is_measured_as_well() -> None:
    """A strategy that blocks on history never goes live, and blocks once, not once for each bar of it."""

    async def story(told: Story) -> None:
        told.decisions = BOUNDS
        told.strategy.busy_closes = lambda: time.sleep(0.35)
        await told.open()
        told.roster.command(MARKET, Command.START, "test")
        await told.reach(RunState.FAILED)
        assert len(told.strategy.made[-1].opened) == 1

    play(story)
