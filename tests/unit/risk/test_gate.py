"""The gate: the first rule that objects decides; exits meet the venue's filters only."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from kangbot.model.orders import Proposal, Purpose, Side
from kangbot.risk import rules
from kangbot.risk.facts import Case, Context, MarketFacts
from kangbot.risk.gate import ENTRY_RULES, FILTERS, Allowed, Blocked, judge
from kangbot.risk.limits import HOUR_NS, Limits

D = Decimal
Propose = Callable[..., Proposal]

STRICT = Limits(
    market_notional=D(1),
    total_notional=D(1),
    open_positions=1,
    leverage=D(1),
    daily_loss=D(1),
    drawdown_percent=D(1),
    consecutive_losses=1,
    stop_pause_ns=HOUR_NS,
    entries_an_hour=1,
    spread_percent=D("0.01"),
    mark_distance_percent=D("0.01"),
)


def worst_day(facts: MarketFacts) -> Context:
    """Everything that can be wrong is wrong."""
    return Context(
        now_ns=0,
        market=msgspec.structs.replace(
            facts, quote_age_ns=10**12, mark=D(50), clock="no time", by_hand=True, unknown_orders=3
        ),
        worst=D(10),
        total_exposure=D(10**6),
        open_positions=9,
        equity=D(1),
        day_loss=D(10**6),
        drawdown_percent=D(99),
        losses_in_row=9,
        last_loss_ns=0,
        last_stop_ns=0,
        entries_last_hour=99,
        killed="fire",
    )


def test_an_exit_passes_on_the_worst_of_days(facts: MarketFacts, propose: Propose) -> None:
    """No limit on loss, no breaker and no switch stands between a trader and the way out."""
    leave = propose(purpose=Purpose.EXIT, side=Side.SELL, stop=None)
    assert judge(leave, worst_day(facts), STRICT) == Allowed()


def test_an_exit_must_fit_the_venue(facts: MarketFacts, propose: Propose) -> None:
    """What the venue would refuse anyway does not leave."""
    leave = propose(purpose=Purpose.EXIT, quantity=D("0.001"))
    verdict = judge(leave, worst_day(facts), STRICT)
    assert isinstance(verdict, Blocked)
    assert verdict.rule == "quantity"


def test_every_rule_of_the_table_can_object_alone(facts: MarketFacts, propose: Propose) -> None:
    """On the worst of days each entry rule has something to say, so none of the table's rows is idle."""
    entry = propose(stop=None)
    said = {
        name: judge(entry, worst_day(facts), STRICT)
        for name, rule in ENTRY_RULES
        if rule(Case(proposal=entry, context=worst_day(facts), limits=STRICT))
    }
    assert set(said) == {name for name, _ in ENTRY_RULES}
    assert set(said.values()) == {Blocked(rule="kill_switch", reason="the kill switch is set: fire")}


def test_every_rule_is_in_the_table() -> None:
    """A rule that nobody asks would be a promise that nobody keeps."""
    written = {name for name, value in vars(rules).items() if callable(value) and value.__module__ == rules.__name__}
    assert {name for name, _ in FILTERS + ENTRY_RULES} == {name for name in written if not name.startswith("_")}


def test_a_quiet_day_lets_an_entry_through(facts: MarketFacts, propose: Propose) -> None:
    """With the limits as they come."""
    context = Context(now_ns=0, market=facts, worst=D(100), equity=D(1000))
    assert judge(propose(), context, Limits()) == Allowed()
