"""What people do in a session: at its time, to whatever daemon there is, and at the venue past it."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from kangbot.machines.killswitch import FILE
from kangbot.market.roster import Command
from kangbot.model.events import Desired
from kangbot.model.ids import MarketId
from kangbot.model.orders import OrderStatus, Side
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.life import STATE
from kangbot.scenario.plan import BALANCE, Hand, Move, Order, Switch
from kangbot.scenario.reloads import By, Edit, settings_of
from kangbot.settings import Settings
from tests.support.scenario_bench import Scene, play, quiet

D = Decimal
PLAN = quiet()
FIRST, SECOND = (market.market for market in PLAN.markets)


def at(second: float) -> int:
    """Return the time since the start, in nanoseconds."""
    return int(second * SECOND_NS)


# ------------------------------------------------------------------------------------------------------------ commands
def test_an_operator_commands_markets() -> None:
    """One that is not configured is nobody's mistake."""

    async def story(scene: Scene) -> None:
        await scene.at(25)
        roster = scene.life.roster
        assert roster is not None
        assert (roster[FIRST].desired, roster[SECOND].desired) == (Desired.PAUSED, Desired.RUNNING)

    orders = (
        Order(at_ns=at(20), market=MarketId("bybit:NOPE-USDT:USDT"), command=Command.STOP),
        Order(at_ns=at(21), market=FIRST, command=Command.PAUSE),
    )
    scene = play(quiet(orders=orders), story)
    assert scene.invariants.violation is None
    assert scene.noted("operator") == ["20 stop bybit:NOPE-USDT:USDT", f"21 pause {FIRST}"]


def test_a_command_while_the_daemon_is_away_is_nobodys() -> None:
    """The operator sees that it is not there."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        scene.die(away_s=5)
        await scene.at(30)
        roster = scene.life.roster
        assert roster is not None
        assert roster[FIRST].desired is Desired.RUNNING

    scene = play(quiet(orders=(Order(at_ns=at(20), market=FIRST, command=Command.PAUSE),)), story)
    assert scene.noted("operator") == []


# --------------------------------------------------------------------------------------------------------- kill switch
@pytest.mark.parametrize("by_file", [True, False])
def test_the_kill_switch_is_set_once_there_is_a_daemon_and_released_at_its_time(by_file: bool) -> None:
    """By the file or by a call; both are tried again while nobody is there."""
    switch = Switch(at_ns=at(20), release_ns=at(40), flatten=False, by_file=by_file)

    async def story(scene: Scene) -> None:
        await scene.at(19)
        scene.die(away_s=5)
        await scene.at(35)
        assert scene.invariants.killing.set
        assert STATE / FILE in scene._outside.files
        await scene.at(50)
        assert not scene.invariants.killing.set

    scene = play(quiet(switch=switch), story)
    assert scene.invariants.violation is None
    first, second = scene.noted("operator")
    assert first == "26 kills"  # three seconds after each time that nobody was there
    assert second == "40 releases the kill switch"
    assert scene.invariants.deeds["kill_by_file"] == by_file


def test_a_switch_that_is_to_be_looked_at_is_released_in_the_calm() -> None:
    """After half a minute of it, and not while things go wrong: an entry that rests by then would be told."""
    switch = Switch(at_ns=at(20), release_ns=None, flatten=True, by_file=False)

    async def story(scene: Scene) -> None:
        await scene.at(PLAN.calm_ns / SECOND_NS)
        assert scene.invariants.killing.set
        began = scene.now_ns() / SECOND_NS
        scene._people.calm()
        await scene.at(began + 31)
        assert scene.invariants.killing.set
        await scene.at(began + 40)
        assert not scene.invariants.killing.set

    scene = play(quiet(switch=switch), story)
    assert scene.noted("operator")[0] == "20 kills and flattens"
    assert (scene.invariants.deeds["kill_flat"], scene.invariants.violation) == (1, None)


# ----------------------------------------------------------------------------------------------------------- transfers
def test_money_is_brought_and_taken_at_its_time() -> None:
    """The venue has it, and the daemon is told by it."""
    moves = (Move(at_ns=at(20), amount=D(500)), Move(at_ns=at(25), amount=D(-200)))

    async def story(scene: Scene) -> None:
        await scene.at(26)
        made = [(move.amount, move.at_ns - PLAN.start_ns) for move in scene.engine.transfers]
        assert made == [(D(500), at(20)), (D(-200), at(25))]

    scene = play(quiet(moves=moves), story)
    assert (scene.invariants.deeds["brought"], scene.invariants.deeds["taken"]) == (1, 1)
    assert BALANCE + 300 - scene.engine.account.fees_paid - scene.engine.account.coins["USDT"] < 50


def test_a_drawdown_is_accepted_once_somebody_is_there() -> None:
    """Where there is none, nothing comes of it."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        scene.die(away_s=5)
        await scene.at(30)

    scene = play(quiet(resets_ns=(at(20),)), story)
    assert scene.noted("operator") == ["26 accepts the drawdown"]
    assert scene.invariants.violation is None


# ------------------------------------------------------------------------------------------------------------- by hand
def hand(second: float | None, away: str | None, side: Side = Side.SELL) -> Hand:
    """Return a trade by hand for 300 USDT."""
    at_ns = None if second is None else at(second)
    return Hand(at_ns=at_ns, market=FIRST, side=side, notional=D(300), away=None if away is None else D(away))


def by_hand(scene: Scene) -> list[tuple[Side, OrderStatus]]:
    """Return somebody's orders at the venue, as they stand."""
    return [
        (order.side, order.status)
        for order in scene.engine.orders
        if not order.request.client_id and not order.protective
    ]


def test_somebody_trades_past_the_daemon() -> None:
    """At the market, or away from the price, where it rests: above it for a sale."""

    async def story(scene: Scene) -> None:
        await scene.at(23)
        assert by_hand(scene) == [(Side.SELL, OrderStatus.FILLED), (Side.SELL, OrderStatus.ACKED)]
        rests = scene.engine.orders.newest(99)
        price = next(order.price for order in rests if order.price is not None and not order.request.client_id)
        assert price > scene.engine.desks[FIRST].last * D("1.02")
        assert scene.invariants.deeds["hand_trade"] > 0
        scene._people.calm()
        assert len(by_hand(scene)) == 2  # what had its time is not done again

    play(quiet(hands=(hand(20, None), hand(21, "0.03"))), story)


def test_a_hand_without_a_time_waits_for_the_calm() -> None:
    """And whoever leaves lets an order rest, far below the price."""

    async def story(scene: Scene) -> None:
        await scene.at(30)
        assert by_hand(scene) == []
        scene._people.calm()
        assert by_hand(scene) == [(Side.BUY, OrderStatus.FILLED)]
        await scene.at(120)
        scene._people.leave()
        (_, (side, status)) = by_hand(scene)
        assert (side, status) == (Side.BUY, OrderStatus.ACKED)
        (left,) = [order for order in scene.engine.orders.open() if not order.request.client_id and order.price]
        assert left.price is not None
        assert left.price < scene.engine.desks[FIRST].last * D("0.96")

    scene = play(quiet(hands=(hand(None, None, Side.BUY),)), story)
    assert scene.invariants.violation is None


def test_somebody_takes_the_stops_away() -> None:
    """At its time and once more in the calm; the daemon has them rest again."""

    async def story(scene: Scene) -> None:
        engine = scene.engine

        async def guarded() -> None:
            async with asyncio.timeout(60):
                while not any(engine.stop(market) for market in scene.markets):
                    await asyncio.sleep(0.05)

        await guarded()
        scene._people._take_stops()
        assert not any(engine.stop(market) for market in scene.markets)
        taken = scene.invariants.deeds["stop_taken"]
        assert taken > 0
        await guarded()
        scene._people.calm()
        assert scene.invariants.deeds["stop_taken"] > taken
        await guarded()

    scene = play(quiet(takes_ns=(at(200),)), story)
    assert scene.invariants.violation is None
    assert all(words.endswith("stops away") for words in scene.noted("somebody"))


def test_what_the_venue_refuses_a_hand_is_nobodys_loss() -> None:
    """More than the account has."""

    async def story(scene: Scene) -> None:
        await scene.at(21)
        assert by_hand(scene) == []

    greedy = Hand(at_ns=at(20), market=FIRST, side=Side.BUY, notional=D(10**9), away=None)
    scene = play(quiet(hands=(greedy,)), story)
    assert len(scene.noted("somebody")) == 1
    assert scene.invariants.violation is None


# ------------------------------------------------------------------------------------------------------- configuration
def configured() -> Settings:
    """Return the plan's configuration."""
    return settings_of(PLAN.specs, PLAN.limits, PLAN.foreign)


def edit(second: float, *, wrong: bool) -> Edit:
    """Return an edit that leaves the first market out."""
    begun = configured()
    left = settings_of(PLAN.specs[1:], PLAN.limits, PLAN.foreign)
    return Edit(at_ns=at(second), version=1, settings=replace(begun, markets=left.markets), by=By.SIGNAL, wrong=wrong)


def test_the_daemon_hears_of_an_edit_as_it_was_drawn() -> None:
    """By a signal it reads the file at once, and not when it would have looked."""

    async def story(scene: Scene) -> None:
        await scene.at(21)
        assert scene.life.editor is not None
        assert [market.id for market in scene.life.editor.settings.trading] == [SECOND]

    play(quiet(begun=configured(), edits=(edit(20, wrong=False),)), story)


@pytest.mark.parametrize("wrong", [True, False])
def test_the_file_is_saved_and_a_mistake_in_it_put_right(wrong: bool) -> None:
    """The daemon goes on by what it had meanwhile."""

    async def story(scene: Scene) -> None:
        await scene.at(24)
        saved = scene._saved
        assert saved is not None
        assert (saved.wrong is not None) is wrong
        await scene.at(40)
        assert saved.wrong is None
        assert scene.life.editor is not None
        assert [market.id for market in scene.life.editor.settings.trading] == [SECOND]

    scene = play(quiet(begun=configured(), edits=(edit(20, wrong=wrong),)), story)
    assert scene.noted("operator") == ["20 saves version 1, SIGHUP"]
    assert (scene.invariants.deeds["config.invalid"], scene.invariants.violation) == (wrong, None)


def test_a_file_that_is_saved_while_the_daemon_is_away_is_what_it_starts_from() -> None:
    """And that is counted."""

    async def story(scene: Scene) -> None:
        await scene.at(19)
        scene.die(away_s=5)
        await scene.at(40)
        assert scene.life.floor is not None
        assert list(scene.life.floor.markets) == [SECOND]

    scene = play(quiet(begun=configured(), edits=(edit(20, wrong=False),)), story)
    assert scene.invariants.deeds["edited_while_away"] == 1
