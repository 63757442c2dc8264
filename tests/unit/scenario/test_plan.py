"""What a seed means: drawn once and for all, and within what a session can repair."""

import random

import msgspec
import pytest

from kangbot.model.market import InstrumentKind
from kangbot.ports import IdRule
from kangbot.scenario.plan import DAY_NS, END_NS, LIVENESS_NS, Options, Plan, plan_of
from kangbot.scenario.trailing import Trailing
from kangbot.sim.world.faults import Kind

_SEEDS = range(1, 121)


def drawn(seed: int, **options: object) -> Plan:
    """Return the plan of a seed."""
    return plan_of(seed, random.Random(seed), Options(**options))  # type: ignore[arg-type]


def test_a_seed_means_one_session() -> None:
    """And another one another."""
    first, again, another = (
        msgspec.json.encode(drawn(seed), enc_hook=lambda strategy: [strategy.name, strategy.parameters])
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != another


@pytest.mark.parametrize("minutes", [3.0, 10.0])
def test_all_that_goes_wrong_is_over_when_calm_begins(minutes: float) -> None:
    """So that what must heal within a minute has that minute, and the end its own time."""
    for seed in _SEEDS:
        plan = drawn(seed, minutes=minutes)
        assert plan.calm_ns + LIVENESS_NS + END_NS == int(minutes * 60e9)
        assert plan.faults
        assert all(fault.at_ns + fault.for_ns <= plan.calm_ns for fault in plan.faults)
        assert all(order.at_ns < plan.calm_ns for order in plan.orders)
        assert all(hand.at_ns is None or hand.at_ns < plan.calm_ns for hand in plan.hands)
        assert all(ruling.at_ns < plan.calm_ns for ruling in plan.rulings)
        assert all(move.at_ns < plan.calm_ns for move in plan.moves)
        assert all(0 < at_ns < plan.calm_ns for at_ns in (*plan.resets_ns, *plan.takes_ns))
        assert plan.switch is None or plan.switch.at_ns < plan.calm_ns


def test_each_crash_has_its_place() -> None:
    """A spot, and how long the daemon is away."""
    for seed in _SEEDS:
        plan = drawn(seed)
        assert len(plan.dooms) == sum(fault.kind is Kind.CRASH for fault in plan.faults)


def test_nothing_doubles_requests_to_a_venue_that_forgets_its_ids() -> None:
    """There a second copy on the way would be a second order, and nobody could help it."""
    forgetful = [plan for plan in map(drawn, _SEEDS) if plan.id_rule is IdRule.WHILE_OPEN]
    assert len(forgetful) > 10
    assert not any(fault.kind is Kind.DUPLICATION for plan in forgetful for fault in plan.faults)


def test_only_the_kinds_that_were_asked_for_are_drawn() -> None:
    """And none where none was."""
    kinds = {fault.kind for seed in _SEEDS for fault in drawn(seed, kinds=(Kind.RESET, Kind.CRASH)).faults}
    assert kinds == {Kind.RESET, Kind.CRASH}
    assert not any(drawn(seed, kinds=()).faults for seed in _SEEDS)


def test_a_market_and_its_order_are_named_alike() -> None:
    """Where a market became a spot pair, so did what the operator and the hands do there."""
    spot = [drawn(seed, spot=True) for seed in _SEEDS]
    for plan in spot:
        names = {market.market for market in plan.markets}
        assert {spec.market for spec in plan.specs} == names
        assert {order.market for order in plan.orders} <= names
        assert {hand.market for hand in plan.hands} <= names
        coins = {one.instrument.base for one in plan.markets if one.instrument.kind is InstrumentKind.SPOT}
        assert set(plan.stash) <= coins
    assert any(plan.stash for plan in spot)


def test_more_markets_than_the_usual_ones_are_all_different() -> None:
    """As a session of twenty-seven has them."""
    plan = drawn(1, markets=27)
    assert len({market.market for market in plan.markets}) == 27


def test_the_day_turns_before_the_calm_or_not_at_all() -> None:
    """What it has lost is compared after the calm."""
    begins = [(plan.start_ns % DAY_NS, plan) for plan in map(drawn, _SEEDS)]
    assert {at_ns for at_ns, _ in begins} >= {0}
    late = [(at_ns, plan) for at_ns, plan in begins if at_ns]
    assert 10 < len(late) < 40
    assert all(at_ns < DAY_NS <= at_ns + plan.calm_ns for at_ns, plan in late)
    assert any(plan.limits.daily_loss is not None for _, plan in late)


def test_drawdowns_are_accepted_where_one_ends_entries_and_beside_transfers() -> None:
    """In other sessions too; more often where there is something to accept."""
    plans = [drawn(seed) for seed in _SEEDS]
    limited = [bool(plan.resets_ns) for plan in plans if plan.limits.drawdown_percent is not None]
    others = [bool(plan.resets_ns) for plan in plans if plan.limits.drawdown_percent is None]
    assert 0 < sum(others) / len(others) < sum(limited) / len(limited) < 1
    beside = [plan for plan in plans if plan.resets_ns and plan.moves]
    assert beside
    for plan in beside:
        assert all(any(abs(at_ns - move.at_ns) <= 20e9 for at_ns in plan.resets_ns) for move in plan.moves)


def test_stops_follow_the_price_in_some_markets_of_some_sessions() -> None:
    """Not where somebody edits the configuration, which names the strategies that ship."""
    for spot in (False, True):
        plans = [drawn(seed, spot=spot) for seed in _SEEDS]
        follow = [[isinstance(spec.strategy, Trailing) for spec in plan.specs] for plan in plans]
        assert not any(any(some) for some, plan in zip(follow, plans, strict=True) if plan.begun is not None)
        assert 10 < sum(map(any, follow)) < 40
        assert any(any(some) and not all(some) for some in follow)
