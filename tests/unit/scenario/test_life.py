"""One life of the daemon in a simulation: what an operator can do with it, and what the dead cannot."""

import asyncio
from decimal import Decimal

import pytest

from kangbot.machines.killswitch import FILE, Wish
from kangbot.model.events import OrderIntended, RunState
from kangbot.model.ids import CLIENT_ID_PREFIX
from kangbot.risk.account import AccountRisk
from kangbot.scenario.life import STATE, rememberers
from kangbot.scenario.reloads import By, settings_of
from kangbot.sim.world.process import Spot
from tests.support.scenario_bench import Scene, play, quiet

PLAN = quiet()
WISH = Wish(reason="a person wants to look", flatten=False)


def test_those_who_remember_are_made_anew_each_time() -> None:
    """What one has heard the next has not: a compaction folds the records for itself."""
    first, second = rememberers(PLAN, PLAN.limits), rememberers(PLAN, PLAN.limits)
    assert list(first) == list(second) == ["risk", "breakers", "pauses", "transfers"]
    assert not {id(one) for one in first.values()} & {id(one) for one in second.values()}
    assert isinstance(first["risk"], AccountRisk)
    assert first["risk"].limits == PLAN.limits


def test_a_daemon_starts_trades_and_is_held_to_what_it_sends() -> None:
    """The judge has each order as it leaves, and its intent as it was written."""

    async def story(scene: Scene) -> None:
        assert (scene.life.floor, scene.life.roster, scene.life.drain) == (None, None, None)
        await scene.live()
        await scene.at(30)
        roster = scene.life.roster
        assert roster is not None
        assert roster.count(RunState.LIVE) == len(PLAN.markets)
        ours = [order for order in scene.engine.orders if order.request.client_id.startswith(CLIENT_ID_PREFIX)]
        assert ours
        assert {order.request.client_id for order in ours} == set(scene.invariants.intents)
        sends = [line for line in scene.trace.timeline() if "  sends " in line]
        assert len(sends) == len(ours)

    scene = play(PLAN, story)
    assert scene.invariants.violation is None


@pytest.mark.parametrize("by_file", [True, False])
def test_the_kill_switch_is_set_and_released_by_its_file_or_by_a_call(by_file: bool) -> None:
    """A file is there at once, and heeded when it is looked at; either outlives the process."""

    async def story(scene: Scene) -> None:
        await scene.live()
        scene.life.kill(WISH, by_file=by_file)
        assert (STATE / FILE in scene._outside.files) is by_file
        await asyncio.sleep(5)
        assert scene.invariants.killing.set
        assert STATE / FILE in scene._outside.files
        scene.die(away_s=1)
        await asyncio.sleep(10)
        assert scene.invariants.killing.set
        scene.life.release(by_file=by_file)
        await asyncio.sleep(5)
        assert (scene.invariants.killing.set, STATE / FILE in scene._outside.files) == (False, False)

    scene = play(PLAN, story)
    assert scene.invariants.deeds["kill_survived_restart"] == 1
    assert scene.invariants.violation is None


def test_a_drawdown_is_accepted_where_there_is_one() -> None:
    """And then equity counts anew: there is none any more."""

    async def story(scene: Scene) -> None:
        await scene.live()
        await scene.at(60)
        assert scene.life.drawdown_percent > 0
        assert scene.life.day_loss >= 0
        assert scene.life.accept()
        assert scene.life.drawdown_percent == 0
        assert not scene.life.accept()

    play(PLAN, story)


@pytest.mark.parametrize("by", By)
def test_the_file_is_read_as_it_was_asked_for(by: By) -> None:
    """By a signal or a call at once; a look of its own comes by itself."""
    begun = settings_of(PLAN.specs, PLAN.limits, PLAN.foreign)

    async def story(scene: Scene) -> None:
        await scene.live()
        assert scene._saved is not None
        scene._saved.save(settings_of(PLAN.specs[1:], PLAN.limits, PLAN.foreign))
        scene.life.reload(by)
        await asyncio.sleep(1)
        editor = scene.life.editor
        assert editor is not None
        assert len(editor.settings.trading) == (2 if by is By.LOOK else 1)
        await asyncio.sleep(20)
        assert len(editor.settings.trading) == 1

    play(quiet(begun=begun), story)


def test_a_life_without_a_file_has_nothing_to_read() -> None:
    """It goes on as the plan has it."""

    async def story(scene: Scene) -> None:
        await scene.live()
        for by in By:
            scene.life.reload(by)
        await asyncio.sleep(1)
        assert scene.life.editor is None

    assert play(PLAN, story).invariants.violation is None


def test_a_fall_is_told_while_the_process_lives() -> None:
    """What a dead one's tasks come to means nothing."""

    async def story(scene: Scene) -> None:
        await scene.live()
        life = scene.life
        scene.die()
        life._crashed("drain", ValueError("late"))
        life._doubled("another one")
        assert scene.invariants.violation is None
        await asyncio.sleep(10)
        scene.life._crashed("drain", ValueError("now"))

    scene = play(PLAN, story)
    assert scene.invariants.violation is not None
    assert scene.invariants.violation.message == "drain fell: ValueError('now')"


def test_a_process_that_dies_as_an_order_leaves_knows_of_it_when_it_is_back() -> None:
    """The intent is on disk, and the order at the venue: once."""

    async def story(scene: Scene) -> None:
        await asyncio.sleep(0)
        scene.life.process.doom(Spot.AFTER_SEND, 1)
        scene._mishaps.away_ns = 10**9
        await scene.at(60)
        assert scene.lives > 1
        ours = [order.request.client_id for order in scene.engine.orders if order.request.client_id]
        assert len(ours) == len(set(ours)) > 0
        intended = [
            event.intent.client_id
            for number in range(1, scene._outside.disk.last + 1)
            if isinstance(event := scene._outside.disk.record(number).event, OrderIntended)
        ]
        assert set(ours) <= set(intended)
        assert Decimal(len(intended)) >= len(ours)

    scene = play(PLAN, story)
    assert scene.invariants.violation is None
