"""What of a floor must never die: a venue that is away leaves it alive, a task that is gone does not."""

import asyncio

from kangbot.errors import Retryable
from kangbot.health.vitals import Vitals
from kangbot.market.vitals import watch
from kangbot.model.events import BreakerState, Lane
from kangbot.runtime.world import SECOND_NS
from tests.support.floor_story import Story, play
from tests.support.trade_words import MARKET


async def watched(told: Story, for_s: int) -> list[str]:
    """Look at the floor every five seconds for so long; return what was said, once each."""
    vitals, clock = Vitals(), told.world.clock
    watch(vitals, told.floor, clock, longest_wait_s=60)
    said: dict[str, None] = {}
    for _ in range(for_s // 5):
        await asyncio.sleep(5)
        said[vitals.stuck(clock.now_ns())] = None
    return list(said)


def end(name: str) -> None:
    """Take a task out of the world, in silence."""
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == name)
    task.cancel()


def test_a_venue_that_hangs_for_an_hour_makes_nothing_stuck() -> None:
    """Its questions fail one after another: each is a try."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.questions_hang = True
        assert await watched(told, 3600) == [""]

    play(story)


def test_a_ban_of_an_hour_makes_nothing_stuck() -> None:
    """While the venue asked to be left alone, no round is due."""

    async def story(told: Story) -> None:
        await told.live()
        told.venue.limits_ns = 3600 * SECOND_NS
        assert await watched(told, 4000) == [""]

    play(story)


def test_an_account_without_its_keeper_is_named() -> None:
    """Nothing else would notice: the stream flows, and no round is made."""

    async def story(told: Story) -> None:
        await told.live()
        end("floor/account")
        assert await watched(told, 355) == [""]
        assert (await watched(told, 370))[:2] == ["", "account for 360 s"]

    play(story)


def test_a_market_without_its_task_is_named_once_work_waits() -> None:
    """Quiet, it has nothing to do; with a bar in its inbox, it has two minutes."""

    async def story(told: Story) -> None:
        await told.live()
        end(f"floor/{MARKET}")
        told.task.inbox.put(object())
        assert (await watched(told, 130))[:2] == ["", f"market {MARKET} for 120 s"]

    play(story)


def test_breakers_that_nobody_probes_are_named() -> None:
    """An open one would stay open for ever, and its market would never enter again."""

    async def story(told: Story) -> None:
        await told.live()
        for _ in range(5):
            told.floor.circuits.ended(MARKET, Lane.ENTRY, Retryable("away"))
        assert told.floor.circuits.breakers.of(MARKET, Lane.ENTRY).state is BreakerState.OPEN
        end("floor/circuits")
        assert "breakers for 300 s" in await watched(told, 900)

    play(story)


def test_breakers_that_are_probed_in_vain_for_an_hour_are_well() -> None:
    """Each probe is a try."""

    async def story(told: Story) -> None:
        await told.live()
        for _ in range(5):
            told.floor.circuits.ended(MARKET, Lane.ENTRY, Retryable("away"))
        told.venue.questions_hang = True
        assert await watched(told, 3600) == [""]
        assert told.floor.circuits.probes

    play(story)
