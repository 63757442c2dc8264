"""What is drawn of edits of the configuration: files that a daemon could have started from."""

import random

import msgspec
import pytest

from kangbot.editing import spec_of
from kangbot.machines.holding import ForeignPolicy
from kangbot.market.spec import MarketSpec
from kangbot.model.orders import TimeInForce
from kangbot.scenario import reloads
from kangbot.scenario.plan import BALANCE, Options, Plan, plan_of
from kangbot.settings.change import difference
from kangbot.sim.world.faults import Kind

_SEEDS = range(1, 121)


def drawn(seed: int, **options: object) -> Plan:
    """Return the plan of a session with edits."""
    return plan_of(seed, random.Random(seed), Options(edits=True, **options))  # type: ignore[arg-type]


def words(spec: MarketSpec) -> list[object]:
    """Return what is configured of a market."""
    gtc = msgspec.structs.replace(spec.style, time_in_force=TimeInForce.GTC)
    return [spec.market, spec.symbol, spec.strategy.parameters, spec.timeframe_s, spec.size, spec.leverage, gtc]


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_plan_is_the_same_as_a_file(seed: int) -> None:
    """Markets, limits and the policy; save for orders that the file has no words for."""
    plan = drawn(seed)
    settings = reloads.settings_of(plan.specs, plan.limits, plan.foreign)
    assert settings.risk.limits == plan.limits
    assert ForeignPolicy(settings.risk.foreign) is plan.foreign
    assert [words(spec_of(market)) for market in settings.trading] == [words(spec) for spec in plan.specs]


def test_a_share_of_the_sessions_is_edited() -> None:
    """The others know nothing of a file."""
    plans = [plan_of(seed, random.Random(seed), Options()) for seed in range(1, 301)]
    edited = [plan for plan in plans if plan.edits]
    assert 40 < len(edited) < 80
    assert all(plan.begun is None for plan in plans if not plan.edits)


def test_every_edit_is_a_file_to_start_from() -> None:
    """A market is there, every strategy can be made, and its look-back is in the venue's history."""
    for seed in _SEEDS:
        plan = drawn(seed)
        assert plan.begun is not None
        assert [edit.version for edit in plan.edits] == list(range(1, len(plan.edits) + 1))
        for edit in plan.edits:
            assert 0 < edit.at_ns < plan.calm_ns
            specs = [spec_of(market) for market in edit.settings.trading if market.enabled]
            assert specs
            assert all(spec.strategy.lookback * spec.timeframe_s <= 20 * 60 for spec in specs)


def test_every_kind_of_edit_is_drawn() -> None:
    """Of markets, of limits, and of what waits for a restart."""
    changed = {"joins": 0, "leaves": 0, "changes": 0, "limits": 0, "restart": 0}
    by, wrong = dict.fromkeys(reloads.By, 0), 0
    for seed in _SEEDS:
        plan = drawn(seed)
        now = plan.begun
        for edit in plan.edits:
            assert now is not None
            change = difference(now, edit.settings)
            for name in changed:
                changed[name] += bool(getattr(change, name))
            now = edit.settings
            by[edit.by] += 1
            wrong += edit.wrong
    assert min(changed.values()) > 10
    assert min(by.values()) > 50
    assert wrong > 50


def test_files_are_edited_after_crashes_too() -> None:
    """While the daemon is away: a restart must hold the newest."""
    near = 0
    for seed in _SEEDS:
        plan = drawn(seed)
        crashes = [fault.at_ns for fault in plan.faults if fault.kind is Kind.CRASH]
        near += any(0 < edit.at_ns - at_ns < 9e9 for edit in plan.edits for at_ns in crashes)
    assert near > 10


def test_what_equity_allows_is_not_lowered_where_money_is_taken() -> None:
    """What is held could be too much by then, and nobody would have made a mistake."""
    lowered = 0
    for seed in range(1, 401):
        plan = drawn(seed)
        bounds = {edit.settings.risk.leverage for edit in plan.edits}
        lowered += any(bound * BALANCE < 10_000 for bound in bounds) and not plan.moves
        if any(move.amount < 0 for move in plan.moves):
            assert bounds == {plan.limits.leverage}
    assert lowered > 10
