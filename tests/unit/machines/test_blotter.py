"""One market's orders, executions and position."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kangbot.machines.blotter import Blotter
from kangbot.machines.executions import REMEMBERED_NS
from kangbot.machines.kept_orders import KEPT
from kangbot.machines.memory import MarketMemory, Recollection
from kangbot.machines.order import worst_case
from kangbot.machines.order_words import (
    Absent,
    Answered,
    Asked,
    CancelAsked,
    Doubted,
    Duplicate,
    Learnt,
    Lost,
    RefusedByVenue,
    Reported,
    Sent,
    Withheld,
)
from kangbot.model.events import (
    CashFlowApplied,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    Record,
    RoundTripClosed,
    StopSet,
)
from kangbot.model.ids import ClientId, VenueOrderId, client_id
from kangbot.model.orders import Evidence, FillCause, OrderStatus, Side
from kangbot.model.position import Position
from tests.support.records import records
from tests.support.trade_words import MARGIN, MARKET, SECOND, START, TAG, WINDOW, dec, fill, funding, intent, report

S = OrderStatus
SETTLE = START + WINDOW + MARGIN
FIRST = client_id(TAG, 1)


def blotter(memory: MarketMemory | None = None, *, quarantine_hands: bool = False) -> Blotter:
    """Return a blotter that remembers `memory`, or nothing."""
    empty = MarketMemory(market=MARKET, position=Position(market=MARKET))
    return Blotter(
        memory or empty,
        journal=TAG,
        strategy="test",
        born_ns=START,
        settle_ns=SETTLE,
        now_ns=START,
        quarantine_hands=quarantine_hands,
    )


def working(quantity: str | int = 1, stop: str | None = None) -> Blotter:
    """Return a blotter with one order that rests."""
    one = blotter()
    one.open(intent(1, quantity, stop=stop), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    one.learn(FIRST, Answered(report(S.ACKED)), START)
    return one


def kinds(events: object) -> list[str]:
    """Return the events' names, and the notes' kinds."""
    return [event.kind if isinstance(event, Noted) else type(event).__name__ for event in events]  # type: ignore[attr-defined]


def status(one: Blotter, number: int = 1) -> OrderStatus:
    """Return how the order of that number stands."""
    order = one.order(client_id(TAG, number))
    assert order is not None
    return order.status


# ------------------------------------------------------------------------------------------------------------- orders
def test_each_change_is_journalled_once() -> None:
    """What changes nothing that a restart or a reader needs leaves no record; SENT is none of those."""
    one = blotter()
    one.open(intent(), MARGIN)
    assert one.learn(FIRST, Sent(SETTLE), START) == []
    (changed,) = one.learn(FIRST, Answered(report(S.ACKED)), START + SECOND)
    assert isinstance(changed, OrderChanged)
    assert (changed.status, changed.evidence, changed.venue_order_id, changed.at_ns) == (
        S.ACKED,
        Evidence.ANSWER,
        "v1",
        START + SECOND,
    )
    assert one.learn(FIRST, Reported(report(S.ACKED)), START) == []
    assert one.learn(FIRST, Asked(), START) == []
    assert kinds(one.learn(FIRST, Reported(report(S.CANCELED)), START)) == ["OrderChanged"]


def test_what_became_of_an_order_is_journalled_with_its_reason_and_its_price() -> None:
    """The price when every fill is known: a part of it is in the fills themselves."""
    one = blotter()
    one.open(intent(), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    (refused,) = one.learn(FIRST, RefusedByVenue("110007", "no money"), START)
    assert isinstance(refused, OrderChanged)
    assert (refused.code, refused.message, refused.average) == ("110007", "no money", None)
    one = working()
    one.learn(FIRST, Reported(report(S.PARTIAL, "0.4")), START)
    assert kinds(one.fill(fill("e1", "0.4", 100), START)) == ["FillApplied"]
    (changed,) = one.learn(FIRST, Reported(report(S.FILLED, 1)), START)
    assert isinstance(changed, OrderChanged)
    assert changed.average is None
    _, changed = one.fill(fill("e2", "0.6", 110), START)
    assert isinstance(changed, OrderChanged)
    assert (changed.status, changed.average) == (S.FILLED, dec(106))
    assert (one.counts.acked, one.counts.filled) == (1, 1)


def test_an_order_that_is_not_remembered_is_nobodys() -> None:
    """Late words of what was forgotten."""
    assert blotter().learn(FIRST, Doubted(), START) == ()


def test_what_cannot_be_is_an_alarm_and_blocks() -> None:
    """A report of an order that never left; the order stays as it was."""
    one = blotter()
    one.open(intent(), MARGIN)
    assert kinds(one.learn(FIRST, Reported(report(S.ACKED)), START)) == ["order.impossible"]
    assert "is intent and cannot be acked" in one.contradiction
    assert status(one) is S.INTENT
    assert blotter(one.memory()).contradiction == one.contradiction  # a restart explains nothing


def test_settled_orders_are_remembered_for_a_while() -> None:
    """The newest few; those that may still change the position always."""
    one = blotter()
    for number in range(1, KEPT + 4):
        one.open(intent(number), MARGIN)
        if number > 1:
            one.learn(client_id(TAG, number), Withheld("test"), START)
    assert [order.intent.number for order in one.orders] == [1, *range(4, KEPT + 4)]
    assert [order.intent.number for order in one.unsettled] == [1]
    assert (one.counts.withheld, one.counts.not_accepted) == (KEPT + 2, 0)


def test_an_order_is_found_by_either_id() -> None:
    """Venues leave our id out of what they did themselves."""
    one = working()
    found = one.order(None, VenueOrderId("v1"))
    assert found is not None
    assert found.client_id == FIRST
    one.open(intent(2), MARGIN)
    assert one.order(None) is None, "an order that has no id there yet is not everybody's"
    assert one.order(None, VenueOrderId("v2")) is None
    assert one.order(ClientId("kbother1"), VenueOrderId("v1")) is None


# ------------------------------------------------------------------------------------------------------------- alarms
def test_unknown_is_told_and_counted() -> None:
    """Once, when it becomes so."""
    one = blotter()
    one.open(intent(), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    assert kinds(one.learn(FIRST, Lost("no answer in time"), START)) == ["OrderChanged", "order.unknown"]
    assert one.learn(FIRST, Lost("again"), START) == []
    assert (one.counts.sent, one.counts.resent) == (1, 0)
    one.learn(FIRST, Sent(SETTLE), START)
    one.learn(FIRST, Duplicate("110072", ""), START)
    assert (one.counts.sent, one.counts.resent) == (1, 1)


@pytest.mark.parametrize("learnt", [Reported(report(S.ACKED)), Reported(report(S.CANCELED))])
def test_an_order_that_was_believed_dead_and_shows_itself_is_an_alarm(learnt: Learnt) -> None:
    """Refused by a code, and yet it exists."""
    one = blotter()
    one.open(intent(), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    one.learn(FIRST, RefusedByVenue("110007", "no money"), START)
    assert kinds(one.learn(FIRST, learnt, START)) == ["OrderChanged", "order.resurrected"]
    assert one.counts.rejected == 1


def test_a_refusal_that_is_reported_too_is_no_alarm() -> None:
    """By the answer first, and by the stream: it is as dead as it was believed."""
    one = blotter()
    one.open(intent(), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    one.learn(FIRST, RefusedByVenue("110007", "no money"), START)
    assert "order.resurrected" not in kinds(one.learn(FIRST, Reported(report(S.REJECTED)), START))


def test_an_order_that_was_gone_and_lives_is_an_alarm_and_one_that_ended_otherwise_is_none() -> None:
    """EXPIRED by absence, then found open, or found cancelled."""
    for found, alarms in ((S.ACKED, ["order.resurrected"]), (S.CANCELED, [])):
        one = working()
        one.learn(FIRST, Doubted(), START)
        one.learn(FIRST, Absent(SETTLE + SECOND), SETTLE + SECOND)
        one.learn(FIRST, Absent(SETTLE + 3 * SECOND), SETTLE + 3 * SECOND)
        assert status(one) is S.EXPIRED
        assert kinds(one.learn(FIRST, Reported(report(found)), START)) == ["OrderChanged", *alarms]


def test_proof_of_absence_is_counted() -> None:
    """NOT_ACCEPTED by absence is another thing than what never left."""
    one = blotter()
    one.open(intent(), MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    one.learn(FIRST, Lost(""), START)
    one.learn(FIRST, Absent(SETTLE + SECOND), SETTLE + SECOND)
    one.learn(FIRST, Absent(SETTLE + 3 * SECOND), SETTLE + 3 * SECOND)
    assert (status(one), one.counts.not_accepted, one.counts.withheld) == (S.NOT_ACCEPTED, 1, 0)


def test_a_second_venue_order_under_one_id_is_an_alarm() -> None:
    """At most one venue order an intent."""
    one = working()
    assert kinds(one.learn(FIRST, Reported(report(S.ACKED, venue_order_id="v2")), START)) == ["order.second"]


def test_an_order_that_somebody_made_larger_is_withdrawn_and_told() -> None:
    """Once, also where our count of its fills had it whole."""
    larger = Reported(report(S.PARTIAL, 1, quantity=3))
    for counted in (False, True):
        one = working()
        if counted:
            one.fill(fill("e1", 1), START)
        events = one.learn(FIRST, larger, START)
        assert kinds(events)[1:] == ["order.amended"]
        assert one.touched == "order kbjournal11, buy 1, was made one of 3 at the venue: it is withdrawn"
        (order,) = one.unsettled
        assert order.cancel_requested_ns
        assert kinds(one.learn(FIRST, larger, START)) == []
        assert "order.overfilled" not in kinds(one.fill(fill("e2", "1.5"), START))


def test_an_order_that_somebody_made_larger_in_a_former_life_is_withdrawn_in_this_one() -> None:
    """The request for its end may have gone with the process: how large it was made is found anew, not remembered."""
    larger = Reported(report(S.PARTIAL, 1, quantity=3))
    former, recollection = blotter(), Recollection()
    former.open(intent(), MARGIN)
    events: list[Event] = [OrderIntended(intent=intent(), at_ns=START)]
    for learnt in (Sent(SETTLE), Answered(report(S.ACKED)), larger):
        events += former.learn(FIRST, learnt, START)
    for record in records(events):
        recollection.add(record)
    one = blotter(recollection.memory().market(MARKET))
    (order,) = one.unsettled
    assert (order.amended, order.cancel_requested_ns, order.reported) == (dec(0), 0, dec(1))
    assert kinds(one.learn(FIRST, larger, START))[-1:] == ["order.amended"]
    (order,) = one.unsettled
    assert order.cancel_requested_ns


def test_an_order_that_somebody_cancelled_is_told() -> None:
    """Not where we had asked for it, in this life or in one before."""
    cancelled = Reported(msgspec.structs.replace(report(S.CANCELED), withdrawn=True))
    one = working()
    assert kinds(one.learn(FIRST, cancelled, START)) == ["OrderChanged", "order.taken_away"]
    assert one.touched == "order kbjournal11, buy 1, was cancelled at the venue, filled 0"
    assert kinds(one.learn(FIRST, cancelled, START)) == []
    other = working()
    other.learn(FIRST, CancelAsked(), START)
    after = blotter(working().memory())
    for each, learnt in ((other, cancelled), (after, cancelled), (working(), Reported(report(S.CANCELED)))):
        assert kinds(each.learn(FIRST, learnt, START)) == ["OrderChanged"]
    whole = Reported(msgspec.structs.replace(report(S.CANCELED, 1), withdrawn=True))
    assert kinds(working().learn(FIRST, whole, START)) == ["OrderChanged"], "nothing was left to take"


def test_more_filled_than_ordered_is_an_alarm_and_counts() -> None:
    """Evidence wins, once more."""
    one = working()
    one.fill(fill("e1", "0.9"), START)
    assert "order.overfilled" in kinds(one.fill(fill("e2", "0.2"), START))
    assert one.position.net == dec("1.1")
    one = working()
    assert "order.overfilled" not in kinds(one.fill(fill("e1", 1), START))
    assert "order.overfilled" in kinds(one.fill(fill("e2", "0.001"), START))
    assert "order.overfilled" not in kinds(one.fill(fill("e3", "0.001"), START)), "it has been told"


# --------------------------------------------------------------------------------------------------------- executions
def test_a_fill_changes_position_and_order_in_one_group() -> None:
    """Fill, order, round trip, the end of the stop: in this order."""
    one = working(stop="90")
    events = one.fill(fill("e1", 1, fee="0.1"), START)
    assert kinds(events) == ["FillApplied", "OrderChanged"]
    assert isinstance(events[0], FillApplied)
    assert (events[0].net, events[0].entry) == (dec(1), dec(100))
    assert one.holding.stop == dec(90)
    assert kinds(one.rests(dec(90), START)) == ["StopSet"]
    one.open(intent(2), MARGIN)
    one.learn(client_id(TAG, 2), Sent(SETTLE), START)
    events = one.fill(fill("e2", 1, 110, number=2, side=Side.SELL, venue_order_id="v2"), START)
    assert kinds(events) == ["FillApplied", "OrderChanged", "RoundTripClosed", "StopSet"]
    assert one.position.net == 0
    assert one.stop is None
    assert one.last_trip is not None
    assert one.last_trip.net_profit == dec("9.9")
    assert list(one.realised_by_day.values()) == [dec("9.9")]


def test_an_execution_is_applied_once() -> None:
    """Also by a blotter that was made from the memory of another."""
    one = working()
    one.fill(fill("e1", "0.5"), START)
    again = blotter(one.memory())
    for each in (one, again):
        assert each.fill(fill("e1", "0.5"), START) == ()
        assert each.position.net == dec("0.5")


def test_a_fill_that_names_only_the_venues_id_finds_its_order() -> None:
    """And is journalled under ours, so that a replay finds it too."""
    one = working()
    applied = one.fill(fill("e1", 1, named=False), START)[0]
    assert isinstance(applied, FillApplied)
    assert applied.fill.client_id == FIRST
    assert status(one) is S.FILLED


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (FillCause.TRADE, "position.by_hand"),
        (FillCause.STOP, "position.stopped"),
        (FillCause.LIQUIDATION, "position.liquidated"),
        (FillCause.DELEVERAGING, "position.deleveraged"),
        (FillCause.SETTLEMENT, "position.delisted"),
    ],
)
def test_a_fill_without_an_order_of_ours_counts_and_is_told(cause: FillCause, kind: str) -> None:
    """The position is the sum of all fills, whoever asked for them."""
    one = blotter()
    assert kinds(one.fill(fill("e1", 1, named=False, venue_order_id="x", cause=cause), START)) == ["FillApplied", kind]
    assert one.position.net == dec(1)
    strange = "" if cause is FillCause.STOP else "by no order of ours (e1)"
    assert one.touched.endswith(strange)
    assert bool(one.touched) is bool(strange), "what stops are for surprises nobody"


def test_a_fill_of_an_order_that_the_journal_has_lost_is_the_strategys() -> None:
    """An older copy of the journal was put in place: nobody's hand, and told as what it is."""
    one = blotter(quarantine_hands=True)
    events = one.fill(fill("e1", 1, number=11), START)
    assert kinds(events) == ["FillApplied", "fill.forgotten"]
    assert isinstance(events[1], Noted)
    assert f"by order {client_id(TAG, 11)} of ours" in events[1].message
    assert (one.position.net, one.holding.by_hand, one.hands.quarantine, one.touched) == (dec(1), dec(0), "", "")


def test_what_happened_before_the_journal_is_not_ours() -> None:
    """Unless it is a fill of an order of ours: the venue's clock may be behind."""
    one = working()
    assert one.fill(fill("e1", 1, named=False, venue_order_id="x", at_ns=START - 1), START) == ()
    assert one.cash(funding("f1", 1, at_ns=START - 1), START) == ()
    assert kinds(one.fill(fill("e2", 1, at_ns=START - 1), START)) == ["FillApplied", "OrderChanged"]


@pytest.mark.parametrize("known_s", [-10, 10])
def test_a_fill_that_is_told_after_a_newer_one_is_ours_all_the_same(known_s: int) -> None:
    """The first record's clock may have been ahead: what is counted already was ours, and so is what is not older."""
    known = fill("e1", 1, named=False, venue_order_id="x", at_ns=START + known_s * SECOND)
    memory = msgspec.structs.replace(blotter().memory(), executions={known.execution_id: known.at_ns})
    one = blotter(memory)
    before = msgspec.structs.replace(
        fill("e2", 1, named=False, venue_order_id="x"), at_ns=START + known_s * SECOND // 2
    )
    assert one.fill(before, START) != ()
    assert one.position.net == 1


def test_an_execution_that_may_have_been_forgotten_is_not_guessed() -> None:
    """A day after, an unknown old id could be one that was applied."""
    one = working()
    one.fill(fill("e1", "0.1"), START)
    one.fill(fill("e2", "0.1", at_ns=START + REMEMBERED_NS + 1), START)
    for each in (one, blotter(one.memory())):
        assert kinds(each.fill(fill("e1", "0.1"), START)) == ["fill.too_old"]
        assert each.position.net == dec("0.2")
    assert one.cash(funding("f1", 1), START) == ()


def test_cash_flows_are_booked_once() -> None:
    """They count in the day's profit and not in the position."""
    one = blotter()
    assert kinds(one.cash(funding("f1", "-0.5"), START)) == ["CashFlowApplied"]
    assert one.cash(funding("f1", "-0.5"), START) == ()
    assert (list(one.realised_by_day.values()), one.position.net) == ([dec("-0.5")], dec(0))
    assert kinds(one.cash(funding("f2", "0.2"), START)) == ["CashFlowApplied"]
    assert one.funding == blotter(one.memory()).funding == dec("-0.3")


def test_a_fill_that_turns_the_position_around_ends_the_stop() -> None:
    """The venue's stop was the old side's: nothing is known to rest beside the new one."""
    one = working(2, stop="90")
    one.fill(fill("e1", 1, side=Side.SELL, named=False, venue_order_id="hand"), START)
    one.rests(dec(110), START)
    one.fill(fill("e2", "0.5"), START)
    kept = one.stop
    events = one.fill(fill("e3", 1), START)
    assert (kept, one.stop, one.position.net) == (dec(110), None, dec("0.5"))
    assert StopSet(market=MARKET, price=None, at_ns=START) in events


def test_the_stop_is_journalled_when_it_changes() -> None:
    """The same one twice is no news."""
    one = working()
    assert kinds(one.rests(dec(90), START)) == ["StopSet"]
    assert one.rests(dec(90), START) == ()


def test_a_life_that_follows_knows_the_stop_and_whose_the_position_is() -> None:
    """The stop that rests, and the one that is to be restored where none does."""
    one = working(stop="90")
    one.fill(fill("e1", 1), START)
    one.fill(fill("e2", "0.5", named=False, venue_order_id="hand"), START)
    one.rests(dec(95), START)
    for stop in (dec(95), None):
        one.rests(stop, START)
        again = blotter(one.memory())
        assert (again.stop, again.holding.stop, again.holding.by_hand) == (stop, dec(95), dec("0.5"))
        assert again.hands == one.hands


# ------------------------------------------------------------------------------------------------------------ restart
def test_a_restart_on_an_unchanged_venue_emits_nothing() -> None:
    """What was in flight is unknown, found as it was, and no record is written; twice."""
    one = working()
    one.fill(fill("e1", "0.4"), START)
    for _ in range(2):
        one = blotter(one.memory())
        assert status(one) is S.UNKNOWN
        assert one.learn(FIRST, Asked(), START) == []
        assert one.learn(FIRST, Reported(report(S.PARTIAL, "0.4", evidence=Evidence.QUERY)), START) == []
        assert status(one) is S.PARTIAL


def test_what_an_order_lacks_is_waited_for_from_the_restart_on() -> None:
    """Its end, or its fills; what is over and whole is as it was."""
    one = blotter()
    for number in (1, 2, 3):
        one.open(intent(number), MARGIN)
        one.learn(client_id(TAG, number), Sent(SETTLE), START - SECOND)
    one.learn(client_id(TAG, 2), Reported(report(S.FILLED, 1, number=2, venue_order_id="v2")), START - SECOND)
    one.learn(client_id(TAG, 3), RefusedByVenue("110007", "no money"), START - SECOND)
    assert [order.changed_ns - START for order in blotter(one.memory()).orders] == [0, 0, -SECOND]


def test_a_restart_journals_what_became_of_an_order_meanwhile() -> None:
    """Found cancelled: one record."""
    one = blotter(working().memory())
    assert kinds(one.learn(FIRST, Reported(report(S.CANCELED)), START)) == ["OrderChanged"]


# ------------------------------------------------------------------------------------------------- whatever may happen


class AnyOrder(RuleBasedStateMachine):
    """A venue that fills and cancels three orders, and tells of it late, twice, shuffled, with restarts between."""

    @initialize()
    def begin(self) -> None:
        """Three orders are on their way."""
        self.one = blotter()
        self.journal: list[Event] = []
        self.now_ns = START
        self.at_venue: dict[int, Decimal] = {}  # filled at the venue, by number; an order that it has
        self.ended: dict[int, OrderStatus] = {}
        self.pending: list[object] = []  # what the venue has said and nobody has heard
        self.executions: dict[str, Decimal] = {}
        self.resolved: dict[ClientId, OrderStatus] = {}
        for number in (1, 2, 3):
            one = intent(number, at_ns=self.now_ns)
            self.journal.append(OrderIntended(intent=one, at_ns=self.now_ns))
            self.one.open(one, MARGIN)
            self.one.learn(one.client_id, Sent(SETTLE), self.now_ns)

    def told(self, number: int) -> object:
        """Return what the venue would say of the order now."""
        filled = self.at_venue[number]
        ended = self.ended.get(number)
        state = ended or (S.FILLED if filled == 1 else S.PARTIAL if filled else S.ACKED)
        return Reported(report(state, str(filled), number=number, venue_order_id=f"v{number}"))

    @rule(number=st.integers(1, 3))
    def accept(self, number: int) -> None:
        """The order reaches the venue."""
        if number not in self.at_venue and number not in self.ended:
            self.at_venue[number] = dec(0)
            self.pending.append(self.told(number))

    @rule(number=st.integers(1, 3), part=st.sampled_from(["0.3", "0.7", "1"]))
    def trade(self, number: int, part: str) -> None:
        """The venue fills some of it."""
        if number in self.at_venue and number not in self.ended:
            quantity = min(dec(part), 1 - self.at_venue[number])
            if quantity:
                self.at_venue[number] += quantity
                execution = f"e{len(self.executions)}"
                self.executions[execution] = quantity
                self.pending.append(fill(execution, str(quantity), number=number, venue_order_id=f"v{number}"))
                self.pending.append(self.told(number))

    @rule(number=st.integers(1, 3))
    def end(self, number: int) -> None:
        """The venue cancels what is left."""
        if self.at_venue.get(number, dec(1)) < 1 and number not in self.ended:
            self.ended[number] = S.CANCELED
            self.pending.append(self.told(number))

    def hear(self, message: object) -> None:
        """Take one message of the venue."""
        if isinstance(message, Reported):
            assert message.report.client_id is not None
            self.journal += self.one.learn(message.report.client_id, message, self.now_ns)
        else:
            self.journal += self.one.fill(message, self.now_ns)  # type: ignore[arg-type]

    @rule(data=st.data(), twice=st.booleans())
    def deliver(self, data: st.DataObject, twice: bool) -> None:
        """One of the messages arrives, perhaps twice, perhaps not the oldest."""
        if self.pending:
            message = self.pending.pop(data.draw(st.integers(0, len(self.pending) - 1)))
            for _ in range(1 + twice):
                self.hear(message)

    @rule(number=st.integers(1, 3))
    def lose(self, number: int) -> None:
        """The answer to the request is lost."""
        if status(self.one, number) is not S.INTENT:
            self.journal += self.one.learn(client_id(TAG, number), Lost(""), self.now_ns)

    @rule(number=st.integers(1, 3))
    def ask(self, number: int) -> None:
        """Every endpoint is asked, after the margin has passed; what has not reached the venue by then never will."""
        self.now_ns = max(self.now_ns, SETTLE) + 2 * SECOND
        if number not in self.at_venue:
            self.ended[number] = S.NOT_ACCEPTED
        found = self.told(number) if number in self.at_venue else Absent(self.now_ns - 1)
        self.journal += self.one.learn(client_id(TAG, number), found, self.now_ns)  # type: ignore[arg-type]

    @rule()
    def restart(self) -> None:
        """The process dies; the next one knows what the journal knows."""
        recollection = Recollection()
        for sequence, event in enumerate(self.journal, 1):
            recollection.add(Record(journal=TAG, sequence=sequence, event=event))
        memory = recollection.memory()
        assert memory.next_number == 4
        self.one = blotter(memory.market(MARKET))

    @invariant()
    def position_is_the_sum_of_its_fills(self) -> None:
        """Each execution once, and the exposure that is left covers what the venue has filled unheard."""
        if not hasattr(self, "one"):
            return
        applied = [event for event in self.journal if isinstance(event, FillApplied)]
        assert len({event.fill.execution_id for event in applied}) == len(applied)
        assert self.one.position.net == sum((event.fill.signed for event in applied), dec(0))
        for number, filled in self.at_venue.items():
            order = self.one.order(client_id(TAG, number))
            assert order is not None
            if order.status not in (S.NOT_ACCEPTED, S.CANCELED):
                assert order.executed + worst_case(order) >= filled

    @invariant()
    def terminal_states_have_evidence(self) -> None:
        """And nothing that cannot be has been seen."""
        if not hasattr(self, "one"):
            return
        assert not self.one.contradiction
        for order in self.one.orders:
            assert not order.status.terminal or order.evidence is not Evidence.NONE

    def teardown(self) -> None:
        """When everything has been heard and asked for, we and the venue agree."""
        if not hasattr(self, "one"):
            return
        while self.pending:
            self.hear(self.pending.pop())
        for number in (1, 2, 3):
            for _ in range(2):
                self.lose(number)
                self.ask(number)
        total = sum(self.at_venue.values(), dec(0))
        assert self.one.position.net == total
        for number in (1, 2, 3):
            filled = self.at_venue.get(number)
            if filled is None:
                assert status(self.one, number) is S.NOT_ACCEPTED
            else:
                assert status(self.one, number) is self.told(number).report.status  # type: ignore[attr-defined]


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase


def test_the_memory_of_a_blotter_is_that_of_its_journal() -> None:
    """What `memory` gives is what a replay of its events gives, as far as both know."""
    one = blotter()
    first = intent()
    events: list[Event] = [OrderIntended(intent=first, at_ns=START)]
    one.open(first, MARGIN)
    one.learn(FIRST, Sent(SETTLE), START)
    events += one.learn(FIRST, Answered(report(S.ACKED)), START)
    events += one.fill(fill("e1", 1), START)
    events += one.rests(dec(90), START)
    events += one.fill(fill("e2", 1, 120, named=False, side=Side.SELL, cause=FillCause.STOP, venue_order_id="s"), START)
    events += one.cash(funding("f1", "0.25"), START)
    assert {type(event) for event in events} >= {RoundTripClosed, StopSet, CashFlowApplied}
    recollection = Recollection()
    for sequence, event in enumerate(events, 1):
        recollection.add(Record(journal=TAG, sequence=sequence, event=event))
    replayed, kept = recollection.memory().market(MARKET), one.memory()
    assert msgspec.structs.replace(replayed, orders=()) == msgspec.structs.replace(kept, orders=())
    for ours, theirs in zip(kept.orders, replayed.orders, strict=True):
        assert (ours.status, ours.executed, ours.average) == (theirs.status, theirs.executed, theirs.average)


def test_what_another_kangbot_trades_is_somebodys() -> None:
    """Its ids begin as ours do: taken for ours, two daemons on one account would trade each other's positions away."""
    one = blotter()
    theirs = msgspec.structs.replace(fill("e1", 2), client_id=client_id("another1", 7))
    events = one.fill(theirs, START)
    (note,) = [event for event in events if isinstance(event, Noted)]
    assert note.kind == "position.by_hand"
    assert note.message == f"buy 2 at 100, by order {client_id('another1', 7)} of another kangbot on this account"
    assert (one.position.net, one.holding.by_hand) == (dec(2), dec(2))
    forgotten = msgspec.structs.replace(fill("e2", 1), client_id=client_id(TAG, 7))
    one.fill(forgotten, START)
    assert (one.position.net, one.holding.by_hand) == (dec(3), dec(2))
