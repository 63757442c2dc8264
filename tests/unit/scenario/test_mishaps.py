"""What goes wrong in a session: at its time, for as long as it was drawn, and then everything works again."""

import msgspec
import pytest

from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.plan import Doom, Ruling
from kangbot.sim.world.faults import Fault, Kind
from kangbot.sim.world.process import Spot
from tests.support.scenario_bench import Scene, play, quiet

PLAN = quiet()
FIRST = PLAN.markets[0].market


def fault(kind: Kind, second: float, for_s: float = 10, share: float = 1.0) -> Fault:
    """Return a fault of so many seconds."""
    return Fault(kind=kind, at_ns=int(second * SECOND_NS), for_ns=int(for_s * SECOND_NS), share=share)


def test_a_fault_is_in_force_for_its_time() -> None:
    """No sooner and no longer, and it is told."""

    async def story(scene: Scene) -> None:
        found = []
        for second in (19, 21, 29, 31):
            await scene.at(second)
            found.append(scene.faults.on(Kind.SERVER_ERROR))
        assert found == [False, True, True, False]

    scene = play(quiet(faults=(fault(Kind.SERVER_ERROR, 20, share=0.25),)), story)
    assert scene.noted("fault") == ["20 server_error for 10.0 s, 0.25"]


def test_questions_see_nothing_new_while_answers_are_stale() -> None:
    """By a second, and then all of it."""

    async def story(scene: Scene) -> None:
        lags = []
        for second in (19, 21, 31):
            await scene.at(second)
            lags.append(scene._outside.front.lag_ns)
        assert lags == [0, SECOND_NS, 0]

    play(quiet(faults=(fault(Kind.STALE_ANSWERS, 20),)), story)


@pytest.mark.parametrize("kind", [Kind.PUBLIC_DOWN, Kind.PRIVATE_DOWN, Kind.PARTITION, Kind.HALF_OPEN, Kind.MUTE])
def test_streams_break_or_fall_silent_and_are_healed_when_it_is_over(kind: Kind) -> None:
    """One that is broken is counted at once; one that is silent when it would have said something."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        feeds = scene.life.feeds
        assert (feeds._public_up, feeds._private_up, feeds._silent) == (True, True, {})
        await scene.at(21)
        up = (feeds._public_up, feeds._private_up, len(feeds._silent))
        assert (
            up
            == {
                Kind.PUBLIC_DOWN: (False, True, 0),
                Kind.PRIVATE_DOWN: (True, False, 0),
                Kind.PARTITION: (False, False, 0),
                Kind.HALF_OPEN: (False, False, 0),
                Kind.MUTE: (True, True, 1),
            }[kind]
        )
        await scene.at(31)
        assert (feeds._public_up, feeds._private_up, feeds._silent) == (True, True, {})
        assert scene.faults.counts[kind] > 0 or kind in (Kind.PARTITION, Kind.HALF_OPEN)

    play(quiet(faults=(fault(kind, 20),)), story)


def test_a_crash_comes_at_its_spot_and_the_daemon_is_away_as_long_as_was_drawn() -> None:
    """Each has its own, in their order."""
    crashes = (fault(Kind.CRASH, 20), fault(Kind.CRASH, 50))
    dooms = (
        Doom(spot=Spot.APPEND, passes=10**9, away_ns=3 * SECOND_NS),  # never passed: it dies five seconds later
        Doom(spot=Spot.COMMIT, passes=1, away_ns=8 * SECOND_NS),
    )

    async def story(scene: Scene) -> None:
        await scene.at(24.9)
        assert (scene.up, scene.lives) == (True, 1)
        await scene.at(25.1)
        assert not scene.up
        await scene.at(28.1)
        assert (scene.up, scene.lives) == (True, 2)
        await scene.at(55.1)
        assert not scene.up

    scene = play(quiet(faults=crashes, dooms=dooms), story)
    assert scene.faults.counts[Kind.CRASH] == 2
    died = [line for line in scene.noted("daemon") if "dies" in line]
    assert died[0] == "25 dies where it stands"
    assert died[1].endswith("dies commit")


def test_a_crash_while_another_is_decided_comes_to_nothing() -> None:
    """The process dies once, by the first."""
    crashes = (fault(Kind.CRASH, 20), fault(Kind.CRASH, 21))
    dooms = (
        Doom(spot=Spot.APPEND, passes=10**9, away_ns=3 * SECOND_NS),
        Doom(spot=Spot.COMMIT, passes=1, away_ns=60 * SECOND_NS),
    )

    async def story(scene: Scene) -> None:
        await scene.at(24.9)
        assert scene.up
        await scene.at(28.1)
        assert (scene.up, scene.lives) == (True, 2)

    scene = play(quiet(faults=crashes, dooms=dooms), story)
    assert scene.faults.counts[Kind.CRASH] == 1


def test_a_wall_clock_that_is_wrong_is_seen_by_the_next_start() -> None:
    """By half a second at most; the one that runs knows nothing of it."""

    async def story(scene: Scene) -> None:
        await scene.at(21)
        assert 0 < abs(scene._mishaps.wrong_ns) <= SECOND_NS // 2
        assert scene.life.clock.now_ns() == scene.true_ns()
        scene.die(away_s=1)
        await scene.at(25)
        assert scene.life.clock.now_ns() - scene.true_ns() == scene._mishaps.wrong_ns

    scene = play(quiet(faults=(fault(Kind.CLOCK_STEP, 20, 0),)), story)
    assert scene.faults.counts[Kind.CLOCK_STEP] == 1


def test_another_host_of_the_venue_has_another_clock() -> None:
    """Within the time of the fault; from then on."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        assert scene._venue_time.door_ns() == scene.true_ns()
        await scene.at(31)
        assert 0 < abs(scene._venue_time.door_ns() - scene.true_ns()) <= 10 * SECOND_NS

    scene = play(quiet(faults=(fault(Kind.VENUE_CLOCK_STEP, 20),)), story)
    assert scene.faults.counts[Kind.VENUE_CLOCK_STEP] == 1
    assert "the venue's clock is" in scene.noted("fault")[-1]


def test_the_venue_changes_its_rules_at_its_time() -> None:
    """And that is counted."""
    before = PLAN.markets[0].instrument
    after = msgspec.structs.replace(before, step=before.step * 2)

    async def story(scene: Scene) -> None:
        await scene.at(19)
        assert scene.engine.desks[FIRST].spec.instrument == before
        await scene.at(21)
        assert scene.engine.desks[FIRST].spec.instrument == after

    scene = play(quiet(rulings=(Ruling(at_ns=20 * SECOND_NS, instrument=after),)), story)
    assert scene.invariants.deeds["rules_changed"] == 1


def test_in_the_end_everything_works_and_the_process_lives() -> None:
    """Whatever was to go on for longer; a death that was decided does not come any more."""
    faults = (fault(Kind.LOSS, 20, 200), fault(Kind.PUBLIC_DOWN, 20, 200), fault(Kind.CRASH, 27))
    dooms = (Doom(spot=Spot.APPEND, passes=10**9, away_ns=SECOND_NS),)

    async def story(scene: Scene) -> None:
        await scene.at(30)
        assert scene.life.process.doomed
        scene._mishaps.end()
        assert not any(scene.faults.on(kind) for kind in Kind)
        assert scene.life.feeds._public_up
        await scene.at(60)
        assert (scene.up, scene.lives) == (True, 1)

    scene = play(quiet(faults=faults, dooms=dooms), story)
    assert scene.noted("fault")[-1] == "30 all over"


def test_streams_of_a_daemon_that_is_away_are_left_alone() -> None:
    """It has none; those of the next one are up."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        scene.die(away_s=3)
        await scene.at(24)
        assert scene.life.feeds._public_up

    play(quiet(faults=(fault(Kind.PUBLIC_DOWN, 20, 1),)), story)
