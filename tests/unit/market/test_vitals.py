"""What of a floor must never die: a venue that is away leaves it alive, a task that is gone does not."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

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


def test_a_market_that_always_has_work_and_does_it_is_well() -> None:
    """Something lies in its inbox at every look."""

    async def story(told: Story) -> None:
        await told.live()
        vitals, clock = Vitals(), told.world.clock
        watch(vitals, told.floor, clock, longest_wait_s=60)
        for _ in range(60):
            told.task.inbox.look_again()
            assert vitals.stuck(clock.now_ns()) == ""
            await asyncio.sleep(5)

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


# ---------------------------------------------------------------------------------------------------------- supervision
async def _forever(*_: object) -> None:
    """Hang, as what waits for an answer that never comes."""
    await asyncio.Event().wait()


def _raise(*_: object) -> None:
    raise ValueError("a fault of ours")


def _market_waits_for_ever(told: Story, patch: pytest.MonkeyPatch) -> None:
    """Its turn falls, and its supervisor's wait has no end."""
    patch.setattr("kangbot.runtime.supervisor.asyncio", SimpleNamespace(sleep=_forever))
    patch.setattr(told.task, "_turn", _raise)


def _market_hangs(told: Story, patch: pytest.MonkeyPatch) -> None:
    """It does not wake up for what lies in its inbox."""
    patch.setattr(told.task.inbox, "take", _forever)


def _market_is_gone(told: Story, patch: pytest.MonkeyPatch) -> None:
    """Its supervisor ended in silence."""
    del told, patch
    end(f"floor/{MARKET}")


def _account_waits_for_ever(told: Story, patch: pytest.MonkeyPatch) -> None:
    """The account's keeper falls, and its supervisor's wait has no end."""
    patch.setattr("kangbot.runtime.supervisor.asyncio", SimpleNamespace(sleep=_forever))
    patch.setattr(told.floor.account, "_busy", _raise)


def _account_hangs(told: Story, patch: pytest.MonkeyPatch) -> None:
    """It does not wake up for its next round."""
    patch.setattr(told.floor.account, "_wait", _forever)


@pytest.mark.parametrize(
    ("stall", "what", "within_s"),
    [
        (_market_waits_for_ever, f"market {MARKET}", 60 + 60 + 120),  # it falls over one round, and leaves the next
        (_market_hangs, f"market {MARKET}", 60 + 120),
        (_market_is_gone, f"market {MARKET}", 60 + 120),
        (_account_waits_for_ever, "account", 60 + 360),
        (_account_hangs, "account", 60 + 360),
    ],
)
def test_however_a_supervisor_stalls_in_a_quiet_market_it_is_named(
    stall: Callable[[Story, pytest.MonkeyPatch], None], what: str, within_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bar, no price, no order: the account's next round is what it leaves lying, or does not make."""

    async def story(told: Story) -> None:
        await told.live()
        await asyncio.sleep(60)
        assert await watched(told, 120) == [""]
        with monkeypatch.context() as patch:
            stall(told, patch)
            said = await watched(told, within_s + 15)
            assert any(words.startswith(f"{what} for ") for words in said), said

    play(story)
