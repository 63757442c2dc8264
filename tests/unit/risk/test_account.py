"""The ledger of exposure: checked and reserved in one breath, and never above its limits by what it admits."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kangbot.model.data import Quote
from kangbot.model.events import (
    CashFlowApplied,
    DrawdownReset,
    EquityMarked,
    Event,
    FillApplied,
    KillSwitchReleased,
    KillSwitchSet,
    Noted,
    RoundTripClosed,
    Severity,
    Transferred,
)
from kangbot.model.ids import ClientId, ExecutionId, MarketId, TransferId
from kangbot.model.orders import CashFlow, FillCause, OrderKind, Proposal, Purpose, Side, Transfer
from kangbot.model.position import RoundTrip
from kangbot.risk.account import NEW_BALANCE, AccountRisk
from kangbot.risk.facts import MarketFacts
from kangbot.risk.gate import Allowed, Blocked
from kangbot.risk.heights import SECOND_NS
from kangbot.risk.limits import HOUR_NS, Limits
from kangbot.risk.record import DAY_NS
from tests.support.instruments import instrument_of
from tests.support.journal_story import lives
from tests.support.trade_words import fill

D = Decimal
BTC, ETH = MarketId("bybit:BTC-USDT:USDT"), MarketId("bybit:ETH-USDT:USDT")
Propose = Callable[..., Proposal]
FREE = {"leverage": None, "slippage_percent": D(0)}


def account(**limits: object) -> AccountRisk:
    """An account with these limits alone."""
    return AccountRisk(Limits(**{**FREE, **limits}))  # type: ignore[arg-type]  # the test names fields of Limits


AFTER = "; entries resume once equity is back, or after `kangbot reset-drawdown`"


def transferred(amount: str, at_ns: int) -> Transferred:
    """So much was moved then."""
    transfer = Transfer(transfer_id=TransferId(f"{at_ns}"), amount=D(amount), currency="USDT", at_ns=at_ns)
    return Transferred(venue="bybit", transfer=transfer, moved_ns=at_ns, at_ns=at_ns + 1)


def test_what_is_admitted_is_reserved_at_once(facts: MarketFacts, propose: Propose) -> None:
    """The second order of the same breath meets the first."""
    risk = account(market_notional=D(150))
    assert risk.admit(propose(), ClientId("a"), facts, 0) == Allowed()
    verdict = risk.admit(propose(), ClientId("b"), facts, 0)
    assert verdict == Blocked(rule="market_notional", reason="exposure of the market would be 200.00, the limit is 150")
    assert (risk.market_exposure(BTC), risk.total_exposure, risk.open_positions) == (D(100), D(100), 1)


def test_a_market_order_is_reserved_with_its_slippage(facts: MarketFacts, propose: Propose) -> None:
    """Its worst case, not its reference."""
    risk = account(slippage_percent=D("0.5"))
    risk.admit(propose(), ClientId("a"), facts, 0)
    assert risk.total_exposure == D("100.5")


def test_an_order_stays_reserved_until_it_is_settled(facts: MarketFacts, propose: Propose) -> None:
    """However long its outcome is unknown; a fill moves from the order to the position; a late report grows nothing."""
    risk = account()
    risk.admit(propose(), ClientId("a"), facts, 0)
    risk.position(BTC, D("0.4"), D(100))
    risk.order(ClientId("a"), D(60))
    assert risk.total_exposure == 100
    risk.order(ClientId("a"), D(80))
    assert risk.total_exposure == 100
    for _ in range(2):
        risk.settle(ClientId("a"))
        assert risk.total_exposure == 40
    risk.order(ClientId("a"), D(60))
    assert risk.total_exposure == 40
    risk.position(BTC, D(0), D(100))
    assert (risk.total_exposure, risk.open_positions) == (D(0), 0)


def test_an_id_is_admitted_once(facts: MarketFacts, propose: Propose) -> None:
    """A second admission would release both with one settlement."""
    risk = account()
    risk.admit(propose(), ClientId("a"), facts, 0)
    with pytest.raises(ValueError, match="order a has been admitted before"):
        risk.admit(propose(), ClientId("a"), facts, 0)


def test_exits_reserve_nothing(facts: MarketFacts, propose: Propose) -> None:
    """They take exposure away; neither an admitted one nor one found after a start counts."""
    risk = account()
    leave = propose(purpose=Purpose.EXIT, stop=None)
    assert risk.admit(leave, ClientId("x"), facts, 0) == Allowed()
    risk.reserve(ClientId("y"), BTC, D(100), Purpose.EXIT)
    assert risk.worst_case(leave) == risk.total_exposure == 0


def test_an_order_found_after_a_start_counts_unjudged(facts: MarketFacts, propose: Propose) -> None:
    """Over the limit or not: it is there."""
    risk = account(total_notional=D(150))
    risk.reserve(ClientId("old"), ETH, D(900), Purpose.ENTRY)
    assert isinstance(risk.admit(propose(), ClientId("a"), facts, 0), Blocked)
    assert (risk.market_exposure(ETH), risk.market_exposure(BTC), risk.open_positions) == (D(900), D(0), 1)


def test_what_an_exit_left_is_no_open_position(facts: MarketFacts, propose: Propose) -> None:
    """It counts in exposure, takes no other market's place, and gives its own none."""
    risk = account(open_positions=1)
    risk.position(BTC, D("0.0004"), D(100), rest=True)
    assert (risk.market_exposure(BTC), risk.open_positions) == (D("0.04"), 0)
    risk.position(ETH, D(1), D(100))
    assert risk.admit(propose(), ClientId("a"), facts, 0) == Blocked(
        rule="open_positions", reason="1 markets are open, the limit is 1"
    )
    risk.position(ETH, D(0), D(100))
    assert risk.admit(propose(), ClientId("b"), facts, 0) == Allowed()
    risk.position(BTC, D("1.0004"), D(100))
    risk.settle(ClientId("b"))
    assert risk.open_positions == 1


def test_entries_are_counted_as_they_are_admitted(facts: MarketFacts, propose: Propose) -> None:
    """Not only when their intent is in the journal; an exit is none."""
    risk = account(entries_an_hour=1)
    risk.admit(propose(purpose=Purpose.EXIT), ClientId("x"), facts, 4)
    assert risk.admit(propose(), ClientId("a"), facts, 5) == Allowed()
    risk.settle(ClientId("a"))
    verdict = risk.admit(propose(), ClientId("b"), facts, 6)
    assert isinstance(verdict, Blocked)
    assert verdict.rule == "entries_an_hour"


def test_a_market_that_is_open_may_grow(facts: MarketFacts, propose: Propose) -> None:
    """It takes no new place among the open positions; another market would."""
    risk = account(open_positions=1)
    risk.position(BTC, D(1), D(100))
    assert risk.admit(propose(market=ETH), ClientId("a"), facts, 0) == Blocked(
        rule="open_positions", reason="1 markets are open, the limit is 1"
    )
    assert risk.admit(propose(), ClientId("b"), facts, 0) == Allowed()


def test_leverage_is_judged_by_the_newest_equity(facts: MarketFacts, propose: Propose) -> None:
    """Exactly the limit passes, a cent less of equity does not."""
    risk = account(leverage=D(2))
    risk.position(BTC, D(1), D(100))
    for equity in (D(100), D("99.99")):
        risk.equity(equity, 0)
        verdict = risk.admit(propose(), ClientId(f"at {equity}"), facts, 0)
        risk.settle(ClientId(f"at {equity}"))
    assert verdict == Blocked(rule="leverage", reason="leverage would be 2.00, the limit is 2")
    assert risk.equity_known


def test_drawdown_holds_entries_until_equity_is_back(facts: MarketFacts, propose: Propose) -> None:
    """Over a restart, too: the peak, and not the first equity of this life, is what it is measured from."""
    before = account(drawdown_percent=D(20))
    for equity in (D(100), D(80)):
        before.equity(equity, 0)
    risk = account(drawdown_percent=D(20))
    risk.resume(before.checkpoint())
    for one in (before, risk):
        verdict = one.admit(propose(), ClientId("a"), facts, 1)
        assert verdict == Blocked(rule="drawdown", reason=f"equity is 20.00 % below its peak, the limit is 20 %{AFTER}")
        one.equity(D("80.01"), 2)
        assert one.admit(propose(), ClientId("a"), facts, 2) == Allowed()


def test_a_market_rests_after_losses_and_after_a_stop(facts: MarketFacts, propose: Propose) -> None:
    """By what was observed of this market; a nanosecond before the end it rests, then it does not."""
    lost = RoundTrip(
        market=BTC,
        side=Side.BUY,
        quantity=D(1),
        entry=D(9),
        exit=D(8),
        profit=D(-1),
        fees=D(0),
        opened_ns=0,
        closed_ns=5,
    )
    closed = RoundTripClosed(trip=lost, strategy="ema_cross", at_ns=5)
    stopped = msgspec.structs.replace(fill("stop", 1, at_ns=5), market=BTC, cause=FillCause.STOP)
    for limits, event, name in (
        ({"consecutive_losses": 1, "losses_pause_ns": 60}, closed, "consecutive_losses"),
        ({"stop_pause_ns": 60}, FillApplied(fill=stopped, net=D(0), at_ns=5), "cool_down"),
    ):
        risk = account(**limits)
        risk.observe(event)
        verdict = risk.admit(propose(), ClientId("a"), facts, 64)
        assert isinstance(verdict, Blocked)
        assert verdict.rule == name
        assert risk.admit(propose(market=ETH), ClientId("a"), facts, 64) == Allowed()
        assert risk.admit(propose(), ClientId("b"), facts, 65) == Allowed()


def test_the_day_s_loss_is_the_worse_of_equity_and_what_was_realised(facts: MarketFacts, propose: Propose) -> None:
    """A deposit hides no realised loss; a new day begins with the newest equity."""
    risk = account(daily_loss=D(50))
    assert risk.day_loss(0) == 0
    risk.equity(D(1000), 0)
    risk.equity(D(960), 1)
    assert risk.day_loss(2) == 40
    assert risk.admit(propose(), ClientId("a"), facts, 2) == Allowed()
    flow = CashFlow(market=BTC, execution_id=ExecutionId("f"), kind="Funding", amount=D(-50), currency="USDT", at_ns=3)
    risk.observe(CashFlowApplied(flow=flow, at_ns=3))
    risk.equity(D(5000), 3)
    assert risk.day_loss(4) == 50
    assert isinstance(risk.admit(propose(), ClientId("b"), facts, 4), Blocked)
    assert risk.day_loss(DAY_NS) == 0
    risk.observe(EquityMarked(venue="bybit", currency="USDT", equity=D(4990), at_ns=DAY_NS))
    assert risk.day_loss(DAY_NS) == 10


def test_equity_is_that_of_the_settle_currency_alone() -> None:
    """A venue states every coin of an account: 0.999 BTC beside 25,000 USDT is no loss of 24,999."""
    risk = account()
    for currency, equity in (("USDT", 25_000), ("BTC", D("0.999")), ("DOGE", 10**9), ("USDT", 24_000)):
        risk.observe(EquityMarked(venue="bybit", currency=currency, equity=D(equity), at_ns=1))
    assert risk.day_loss(2) == 1000
    assert risk.drawdown_percent == 4
    other = AccountRisk(Limits(), "USDC")
    other.observe(EquityMarked(venue="bybit", currency="USDT", equity=D(5), at_ns=1))
    assert other.drawdown_percent == 0


def test_a_day_that_comes_back_with_a_clock_set_back_goes_on() -> None:
    """What it has lost stays lost, and at its end a new one begins: the wrong day would have lasted for four more."""
    risk = AccountRisk(Limits())
    risk.equity(D(100), 5 * DAY_NS)
    risk.equity(D(80), DAY_NS + 1)
    assert risk.day_loss(DAY_NS + 2) == 20
    assert risk.day_loss(2 * DAY_NS) == 0


def test_a_day_that_begins_without_equity_begins_with_the_first_seen() -> None:
    """After a start in the middle of a day."""
    risk = account()
    risk.day_loss(5 * DAY_NS)
    risk.equity(D(100), 5 * DAY_NS + 1)
    risk.equity(D(90), 5 * DAY_NS + 2)
    assert risk.day_loss(5 * DAY_NS + 3) == 10


def test_drawdown_is_measured_from_the_highest_equity() -> None:
    """In percent of it, and zero before any equity is known."""
    risk = account()
    assert risk.drawdown_percent == 0
    for equity in (100, 200, 150):
        risk.equity(D(equity), 0)
    assert risk.drawdown_percent == 25
    broke = account()
    broke.equity(D(-5), 0)
    assert broke.drawdown_percent == 0


def test_a_drawdown_that_a_person_accepts_is_counted_anew_from_there() -> None:
    """Over a restart by checkpoint too; the limit holds again where as much is lost once more. The day's loss stays."""
    before = account(daily_loss=D(1000), drawdown_percent=D(20))
    for equity in (100, 200, 150):
        before.equity(D(equity), 5 * DAY_NS)
    before.kill("a person")
    reset = before.accepted("ann", 5 * DAY_NS + 2)
    assert reset == DrawdownReset(
        currency="USDT", highest=D(200), equity=D(150), equity_ns=5 * DAY_NS, caller="ann", at_ns=5 * DAY_NS + 2
    )
    assert before.drawdown_percent == 25  # until the journal has it
    before.observe(reset)
    again = account(daily_loss=D(1000), drawdown_percent=D(20))
    again.resume(before.checkpoint())
    for risk in (before, again):
        assert (risk.drawdown_percent, risk.spent(5 * DAY_NS + 3), risk.killed) == (D(0), [], "a person")
        assert risk.day_loss(5 * DAY_NS + 3) == 0
        risk.equity(D(121), 5 * DAY_NS + 4)
        assert risk.spent(5 * DAY_NS + 4) == []
        risk.equity(D(120), 5 * DAY_NS + 5)
        assert (risk.drawdown_percent, len(risk.spent(5 * DAY_NS + 5))) == (D(20), 1)
        risk.equity(D(160), 5 * DAY_NS + 6)
        risk.equity(D(152), 5 * DAY_NS + 7)
        assert risk.drawdown_percent == 5  # a new highest counts as any other


def test_what_the_day_has_lost_is_not_accepted_with_it() -> None:
    """It ends by itself."""
    risk = account(daily_loss=D(10))
    for equity in (100, 80):
        risk.equity(D(equity), 5 * DAY_NS)
    reset = risk.accepted("ann", 5 * DAY_NS + 1)
    assert reset is not None
    risk.observe(reset)
    assert (risk.drawdown_percent, risk.day_loss(5 * DAY_NS + 2)) == (D(0), D(20))


def test_there_is_nothing_to_accept_without_a_fall() -> None:
    """Of an equity that is not known, or is at its highest."""
    risk = account()
    assert (risk.accepted("ann", 1), risk.newest_equity) == (None, None)
    for equity in (100, 200):
        risk.equity(D(equity), 0)
    assert (risk.accepted("ann", 1), risk.newest_equity, risk.currency) == (None, D(200), "USDT")
    again = risk.accepted("ann", 1, again=True)  # the disk may not have taken what was accepted before
    assert again is not None
    assert (again.highest, again.equity) == (D(200), D(200))


def test_a_drawdown_that_was_reset_in_another_currency_is_none_of_this_one() -> None:
    """The settings had another then."""
    risk = account()
    for equity in (200, 150):
        risk.equity(D(equity), 0)
    risk.observe(DrawdownReset(currency="USDC", highest=D(70), equity=D(60), caller="ann", at_ns=1))
    assert risk.drawdown_percent == 25


def test_money_that_left_before_the_reset_and_is_told_of_after_it_is_no_loss() -> None:
    """The equity that the fall is counted from was stated before it left."""
    risk = account()
    for minute, equity in enumerate((1000, 800)):
        risk.equity(D(equity), 5 * DAY_NS + minute * 60 * SECOND_NS)
    reset = risk.accepted("ann", 5 * DAY_NS + HOUR_NS)
    assert reset is not None
    risk.observe(reset)
    risk.observe(transferred("-500", 5 * DAY_NS + HOUR_NS - 5 * SECOND_NS))
    risk.equity(D(285), 5 * DAY_NS + HOUR_NS + 60 * SECOND_NS)
    assert risk.drawdown_percent == 5


@pytest.mark.parametrize("written", [False, True])
def test_the_equity_that_is_counted_from_is_of_its_own_time(written: bool) -> None:
    """A full disk may have refused the statement, not what was accepted; an older journal does not say when it was."""
    before, after = account(), account()
    for minute, equity in enumerate((1000, 900)):
        before.equity(D(equity), 5 * DAY_NS + minute * 600 * SECOND_NS)
    after.equity(D(1000), 5 * DAY_NS)
    reset = before.accepted("ann", 5 * DAY_NS + HOUR_NS)
    assert reset is not None
    after.observe(reset if written else msgspec.structs.replace(reset, equity_ns=0))
    after.observe(transferred("500", 5 * DAY_NS + 300 * SECOND_NS))  # before the statement of which the disk knows not
    after.equity(D(900), 5 * DAY_NS + 2 * HOUR_NS)
    assert (after.drawdown_percent == 0) is written


@pytest.mark.parametrize("resumed", [False, True])
def test_an_equity_that_may_be_of_before_a_transfer_is_not_counted_from(resumed: bool) -> None:
    """But the next one is, over a restart by checkpoint too: what left just after it is no loss."""
    risk = account()
    for minute, equity in enumerate((1000, 700)):
        risk.equity(D(equity), 5 * DAY_NS + minute * HOUR_NS)
    risk.observe(transferred("-200", 5 * DAY_NS + HOUR_NS + 5 * SECOND_NS))
    if resumed:
        risk, before = account(), risk
        risk.resume(before.checkpoint())
    reset = risk.accepted("ann", 5 * DAY_NS + HOUR_NS + 6 * SECOND_NS)
    assert reset is not None
    risk.observe(reset)
    risk.equity(D(500), 5 * DAY_NS + HOUR_NS + 7 * SECOND_NS)
    assert risk.drawdown_percent == 0
    risk.equity(D(450), 5 * DAY_NS + 2 * HOUR_NS)
    assert risk.drawdown_percent == 10


@pytest.mark.parametrize("resumed", [False, True])
def test_money_that_is_taken_out_is_no_loss(resumed: bool) -> None:
    """Neither of the day nor from the highest, once it is told of; what was lost before it still is one."""
    risk = account(daily_loss=D(50), drawdown_percent=D(20))
    risk.equity(D(1000), 5 * DAY_NS)
    risk.equity(D(960), 5 * DAY_NS + HOUR_NS)
    risk.equity(D(460), 5 * DAY_NS + 2 * HOUR_NS)
    assert risk.spent(5 * DAY_NS + 2 * HOUR_NS) != []
    if resumed:
        risk, before = account(daily_loss=D(50), drawdown_percent=D(20)), risk
        risk.resume(before.checkpoint())
    risk.observe(transferred("-500", 5 * DAY_NS + 2 * HOUR_NS - 20 * SECOND_NS))
    assert risk.spent(5 * DAY_NS + 2 * HOUR_NS) == []
    assert (risk.day_loss(5 * DAY_NS + 2 * HOUR_NS), risk.drawdown_percent) == (D(40), D(8))


def test_money_that_is_brought_is_no_gain() -> None:
    """What is lost after it is a loss, though the equity is above all that it was before."""
    risk = account()
    risk.equity(D(1000), 5 * DAY_NS)
    risk.equity(D(1500), 5 * DAY_NS + HOUR_NS)
    risk.observe(transferred("500", 5 * DAY_NS + HOUR_NS - 20 * SECOND_NS))
    risk.equity(D(1470), 5 * DAY_NS + 2 * HOUR_NS)
    assert (risk.day_loss(5 * DAY_NS + 2 * HOUR_NS), risk.drawdown_percent) == (D(30), D(2))


def test_a_transfer_that_is_told_of_before_the_equity_has_it_is_neither() -> None:
    """The last equity is of before, so it is counted into that one; the next has it by itself."""
    risk = account()
    risk.equity(D(1000), 5 * DAY_NS)
    for amount, stated in (("500", 1500), ("-900", 600)):
        risk.observe(transferred(amount, 5 * DAY_NS + HOUR_NS))
        assert (risk.day_loss(5 * DAY_NS + HOUR_NS), risk.drawdown_percent) == (D(0), D(0))
        risk.equity(D(stated), 5 * DAY_NS + HOUR_NS + 20)
        assert (risk.day_loss(5 * DAY_NS + HOUR_NS), risk.drawdown_percent) == (D(0), D(0))


def test_a_transfer_of_before_the_day_changes_nothing_of_it() -> None:
    """The day began with an equity that had it."""
    risk = account()
    risk.equity(D(1000), 5 * DAY_NS - HOUR_NS)
    risk.equity(D(1500), 5 * DAY_NS - 1)
    risk.equity(D(1490), 5 * DAY_NS + HOUR_NS)
    risk.observe(transferred("500", 5 * DAY_NS - HOUR_NS // 2))
    assert (risk.day_loss(5 * DAY_NS + HOUR_NS), round(risk.drawdown_percent, 3)) == (D(10), D("0.667"))


def test_a_day_that_began_in_the_moment_of_a_transfer_begins_with_the_next_equity() -> None:
    """Whether its first equity had the money is not known."""
    risk = account()
    risk.equity(D(1500), 5 * DAY_NS)
    risk.observe(transferred("500", 5 * DAY_NS + 1))
    assert risk.day_loss(5 * DAY_NS + HOUR_NS) == 0
    risk.equity(D(1480), 5 * DAY_NS + HOUR_NS)
    risk.equity(D(1470), 5 * DAY_NS + HOUR_NS)
    assert risk.day_loss(5 * DAY_NS + HOUR_NS) == 10


def test_a_transfer_of_another_coin_moves_nothing() -> None:
    """It is no part of the equity."""
    risk = account()
    risk.equity(D(1000), 5 * DAY_NS)
    told = transferred("-500", 5 * DAY_NS + HOUR_NS)
    risk.observe(msgspec.structs.replace(told, transfer=msgspec.structs.replace(told.transfer, currency="BTC")))
    risk.equity(D(900), 5 * DAY_NS + 2 * HOUR_NS)
    assert (risk.day_loss(5 * DAY_NS + 2 * HOUR_NS), risk.drawdown_percent) == (D(100), D(10))


def test_a_transfer_before_any_equity_is_known_is_nothing() -> None:
    """The first statement has it."""
    risk = account()
    risk.observe(transferred("-500", 5 * DAY_NS))
    risk.equity(D(1000), 5 * DAY_NS + HOUR_NS)
    assert (risk.day_loss(5 * DAY_NS + HOUR_NS), risk.drawdown_percent) == (D(0), D(0))


def test_the_limits_of_loss_that_hold_every_market_are_told() -> None:
    """The day's until midnight, that of the peak until equity is back; none where none is set."""
    risk, off = account(daily_loss=D(10), drawdown_percent=D(20)), account(daily_loss=None, drawdown_percent=None)
    for ledger in (risk, off):
        ledger.equity(D(100), 5 * DAY_NS)
        assert ledger.spent(5 * DAY_NS + 1) == []
        ledger.equity(D(75), 5 * DAY_NS + 2)
    assert risk.spent(5 * DAY_NS + 3) == [
        "the day has lost 25.00, the limit is 10; entries resume at 00:00 UTC",
        f"equity is 25.00 % below its peak, the limit is 20 %{AFTER}",
    ]
    assert risk.spent(6 * DAY_NS) == [f"equity is 25.00 % below its peak, the limit is 20 %{AFTER}"]
    risk.equity(D(90), 6 * DAY_NS + 1)
    assert risk.spent(6 * DAY_NS + 2) == []
    assert off.spent(5 * DAY_NS + 3) == []


def test_the_kill_switch_is_remembered_by_the_journal() -> None:
    """Set and released by its events, so that a replay comes to the same."""
    risk = AccountRisk(Limits())
    assert (risk.killed, risk.flatten) == ("", False)
    risk.observe(KillSwitchSet(reason="news", flatten=True, caller="test", at_ns=1))
    assert (risk.killed, risk.flatten) == ("news", True)
    risk.observe(KillSwitchReleased(caller="test", at_ns=2))
    assert (risk.killed, risk.flatten) == ("", False)


def test_a_restart_remembers_what_the_day_has_lost_and_what_the_switch_wants() -> None:
    """From a checkpoint, which stands for events that the journal does not have any more."""
    before = account()
    for equity in (D(100), D(70)):
        before.equity(equity, 5 * DAY_NS)
    before.kill("news", flatten=True)
    risk = account()
    risk.resume(before.checkpoint())
    assert (risk.killed, risk.flatten) == ("news", True)
    assert risk.equity_known
    assert risk.day_loss(5 * DAY_NS + 1) == 30
    assert risk.day_loss(6 * DAY_NS) == 0


def test_the_kill_switch_holds_entries_until_released(facts: MarketFacts, propose: Propose) -> None:
    """Exits go on; the reason is kept, and is never empty."""
    risk = account()
    risk.kill("")
    assert risk.killed == "no reason given"
    risk.kill("operator")
    verdict = risk.admit(propose(), ClientId("a"), facts, 0)
    assert verdict == Blocked(rule="kill_switch", reason="the kill switch is set: operator")
    assert risk.admit(propose(purpose=Purpose.EXIT), ClientId("x"), facts, 0) == Allowed()
    risk.release()
    assert risk.admit(propose(), ClientId("b"), facts, 0) == Allowed()


# --------------------------------------------------------------------------------------------------------- properties
MARKETS = [MarketId(f"bybit:M{i}-USDT:USDT") for i in range(4)]
BOUND = Limits(market_notional=D(300), total_notional=D(700), open_positions=3, leverage=D(2), slippage_percent=D(1))


class OrderAtVenue(msgspec.Struct):
    """An order that was admitted, as its venue knows it."""

    market: MarketId
    sign: int
    price: D  # at which it fills: anything up to its worst
    remaining: D


class Exposure(RuleBasedStateMachine):
    """Any sequence of admissions, fills, late reports, exits and settlements, against a model of the venue.

    Marks stand still at the fill price, so that what is held is worth what was paid: a mark that runs away is no
    order's doing, and only keeps further entries out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.risk = AccountRisk(BOUND)
        self.orders: dict[ClientId, OrderAtVenue] = {}
        self.net: dict[MarketId, D] = dict.fromkeys(MARKETS, D(0))
        self.number = 0

    @initialize(equity=st.sampled_from([D(200), D(1000)]))
    def begin(self, equity: D) -> None:
        """The account's money is known."""
        self.money = equity
        self.risk.equity(equity, 0)

    @rule(market=st.sampled_from(MARKETS), quantity=st.integers(1, 40), limit=st.booleans(), side=st.sampled_from(Side))
    def admit(self, market: MarketId, quantity: int, limit: bool, side: Side) -> None:
        """Propose an entry; what is admitted rests at the venue."""
        if self.net[market] * side.sign < 0:
            return  # a flip is an exit first: such a proposal is never made
        if any(each.market == market and each.sign != side.sign for each in self.orders.values()):
            return  # nor is one against an order at work
        self.number += 1
        client_id = ClientId(f"kb{self.number}")
        proposal = propose_in(market, D(quantity) / 10, limit, side)
        if isinstance(self.risk.admit(proposal, client_id, facts_of(market), 0), Allowed):
            worst = D(10) if limit else D("10.1")
            self.orders[client_id] = OrderAtVenue(market, side.sign, worst, proposal.quantity)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), share=st.integers(1, 10))
    def fill(self, data: st.DataObject, share: int) -> None:
        """Fill a part at the worst price: position first, then what remains."""
        client_id = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[client_id]
        quantity = order.remaining * share / 10
        order.remaining -= quantity
        self.net[order.market] += quantity * order.sign
        self.mark(order.market)
        self.risk.order(client_id, order.remaining * order.price)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), late=st.integers(0, 100))
    def late_report(self, data: st.DataObject, late: int) -> None:
        """A report that is older than what is known says that more remains."""
        client_id = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[client_id]
        self.risk.order(client_id, (order.remaining + late) * order.price)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """The order ended, filled or not."""
        client_id = data.draw(st.sampled_from(sorted(self.orders)))
        self.orders.pop(client_id)
        self.risk.settle(client_id)

    @rule(market=st.sampled_from(MARKETS), share=st.integers(1, 10))
    def leave(self, market: MarketId, share: int) -> None:
        """Close a part of a position."""
        self.net[market] -= self.net[market] * share / 10
        self.mark(market)

    def mark(self, market: MarketId) -> None:
        """Tell the ledger what is held."""
        self.risk.position(market, self.net[market], D(10))

    @invariant()
    def never_above_the_limits(self) -> None:
        """Exposure as the venue would count it: what is held, and what may still fill."""
        per_market = {
            market: abs(net) * 10
            + sum((each.remaining * each.price for each in self.orders.values() if each.market == market), D(0))
            for market, net in self.net.items()
        }
        total = sum(per_market.values())
        assert all(value <= 300 for value in per_market.values())
        assert total <= 700
        assert total <= 2 * self.money
        assert sum(value > 0 for value in per_market.values()) <= 3

    @invariant()
    def never_below_the_truth(self) -> None:
        """The ledger counts at least what is there."""
        at_venue = sum((each.remaining * each.price for each in self.orders.values()), D(0))
        held = sum((abs(net) * 10 for net in self.net.values()), D(0))
        assert self.risk.total_exposure >= at_venue + held
        assert self.risk.total_exposure == sum((self.risk.market_exposure(market) for market in MARKETS), D(0))


def propose_in(market: MarketId, quantity: D, limit: bool, side: Side) -> Proposal:
    """An entry around 10."""
    return Proposal(
        market=market,
        purpose=Purpose.ENTRY,
        side=side,
        kind=OrderKind.LIMIT if limit else OrderKind.MARKET,
        quantity=quantity,
        price=D(10) if limit else None,
        stop=D(9) if side is Side.BUY else D(11),
        reference=D(10),
        reason="because",
    )


def facts_of(market: MarketId) -> MarketFacts:
    """A market without filters that matter."""
    instrument = msgspec.structs.replace(
        instrument_of("M", step=D("0.1"), min_quantity=D("0.1"), min_notional=D(0)), market=market
    )
    quote = Quote(market=market, bid=D(10), bid_quantity=D(1), ask=D(10), ask_quantity=D(1), at_ns=0)
    return MarketFacts(instrument=instrument, quote=quote, quote_age_ns=0, mark=D(10))


TestExposure = Exposure.TestCase
TestExposure.settings = settings(max_examples=60, stateful_step_count=40)


@given(lives(), st.floats(0, 1))
def test_a_ledger_that_goes_on_from_a_checkpoint_knows_the_same(events: Sequence[Event], share: float) -> None:
    """Equity, its peak, the day, the kill switch and what the protections remember; wherever it is cut."""
    whole, first, rest = AccountRisk(Limits()), AccountRisk(Limits()), AccountRisk(Limits())
    cut = round(share * len(events))
    for event in events:
        whole.observe(event)
    for event in events[:cut]:
        first.observe(event)
    rest.resume(first.checkpoint())
    for event in events[cut:]:
        rest.observe(event)
    now_ns = events[-1].at_ns if events else 0
    assert rest.checkpoint() == whole.checkpoint()
    assert (rest.killed, rest.flatten, rest.drawdown_percent) == (whole.killed, whole.flatten, whole.drawdown_percent)
    assert rest.day_loss(now_ns) == whole.day_loss(now_ns)


def test_the_highest_of_an_account_that_had_nothing_is_known_after_a_restart_too() -> None:
    """Nought or a debt: with what was brought since, it is a height like any other."""
    for empty in (D(0), D(-5)):
        risk, again = account(), account()
        for hour in (0, 3):
            risk.equity(empty, 5 * DAY_NS + hour * HOUR_NS)
        again.resume(risk.checkpoint())
        for one in (risk, again):
            one.observe(transferred("500", 5 * DAY_NS + 3 * HOUR_NS))
            one.equity((empty + 500) * D("0.9"), 5 * DAY_NS + 4 * HOUR_NS)
            assert one.drawdown_percent == 10
        assert again.checkpoint() == risk.checkpoint()


@pytest.mark.parametrize("rewritten", [{"currency": "USDC"}, {"currency": ""}, None])
def test_a_peak_in_another_currency_is_forgotten(rewritten: dict[str, str] | None) -> None:
    """Of another settings' currency, or of a checkpoint that names none; the kill switch and realised losses stay."""
    before = account()
    before.equity(D(65_000), 1)
    flow = CashFlow(market=BTC, execution_id=ExecutionId("f"), kind="Funding", amount=D(-7), currency="USDT", at_ns=2)
    before.observe(CashFlowApplied(flow=flow, at_ns=2))
    before.kill("a person")
    state = msgspec.json.decode(before.checkpoint())
    if rewritten is None:
        del state["currency"]
    else:
        state.update(rewritten)
    risk = account()
    risk.resume(msgspec.json.encode(state))
    known = [risk.equity_known]
    risk.equity(D(5_000), 3)
    assert [*known, risk.equity_known] == [False, True]
    assert risk.drawdown_percent == 0
    assert risk.day_loss(4) == 7
    assert risk.killed == "a person"


def test_another_balance_of_an_account_on_paper_is_no_loss_and_no_gain() -> None:
    """Losses are measured from the next statement on; what was realised today and a kill switch stay."""
    before = account()
    before.equity(D(10_000), 1)
    flow = CashFlow(market=BTC, execution_id=ExecutionId("f"), kind="Funding", amount=D(-7), currency="USDT", at_ns=2)
    before.observe(CashFlowApplied(flow=flow, at_ns=2))
    before.kill("a person")
    told = Noted(kind=NEW_BALANCE, severity=Severity.INFO, market=None, message="", at_ns=3)
    first = msgspec.structs.replace(told, kind="paper.balance")  # of a journal that did not know it before
    for note, seen in ((told, (D(7), D(0))), (first, (D(9_000), D(90)))):
        risk, again = account(), account()
        risk.resume(before.checkpoint())
        risk.observe(note)
        assert risk.equity_known is (note is first)
        again.resume(risk.checkpoint())
        for one in (risk, again):
            one.equity(D(1_000), 4)
            assert (one.day_loss(4), one.drawdown_percent) == seen
            assert one.killed == "a person"
    risk = account()
    risk.observe(told)
    for equity in (D(1_000), D(900)):
        risk.equity(equity, 4)
    assert (risk.day_loss(4), risk.drawdown_percent) == (D(100), D(10))
