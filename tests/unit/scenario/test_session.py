"""A session as a whole: its acts, its end, and what is told of it."""

import asyncio

import msgspec
import pytest

from kangbot.model.orders import OrderKind, Side
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.plan import LIVENESS_NS, Options
from kangbot.scenario.session import Session, played
from kangbot.sim.exchange.orders import OrderRequest
from kangbot.sim.world.faults import Kind
from kangbot.sim.world.loop import run
from tests.support.scenario_bench import Scene, play, quiet

PLAN = quiet()


async def test_a_session_takes_place_in_virtual_time() -> None:
    """Any other loop is refused: minutes would be minutes."""
    with pytest.raises(TypeError, match="virtual time"):
        Session(PLAN)


def test_a_session_that_keeps_every_promise_is_told_in_figures() -> None:
    """Three lives: the one that trades, and two that find nothing to do."""
    outcome = run(played(1, Options(minutes=3, markets=1, kinds=())))
    assert (outcome.seed, outcome.violation, outcome.timeline) == (1, None, ())
    assert (outcome.crashes, outcome.faults, outcome.lives) == (0, {}, 3)
    assert min(outcome.orders, outcome.fills, outcome.records) > 0
    assert 90 < outcome.virtual_seconds < 180
    assert outcome.virtual_seconds > LIVENESS_NS / SECOND_NS
    assert len(outcome.digest) == 64


def test_a_daemon_that_is_away_comes_back_with_another_journalled_life() -> None:
    """After as long as was drawn; the trace has both."""

    async def story(scene: Scene) -> None:
        await scene.live()
        await scene.at(20)
        scene.die(away_s=5)
        assert not scene.up
        await scene.at(24.9)
        assert (scene.up, scene.lives) == (False, 1)
        await scene.at(25.1)
        assert (scene.up, scene.lives) == (True, 2)

    scene = play(PLAN, story)
    assert scene.noted("daemon") == ["0 starts for the 1. time", "20 dies where it stands", "25 starts for the 2. time"]


def test_a_task_of_the_dead_that_goes_on_is_told() -> None:
    """When the next one starts: it would trade beside it."""

    async def story(scene: Scene) -> None:
        await scene.live()
        scene.die(away_s=1)
        await asyncio.sleep(0.5)
        lingering = asyncio.get_running_loop().create_task(asyncio.sleep(100), name="lingers")
        await asyncio.sleep(1)
        lingering.cancel()

    scene = play(PLAN, story)
    assert scene.invariants.violation is not None
    assert scene.invariants.violation.message == "tasks of a dead process go on: lingers"


def test_a_callback_that_raises_is_a_fall() -> None:
    """Whoever made it; what the dead do has no meaning."""

    def fail() -> None:
        raise ValueError("no")

    async def story(scene: Scene) -> None:
        await scene.live()
        scene.die(away_s=1)
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.1)
        assert scene.invariants.violation is None
        await asyncio.sleep(2)
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.1)

    scene = play(PLAN, story)
    assert scene.invariants.violation is not None
    assert scene.invariants.violation.invariant == "fall"
    assert "ValueError('no')" in scene.invariants.violation.message


def test_an_outcome_has_what_led_to_a_violation_and_where_it_came() -> None:
    """A session ends there."""

    async def story(scene: Scene) -> None:
        await scene.live()
        scene.invariants.fail(7, "a promise")
        began_ns = scene.now_ns()
        await scene._until(began_ns + 600 * SECOND_NS)
        assert scene.now_ns() - began_ns <= 5 * SECOND_NS

    outcome = play(PLAN, story).outcome()
    assert outcome.violation is not None
    assert (outcome.violation.invariant, outcome.violation.message) == ("7", "a promise")
    assert outcome.timeline


def closing(scene: Scene) -> OrderRequest:
    """Return an order by hand that closes what is held in the first market."""
    market = scene.markets[0]
    net = scene.engine.account.holding(market).net
    assert net
    return OrderRequest(
        market=market, side=Side.SELL if net > 0 else Side.BUY, kind=OrderKind.MARKET, quantity=abs(net)
    )


def test_what_is_not_as_it_must_be_is_found_in_the_calm() -> None:
    """Nothing, where a daemon trades quietly; and no daemon is the first of it."""

    async def story(scene: Scene) -> None:
        await scene.live()
        await scene.at(30)
        assert scene._wrong(scene.now_ns()) == []
        scene.engine.submit(closing(scene), scene._venue_time.now_ns())
        (found,) = [what for what in scene._wrong(scene.now_ns()) if "we count" in what]
        assert found.startswith(f"{scene.markets[0]}: we count")
        scene.die(away_s=1)
        assert scene._wrong(scene.now_ns()) == ["the daemon is not up"]

    play(PLAN, story)


def test_a_stop_that_is_gone_is_found() -> None:
    """The position is there, and nothing guards it."""

    async def story(scene: Scene) -> None:
        await scene.live()
        await scene.at(30)
        market = next(one for one in scene.markets if scene.engine.account.holding(one).net)
        scene.engine.set_stops(market, None, None, scene._venue_time.now_ns())
        assert any("has no stop at the venue" in what for what in scene._wrong(scene.now_ns()))
        assert not scene._at_rest()

    play(PLAN, story)


def test_hidden_answers_are_counted_as_the_fault_that_hid_them() -> None:
    """And a day that turned is a deed."""

    async def story(scene: Scene) -> None:
        scene._outside.front.hidden = 3
        await scene.at(120)

    midnight = msgspec.structs.replace(PLAN, start_ns=PLAN.start_ns + 86_340 * SECOND_NS)
    outcome = play(midnight, story).outcome()
    assert outcome.faults[Kind.STALE_ANSWERS.value] == 3
    assert outcome.deeds["midnight"] == 1
