"""Each rule objects on its side of its limit and says why with the figures; off, it says nothing."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.orders import OrderKind, Proposal, Purpose
from kangbot.risk import rules
from kangbot.risk.facts import Case, Context, MarketFacts
from kangbot.risk.gate import Rule
from kangbot.risk.limits import HOUR_NS, Limits

D = Decimal
SECOND = 1_000_000_000
RESUMED = "entries resume once equity is back, or after `kangbot reset-drawdown`"
Propose = Callable[..., Proposal]


@pytest.fixture
def ask(facts: MarketFacts, propose: Propose) -> Callable[..., str]:
    """Ask one rule, with the limit, the account's facts and the market's facts that are given."""

    def ask_rule(
        rule: Rule,
        *,
        limits: dict[str, object] | None = None,
        account: dict[str, object] | None = None,
        market: dict[str, object] | None = None,
        proposal: Proposal | None = None,
    ) -> str:
        context = Context(now_ns=10 * HOUR_NS, market=msgspec.structs.replace(facts, **(market or {})), worst=D(100))
        return rule(
            Case(
                proposal=proposal or propose(),
                context=msgspec.structs.replace(context, **(account or {})),
                limits=Limits(**(limits or {})),  # type: ignore[arg-type]  # the test names fields of Limits
            )
        )

    return ask_rule


# ------------------------------------------------------------------------------------------------ the venue's filters
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"quantity": D("0.02")}, ""),
        ({"quantity": D(50)}, ""),
        ({"quantity": D("1.001")}, "quantity 1.001 is not a multiple of the step 0.01"),
        ({"quantity": D(0)}, "quantity 0 is not a multiple of the step 0.01"),
        ({"quantity": D("0.01")}, "quantity 0.01 is below the venue's minimum 0.02"),
        ({"quantity": D("50.01")}, "quantity 50.01 is above the venue's maximum 50"),
        ({"quantity": D("1.2E-7")}, "quantity 0.00000012 is not a multiple of the step 0.01"),
    ],
)
def test_quantity(ask: Callable[..., str], propose: Propose, fields: dict[str, object], says: str) -> None:
    """Step, minimum and maximum."""
    assert ask(rules.quantity, proposal=propose(**fields)) == says


def test_quantity_without_a_maximum(ask: Callable[..., str], propose: Propose, instrument: Instrument) -> None:
    """A venue that names no maximum takes any."""
    market = {"instrument": msgspec.structs.replace(instrument, max_quantity=None)}
    assert not ask(rules.quantity, proposal=propose(quantity=D(1000)), market=market)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"price": D("99.9"), "stop": D("95.1")}, ""),
        ({"stop": None}, ""),
        ({"price": D("0.2"), "stop": D("0.1")}, ""),  # a coin of a few cents
        ({"price": D("99.95")}, "price 99.95 is not a multiple of the tick 0.1"),
        ({"price": D(0)}, "price 0 is not a multiple of the tick 0.1"),
        ({"stop": D("95.01")}, "stop 95.01 is not a multiple of the tick 0.1"),
    ],
)
def test_price(ask: Callable[..., str], propose: Propose, fields: dict[str, object], says: str) -> None:
    """The tick of the limit and of the stop."""
    assert ask(rules.price, proposal=propose(kind=OrderKind.LIMIT, **fields)) == says


@pytest.mark.parametrize(
    ("purpose", "kind", "price", "blocked"),
    [
        (Purpose.ENTRY, InstrumentKind.LINEAR, None, True),
        (Purpose.ENTRY, InstrumentKind.LINEAR, D(125), False),
        (Purpose.EXIT, InstrumentKind.LINEAR, None, False),
        (Purpose.EXIT, InstrumentKind.SPOT, None, True),
    ],
)
def test_notional(  # noqa: PLR0917 -- a row of the table and three fixtures
    ask: Callable[..., str],
    propose: Propose,
    instrument: Instrument,
    purpose: Purpose,
    kind: InstrumentKind,
    price: D | None,
    blocked: bool,
) -> None:
    """The least value, by limit or reference; reduce-only orders of derivatives are exempt."""
    says = ask(
        rules.notional,
        proposal=propose(purpose=purpose, quantity=D("0.04"), price=price),
        market={"instrument": msgspec.structs.replace(instrument, kind=kind)},
    )
    assert says == ("value 4.00 is below the venue's minimum 5 USDT" if blocked else "")


# --------------------------------------------------------------------------------------------- each limit, both sides
ROWS: list[tuple[Rule, dict[str, object], dict[str, object], dict[str, object], str]] = [
    # rule, limits, account, market, what it says
    (rules.kill_switch, {}, {}, {}, ""),
    (rules.kill_switch, {}, {"killed": "by hand"}, {}, "the kill switch is set: by hand"),
    (rules.clock, {}, {}, {}, ""),
    (rules.clock, {}, {}, {"clock": "nobody asked the venue"}, "nobody asked the venue"),
    (rules.unknown_order, {}, {}, {"unknown_orders": 0}, ""),
    (rules.unknown_order, {}, {}, {"unknown_orders": 1}, "the outcome of 1 order(s) of this market is unknown"),
    (rules.by_hand, {}, {}, {}, ""),
    (rules.by_hand, {}, {}, {"by_hand": True}, "somebody traded this market by hand"),
    (rules.by_hand, {"beside_hand": True}, {}, {"by_hand": True}, ""),
    (rules.market_notional, {}, {"market_exposure": D(10**9)}, {}, ""),
    (rules.market_notional, {"market_notional": D(300)}, {"market_exposure": D(200)}, {}, ""),
    (
        rules.market_notional,
        {"market_notional": D(300)},
        {"market_exposure": D("200.01")},
        {},
        "exposure of the market would be 300.01, the limit is 300",
    ),
    (rules.total_notional, {}, {"total_exposure": D(10**9)}, {}, ""),
    (rules.total_notional, {"total_notional": D(300)}, {"total_exposure": D(200)}, {}, ""),
    (
        rules.total_notional,
        {"total_notional": D(300)},
        {"total_exposure": D("200.01")},
        {},
        "total exposure would be 300.01, the limit is 300",
    ),
    (rules.open_positions, {}, {"open_positions": 1000}, {}, ""),
    (rules.open_positions, {"open_positions": 3}, {"open_positions": 2}, {}, ""),
    (rules.open_positions, {"open_positions": 3}, {"open_positions": 3, "is_open": True}, {}, ""),
    (rules.open_positions, {"open_positions": 3}, {"open_positions": 3}, {}, "3 markets are open, the limit is 3"),
    (rules.leverage, {"leverage": None}, {}, {}, ""),
    (rules.leverage, {}, {}, {}, "the account's equity is not known yet"),
    (rules.leverage, {}, {"equity": D(0)}, {}, "the account's equity is 0"),
    (rules.leverage, {}, {"equity": D(100), "total_exposure": D(200)}, {}, ""),
    (
        rules.leverage,
        {},
        {"equity": D(100), "total_exposure": D(210)},
        {},
        "leverage would be 3.10, the limit is 3",
    ),
    (rules.daily_loss, {}, {"day_loss": D(10**9)}, {}, ""),
    (rules.daily_loss, {"daily_loss": D(50)}, {"day_loss": D("49.99")}, {}, ""),
    (
        rules.daily_loss,
        {"daily_loss": D(50)},
        {"day_loss": D(50)},
        {},
        "the day has lost 50.00, the limit is 50; entries resume at 00:00 UTC",
    ),
    (rules.drawdown, {}, {"drawdown_percent": D(99)}, {}, ""),
    (rules.drawdown, {"drawdown_percent": D(20)}, {"drawdown_percent": D("19.99")}, {}, ""),
    (
        rules.drawdown,
        {"drawdown_percent": D(20)},
        {"drawdown_percent": D(20)},
        {},
        f"equity is 20.00 % below its peak, the limit is 20 %; {RESUMED}",
    ),
    (rules.consecutive_losses, {}, {"losses_in_row": 99, "last_loss_ns": 10 * HOUR_NS}, {}, ""),
    (rules.consecutive_losses, {"consecutive_losses": 3}, {"losses_in_row": 2, "last_loss_ns": 10 * HOUR_NS}, {}, ""),
    (
        rules.consecutive_losses,
        {"consecutive_losses": 3},
        {"losses_in_row": 3, "last_loss_ns": 9 * HOUR_NS},
        {},
        "3 losses in a row; the market rests 10800 s",
    ),
    (rules.consecutive_losses, {"consecutive_losses": 3}, {"losses_in_row": 3, "last_loss_ns": 6 * HOUR_NS}, {}, ""),
    (rules.cool_down, {}, {"last_stop_ns": 10 * HOUR_NS}, {}, ""),
    (rules.cool_down, {"stop_pause_ns": 60 * SECOND}, {}, {}, ""),
    (rules.cool_down, {"stop_pause_ns": 60 * SECOND}, {"last_stop_ns": 10 * HOUR_NS - 60 * SECOND}, {}, ""),
    (
        rules.cool_down,
        {"stop_pause_ns": 60 * SECOND},
        {"last_stop_ns": 10 * HOUR_NS - 20 * SECOND},
        {},
        "stopped out; the market rests 40 s",
    ),
    (rules.entries_an_hour, {}, {"entries_last_hour": 999}, {}, ""),
    (rules.entries_an_hour, {"entries_an_hour": 6}, {"entries_last_hour": 5}, {}, ""),
    (
        rules.entries_an_hour,
        {"entries_an_hour": 6},
        {"entries_last_hour": 6},
        {},
        "6 entries in the last hour, the limit is 6",
    ),
    (rules.stale_data, {"stale_data_ns": None}, {}, {"quote": None}, ""),
    (rules.stale_data, {"stale_data_ns": None}, {}, {"stale": "the bar stream is down"}, "the bar stream is down"),
    (rules.stale_data, {}, {}, {"quote": None}, "there is no quote yet"),
    (rules.stale_data, {}, {}, {"quote_age_ns": 30 * SECOND}, ""),
    (rules.stale_data, {}, {}, {"quote_age_ns": 31 * SECOND}, "the quote is 31 s old, the limit is 30 s"),
    (rules.wide_spread, {"spread_percent": None}, {}, {}, ""),
    (rules.wide_spread, {}, {}, {"quote": None}, ""),
    (rules.wide_spread, {}, {}, {}, ""),
    (rules.wide_spread, {"spread_percent": D("0.1")}, {}, {}, "spread is 0.100 %, the limit is 0.1 %"),
    (rules.mark_distance, {"mark_distance_percent": None}, {}, {"mark": D(1)}, ""),
    (rules.mark_distance, {}, {}, {"mark": None}, ""),
    (rules.mark_distance, {}, {}, {"mark": D(0)}, ""),
    (rules.mark_distance, {}, {}, {"mark": D(103)}, ""),
    (rules.mark_distance, {}, {}, {"mark": D("0.8")}, "price 100 is 12400.00 % from the mark 0.8, the limit is 3 %"),
    (rules.mark_distance, {}, {}, {"mark": D(104)}, "price 100 is 3.85 % from the mark 104, the limit is 3 %"),
]


@pytest.mark.parametrize(("rule", "limits", "account", "market", "says"), ROWS)
def test_limit(  # noqa: PLR0917 -- a row of the table and a fixture
    ask: Callable[..., str],
    rule: Rule,
    limits: dict[str, object],
    account: dict[str, object],
    market: dict[str, object],
    says: str,
) -> None:
    """One row: at the limit, beyond it, or with the limit off."""
    assert ask(rule, limits=limits, account=account, market=market) == says


def test_stop_required(ask: Callable[..., str], propose: Propose) -> None:
    """An entry without a stop, and the same where none is asked for."""
    assert not ask(rules.stop_required)
    assert ask(rules.stop_required, proposal=propose(stop=None)) == "the entry carries no stop"
    assert not ask(rules.stop_required, proposal=propose(stop=None), limits={"require_stop": False})


def test_an_empty_side_of_the_book_is_a_wide_spread(ask: Callable[..., str], facts: MarketFacts) -> None:
    """No division by nothing, and no entry; a spread as wide as the limit passes, of a coin of a few cents, too."""
    assert facts.quote is not None
    for unit in (D(1), D("0.001")):
        at_limit = msgspec.structs.replace(facts.quote, bid=D("99.5") * unit, ask=D("100.5") * unit)
        assert not ask(rules.wide_spread, market={"quote": at_limit})
        wider = msgspec.structs.replace(at_limit, ask=D("100.6") * unit)
        assert ask(rules.wide_spread, market={"quote": wider}) == "spread is 1.099 %, the limit is 1 %"
    for side in ({"bid": D(0)}, {"ask": D(0)}):
        quote = msgspec.structs.replace(facts.quote, **side)
        assert ask(rules.wide_spread, market={"quote": quote}) == "the book is empty on one side"


def test_a_limit_order_is_measured_at_its_limit(ask: Callable[..., str], propose: Propose) -> None:
    """From the mark; as far as the limit passes."""
    assert not ask(rules.mark_distance, proposal=propose(kind=OrderKind.LIMIT, price=D(97)))
    far = propose(kind=OrderKind.LIMIT, price=D(90))
    assert ask(rules.mark_distance, proposal=far) == "price 90 is 10.00 % from the mark 100, the limit is 3 %"
