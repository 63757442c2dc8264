"""Whether an order may leave: each reason for which one stays, at its edge."""

import msgspec
import pytest

from kangbot.execution.budget import Budget
from kangbot.execution.clearance import Clearance
from kangbot.execution.errands import Errands
from kangbot.execution.learning import Learning
from kangbot.execution.outcome import WriteEnded
from kangbot.execution.records import Records
from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Covering
from kangbot.machines.limiter import Window
from kangbot.machines.memory import MarketMemory
from kangbot.machines.order import Order
from kangbot.machines.order_words import Answered, CancelAsked, Doubted, Lost, Reported, Sent
from kangbot.model.events import Severity
from kangbot.model.ids import stop_ids
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Intent, OrderStatus, Purpose, Side
from kangbot.model.position import Position
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock
from tests.support.order_disk import Disk
from tests.support.order_venue import FakeVenue
from tests.support.trade_words import MARGIN, MARKET, SECOND, START, TAG, WINDOW, dec, fill, instrument, intent, report

S = OrderStatus
SETTLE = START + WINDOW + MARGIN
DOOR = SETTLE + 100 * SECOND  # by the venue's clock, which is ahead
SENT = Sent(SETTLE, DOOR)
NOW = START + SECOND


def _errands() -> Errands:
    clock = Clock(monotonic_ns=lambda: 0, anchor_ns=START)
    return Errands(
        instrument=instrument(),
        venue=FakeVenue(clock=clock),
        budget=Budget(clock=clock, venue="orders", windows=(Window(most=50, span_ns=SECOND),)),
        clock=clock,
        tasks=Tasks("test", lambda _name, _error: None),
        post=lambda _outcome: None,
        timeout_s=1.0,
    )


class Market:
    """A market that was compared with its venue and in which nothing is wrong; `why` holds its entries."""

    def __init__(self, kind: InstrumentKind = InstrumentKind.LINEAR, *, quarantine_hands: bool = False) -> None:
        self.why = ""
        self.blotter = Blotter(
            MarketMemory(market=MARKET, position=Position(market=MARKET)),
            journal=TAG,
            strategy="test",
            born_ns=START,
            settle_ns=START,
            now_ns=START,
        )
        spot = kind is InstrumentKind.SPOT
        covering = Covering(mine=stop_ids(TAG), instrument=instrument(kind)) if spot else None
        self.agreement = Agreement(self.blotter, covering=covering)
        self.agreement.reconciled_ns = START
        self.records = Records(journal=Disk(), errands=_errands())
        self.clearance = Clearance(
            Learning(self.blotter, self.agreement),
            self.records,
            hold=lambda: self.why,
            quarantine_hands=quarantine_hands,
        )

    def order(self, purpose: Purpose = Purpose.ENTRY, *, number: int = 1, quantity: str | int = 1) -> Intent:
        """Enter an intent that has not left: an entry buys, an exit sells."""
        side = Side.BUY if purpose is Purpose.ENTRY else Side.SELL
        made = msgspec.structs.replace(intent(number, quantity, purpose=purpose), side=side, venue_settle_ns=DOOR)
        self.blotter.open(made, MARGIN)
        return made

    def lose(self, made: Intent) -> None:
        """Have it leave, and no answer come."""
        self.blotter.learn(made.client_id, SENT, START)
        self.blotter.learn(made.client_id, Lost("no answer in time"), START)

    def stands(self) -> tuple[str | None, bool]:
        """Why no entry may leave, and whether the market may go live."""
        return self.clearance.entries_blocked, self.clearance.settled

    def known(self, made: Intent) -> Order:
        """Return what is known of it."""
        order = self.blotter.order(made.client_id)
        assert order is not None
        return order


# ------------------------------------------------------------------------------------------------------------ entries
def test_an_entry_may_leave_where_nothing_is_wrong() -> None:
    """Nobody has to look, and the market may go live."""
    market = Market()
    assert (market.clearance.entries_blocked, market.clearance.quarantine) == (None, "")
    assert market.clearance.settled


def test_no_entry_leaves_before_the_first_comparison() -> None:
    """Nor is a market live before it."""
    market = Market()
    market.agreement.reconciled_ns = 0
    assert market.clearance.entries_blocked == "orders and position have not been compared with the venue yet"
    assert not market.clearance.settled


def test_what_is_impossible_is_a_persons_matter() -> None:
    """Before anything else that a person has to look at."""
    market = Market()
    made = market.order()
    market.agreement.quarantine = "positions differ"
    assert market.clearance.quarantine == "positions differ"
    market.blotter.learn(made.client_id, Reported(report(S.ACKED)), NOW)  # it never left
    assert "is intent and cannot be acked" in market.clearance.quarantine
    assert market.clearance.entries_blocked == market.clearance.quarantine


@pytest.mark.parametrize("theirs", [True, False])
def test_a_market_that_hands_took_is_a_persons_where_that_is_the_policy(theirs: bool) -> None:
    """Else it is only told."""
    market = Market(quarantine_hands=theirs)
    market.blotter.note("market.quarantine", Severity.WARNING, "somebody sold", NOW)
    assert market.clearance.quarantine == ("somebody sold" if theirs else "")
    assert market.clearance.entries_blocked == ("somebody sold" if theirs else None)


def test_no_entry_leaves_while_the_journal_is_behind() -> None:
    """What it leads to could not be remembered."""
    market = Market()
    market.records.ended(WriteEnded(events=(), error="no room"), NOW)
    assert market.clearance.entries_blocked == "the journal is behind: no room"
    assert market.clearance.settled


def test_no_entry_leaves_beside_an_order_of_which_nobody_knows_what_became() -> None:
    """It is named; a market does not go live with it, nor with one that is doubted."""
    market = Market()
    lost = market.order()
    market.lose(lost)
    assert market.stands() == (f"what became of order {lost.client_id} is not known", False)
    market.blotter.learn(lost.client_id, Reported(report(S.ACKED)), NOW)
    assert market.stands() == (None, True)
    market.blotter.learn(lost.client_id, Doubted(), NOW)
    assert market.stands() == (None, False)


def test_no_entry_leaves_while_the_position_is_disputed() -> None:
    """The market waits for what explains it, and not for ever: once it is a person's matter it may go live."""
    market = Market()
    market.agreement.disputed = "looking for what explains it"
    assert market.clearance.entries_blocked == "looking for what explains it"
    assert not market.clearance.settled
    market.agreement.quarantine = "nothing explains it"
    assert market.clearance.entries_blocked == "nothing explains it"
    assert market.clearance.settled


def test_entries_are_held_by_whoever_holds_the_account() -> None:
    """The last of all reasons: what is wrong in the market itself is said first. Without anybody who holds none is."""
    market = Market()
    market.why = "kill_switch: news"
    assert market.clearance.entries_blocked == "kill_switch: news"
    assert market.clearance.settled
    market.agreement.disputed = "looking for what explains it"
    assert market.clearance.entries_blocked == "looking for what explains it"
    alone = Clearance(
        Learning(market.blotter, Agreement(market.blotter)), market.records, hold=None, quarantine_hands=True
    )
    assert "compared" in (alone.entries_blocked or "")


def test_only_a_second_copy_of_an_entry_is_held() -> None:
    """An exit is sent again whatever holds the account."""
    market = Market()
    market.why = "breaker: the entry lane is open"
    entry, exit_ = (market.known(market.order(purpose, number=number)) for number, purpose in enumerate(Purpose, 1))
    assert [market.clearance.held(order) for order in (entry, exit_)] == [market.why, ""]
    alone = Clearance(Learning(market.blotter, market.agreement), market.records, hold=None, quarantine_hands=False)
    assert alone.held(entry) == ""


# ----------------------------------------------------------------------------------------------- the moment it leaves
@pytest.mark.parametrize("purpose", list(Purpose))
def test_what_was_cancelled_before_it_left_stays(purpose: Purpose) -> None:
    """As does what nobody remembers."""
    market = Market()
    made = market.order(purpose)
    assert market.clearance.stays(made, SENT, NOW) == ""
    market.blotter.learn(made.client_id, CancelAsked(), NOW)
    assert market.clearance.stays(made, SENT, NOW) == "cancelled before it left"
    assert market.clearance.stays(intent(7), SENT, NOW) == "cancelled before it left"


def test_an_order_stays_from_its_deadline_on() -> None:
    """At that very instant too: absence proves something from then on."""
    market = Market()
    made = market.order(Purpose.EXIT)
    assert market.clearance.stays(made, SENT, made.deadline_ns - 1) == ""
    assert market.clearance.stays(made, SENT, made.deadline_ns) == "its time was over before it could leave"


def test_an_order_stays_whose_stamp_is_later_than_the_journal_says() -> None:
    """By the least of it; an earlier stamp harms nobody."""
    market = Market()
    made = market.order(Purpose.EXIT)
    assert market.clearance.stays(made, Sent(SETTLE, DOOR - 1), NOW) == ""
    assert "the venue's clock was set forward" in market.clearance.stays(made, Sent(SETTLE, DOOR + 1), NOW)


def test_a_second_copy_stays_where_the_first_was_found() -> None:
    """Wherever it stands by then; it leaves only while nothing is known."""
    market = Market()
    made = market.order()
    market.lose(made)
    assert market.clearance.stays(made, SENT, NOW) == ""
    market.blotter.learn(made.client_id, Answered(report(S.ACKED)), NOW)
    assert market.clearance.stays(made, SENT, NOW) == "found while its second copy waited"


def test_an_entry_stays_for_whatever_blocks_entries_and_an_exit_does_not() -> None:
    """Something may have happened while it waited for the disk or for its turn."""
    market = Market()
    entry, exit_ = market.order(number=1), market.order(Purpose.EXIT, number=2)
    market.lose(market.order(number=3))
    assert market.clearance.stays(entry, SENT, NOW).startswith("what became of order")
    assert market.clearance.stays(exit_, SENT, NOW) == ""


def test_a_second_copy_stays_only_where_the_account_is_held() -> None:
    """The order itself is what nobody knows the end of: it would keep itself here. An exit's copy leaves."""
    market = Market()
    entry, exit_ = market.order(number=1), market.order(Purpose.EXIT, number=2)
    market.lose(entry)
    market.lose(exit_)
    assert [market.clearance.stays(made, SENT, NOW) for made in (entry, exit_)] == ["", ""]
    market.why = "kill_switch: news"
    assert [market.clearance.stays(made, SENT, NOW) for made in (entry, exit_)] == ["kill_switch: news", ""]


def test_an_exit_stays_whose_coins_were_sold_while_it_waited() -> None:
    """It would sell somebody else's. Of a position no venue lets an exit take more than there is."""
    for kind, kept in (
        (InstrumentKind.SPOT, "what it was to sell has been sold while it waited"),
        (InstrumentKind.LINEAR, ""),
    ):
        market = Market(kind)
        bought = market.order(number=1, quantity=2)
        market.blotter.learn(bought.client_id, SENT, START)
        market.blotter.fill(fill("e1", 2, number=1), NOW)
        exit_ = market.order(Purpose.EXIT, number=2, quantity=2)
        assert market.clearance.stays(exit_, SENT, NOW) == ""
        sold = market.order(Purpose.EXIT, number=3, quantity="0.1")
        market.blotter.learn(sold.client_id, SENT, START)
        market.blotter.fill(fill("e2", "0.1", number=3, venue_order_id="v3", side=Side.SELL), NOW)
        assert market.blotter.position.net == dec("1.9")
        assert market.clearance.stays(exit_, SENT, NOW) == kept
        assert market.clearance.stays(market.order(number=4), SENT, NOW) == ""
