"""A floor whose judge hears what an edit changes there, before it does."""

from decimal import Decimal

import msgspec

from kangbot.market.spec import MarketSpec
from kangbot.model.ids import MarketId
from kangbot.scenario.told_floor import ToldFloor
from tests.support.scenario_bench import Scene, play, quiet

PLAN = quiet()
FIRST, SECOND = PLAN.specs


def floor_of(scene: Scene) -> ToldFloor:
    """Return the floor of the daemon's life."""
    floor = scene.life.floor
    assert isinstance(floor, ToldFloor)
    return floor


def change(scene: Scene, *changes: MarketSpec, leaves: tuple[MarketId, ...] = ()) -> dict[str, int]:
    """Have the floor changed; return what the judge has counted of it."""
    scene.invariants.deeds.clear()
    floor_of(scene).change(joins=[], leaves=leaves, changes=changes, caller="test")
    return {deed: count for deed, count in scene.invariants.deeds.items() if count and deed.startswith("market_")}


def heard(scene: Scene, market: MarketId) -> MarketSpec:
    """Return what is wanted of the market by now."""
    return floor_of(scene).markets[market].wanted


def test_a_change_is_counted_by_what_is_other() -> None:
    """What is the same is counted as nothing."""

    async def story(scene: Scene) -> None:
        await scene.live()
        wanted = heard(scene, FIRST.market)
        assert change(scene, wanted) == {}
        assert change(scene, msgspec.structs.replace(wanted, leverage=wanted.leverage + 1)) == {"market_levered": 1}
        levered = heard(scene, FIRST.market)
        assert levered.leverage == FIRST.leverage + 1
        otherwise = msgspec.structs.replace(levered, timeframe="20s", timeframe_s=20)
        assert change(scene, otherwise) == {"market_decides_otherwise": 1}
        patient = msgspec.structs.replace(otherwise.style, patience_ns=1)
        orders = msgspec.structs.replace(heard(scene, FIRST.market), style=patient)
        assert change(scene, orders) == {"market_orders_otherwise": 1}

    play(PLAN, story)


def test_a_market_that_is_resized_is_busy_where_it_holds_something() -> None:
    """Or has an order on its way."""

    async def story(scene: Scene) -> None:
        counted = {}
        for second, size in ((2, FIRST.size * Decimal("0.9")), (60, FIRST.size)):
            await scene.at(second)
            task, wanted = floor_of(scene).markets[FIRST.market], heard(scene, FIRST.market)
            counted[task.desk.holds] = change(scene, msgspec.structs.replace(wanted, size=size))
        assert counted == {
            False: {"market_resized": 1},
            True: {"market_resized": 1, "market_resized_busy": 1},
        }

    play(PLAN, story)


def test_a_market_that_leaves_is_counted_with_what_it_leaves_behind() -> None:
    """One that comes back is counted too, and keeps its books."""

    async def story(scene: Scene) -> None:
        await scene.at(60)
        assert floor_of(scene).markets[FIRST.market].desk.holds
        assert change(scene, leaves=(FIRST.market,)) == {"market_left": 1, "market_left_holding": 1}
        scene.invariants.deeds.clear()
        floor_of(scene).change(joins=[(FIRST, None)], leaves=(), changes=(), caller="test")
        assert scene.invariants.deeds["market_back"] == 1
        assert floor_of(scene).markets[FIRST.market].desk.holds

    play(PLAN, story)


def test_what_the_dead_change_is_told_to_nobody_and_changes_nothing() -> None:
    """Its tasks run on for a turn of the loop."""

    async def story(scene: Scene) -> None:
        await scene.live()
        floor = floor_of(scene)
        scene.die()
        scene.invariants.deeds.clear()
        floor.change(
            joins=[], leaves=(FIRST.market,), changes=[msgspec.structs.replace(SECOND, size=Decimal(1))], caller="test"
        )
        assert not scene.invariants.deeds
        assert floor.markets[SECOND.market].wanted.size == SECOND.size

    play(PLAN, story)
