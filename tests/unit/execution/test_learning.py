"""What one market learns from each message: what it takes for activity, what it tells, and when it tells it again."""

from collections.abc import Sequence
from typing import get_args

import msgspec
import pytest

from kangbot.execution.learning import MESSAGES, UNRESOLVED_NS, Learning, Message
from kangbot.execution.outcome import CancelEnded, Looked, Outcome, ProtectEnded, SendEnded, WriteEnded
from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Covering
from kangbot.machines.memory import MarketMemory
from kangbot.machines.order import ABSENCE_GAP_NS, Order
from kangbot.machines.order_words import Answered, Learnt, Lost, RefusedByVenue, Sent
from kangbot.machines.reconcile import Reconciled
from kangbot.model.events import CashFlowApplied, Event, FillApplied, Noted, Severity, StopSet
from kangbot.model.ids import ClientId, client_id, stop_id, stop_ids
from kangbot.model.market import InstrumentKind
from kangbot.model.money import Price
from kangbot.model.orders import Evidence, OrderReport, OrderStatus, Side
from kangbot.model.position import Position
from kangbot.ports import Lookup
from tests.support.trade_words import (
    MARGIN,
    MARKET,
    SECOND,
    START,
    TAG,
    WINDOW,
    dec,
    fill,
    funding,
    instrument,
    intent,
    report,
    stated,
)

S = OrderStatus
FIRST, SECOND_ORDER = client_id(TAG, 1), client_id(TAG, 2)
SETTLE = START + WINDOW + MARGIN
NOW = START + 10 * SECOND


class Market:
    """One market's knowledge, at whichever time the test says."""

    def __init__(self, kind: InstrumentKind = InstrumentKind.LINEAR) -> None:
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
        self.learning = Learning(self.blotter, self.agreement)

    def sent(self, number: int = 1, *, at_ns: int = START) -> ClientId:
        """Have an order of that number leave."""
        order = self.blotter.open(intent(number, at_ns=at_ns), MARGIN)
        self.blotter.learn(order.client_id, Sent(at_ns + WINDOW + MARGIN), at_ns)
        self.learning.departs(order.client_id, at_ns)
        return order.client_id

    def hear(self, message: Message, at_ns: int = NOW) -> Sequence[Event]:
        """Learn from it."""
        return self.learning.take(message, at_ns)

    def ended(self, learnt: Learnt, number: int = 1, at_ns: int = NOW) -> Sequence[Event]:
        """Have the request for an order come to that end."""
        return self.hear(SendEnded(client_id=client_id(TAG, number), learnt=learnt), at_ns)

    def order(self, number: int = 1) -> Order:
        """Return what is known of the order."""
        order = self.blotter.order(client_id(TAG, number))
        assert order is not None
        return order

    def hold(self, quantity: str | int = 1) -> None:
        """Have so much been bought by hand."""
        self.hear(fill("held", quantity, named=False, venue_order_id="h"), START)


def kinds(events: Sequence[Event]) -> list[str]:
    """Return of what kind the notes among the events are."""
    return [event.kind for event in events if isinstance(event, Noted)]


def test_every_message_has_its_case() -> None:
    """Those that are told apart by their class, and those that the type names."""
    assert set(MESSAGES) == {*get_args(Message)} == {*get_args(Outcome), *set(MESSAGES) - {*get_args(Outcome)}}
    assert Market().hear(WriteEnded(events=(), error="no room")) == ()


# ---------------------------------------------------------------------------------------------------- own requests
def test_a_request_that_left_is_activity_and_so_is_its_answer() -> None:
    """What was asked for before says nothing of what stands since."""
    market = Market()
    market.sent(at_ns=START)
    assert market.learning.active_ns == START
    events = market.ended(Answered(report(S.ACKED)))
    assert (market.learning.active_ns, market.order().status, len(events)) == (NOW, S.ACKED, 1)


@pytest.mark.parametrize("lasting", [True, False])
def test_a_request_that_was_refused_moved_nothing(lasting: bool) -> None:
    """It is taken back from what counts as activity; only a refusal for good is remembered, the newest of them."""
    market = Market()
    market.ended(Lost("whatever"), at_ns=START + 1)
    before_ns = market.learning.active_ns
    market.sent(1, at_ns=START + 5)
    market.ended(RefusedByVenue("110007", "no money", lasting=lasting))
    assert market.learning.active_ns == before_ns == START + 1
    assert market.learning.refused == ((FIRST, "110007") if lasting else (None, ""))
    market.sent(2, at_ns=START + 6)
    market.ended(RefusedByVenue("110072", "once more", lasting=True), 2)
    assert market.learning.refused == (SECOND_ORDER, "110072")
    assert market.order().status is S.REJECTED


def test_what_moved_meanwhile_stays_activity() -> None:
    """Another order's answer came between a request and its refusal."""
    market = Market()
    market.sent(1, at_ns=START + 1)
    market.sent(2, at_ns=START + 2)
    market.ended(RefusedByVenue("110007", "no money"), 1)
    assert market.learning.active_ns == START + 2
    market.ended(RefusedByVenue("110007", "no money"), 2)
    assert market.learning.active_ns == START + 1
    assert market.ended(Lost("of nobody's"), 3, START + 3) == ()


# --------------------------------------------------------------------------------------------------------- questions
def test_a_question_that_failed_says_nothing() -> None:
    """An answer that nobody knows the order counts as an absence, from when it was asked."""
    market = Market()
    market.sent()
    market.ended(Lost("no answer in time"), at_ns=START + SECOND)
    assert market.hear(Looked(client_id=FIRST, lookup=None, asked_ns=SETTLE + 1)) == ()
    assert (market.order().absences, market.order().missing) == (0, False)
    for asked_ns, absences in ((SETTLE, 0), (SETTLE + 1, 1), (SETTLE + 2 * ABSENCE_GAP_NS, 2)):
        lookup = Lookup(report=None, at_ns=asked_ns)
        market.hear(Looked(client_id=FIRST, lookup=lookup, asked_ns=asked_ns), asked_ns + 5)
        assert market.order().absences == absences
    assert (market.order().status, market.order().evidence) == (S.NOT_ACCEPTED, Evidence.ABSENCE)


def test_an_absence_is_judged_by_the_venues_time_where_it_tells_that() -> None:
    """Its door is still open."""
    market = Market()
    order = market.blotter.open(msgspec.structs.replace(intent(), venue_settle_ns=SETTLE), MARGIN)
    market.blotter.learn(order.client_id, Sent(SETTLE, SETTLE), START)
    market.ended(Lost("no answer in time"), at_ns=START + SECOND)
    for venue_ns, absences in ((SETTLE, 0), (SETTLE + 1, 1)):
        lookup = Lookup(report=None, at_ns=SETTLE + 5, venue_ns=venue_ns)
        market.hear(Looked(client_id=FIRST, lookup=lookup, asked_ns=SETTLE + 5), SETTLE + 6)
        assert market.order().absences == absences


def test_what_is_found_by_asking_is_known_by_that() -> None:
    """Whatever evidence the report itself bears."""
    market = Market()
    market.sent()
    market.ended(Lost("no answer in time"))
    market.hear(Looked(client_id=FIRST, lookup=Lookup(report=report(S.ACKED), at_ns=NOW), asked_ns=NOW))
    assert (market.order().status, market.order().evidence) == (S.ACKED, Evidence.QUERY)


@pytest.mark.parametrize(
    ("denied", "status", "doubted"), [(True, S.ACKED, True), (False, S.ACKED, False), (True, S.CANCELED, False)]
)
def test_an_order_that_could_not_be_cancelled_is_asked_for_while_it_is_open(
    denied: bool, status: OrderStatus, doubted: bool
) -> None:
    """The venue knows no such order; of one that is over, or unknown to us, that is no news."""
    market = Market()
    market.sent()
    market.ended(Answered(report(status)))
    market.hear(CancelEnded(client_id=FIRST, denied=denied))
    assert market.order().doubted is doubted
    assert market.hear(CancelEnded(client_id=SECOND_ORDER, denied=True)) == ()


# ------------------------------------------------------------------------------------------------------------- account
def test_a_fill_is_counted_and_is_activity_once() -> None:
    """With the stop that came by its order; the same again changes nothing."""
    market = Market()
    order = market.blotter.open(intent(stop="90"), MARGIN)
    market.blotter.learn(order.client_id, Sent(SETTLE), START)
    events = market.hear(fill("e1", 1))
    assert [type(event) for event in events if isinstance(event, FillApplied | StopSet)] == [FillApplied, StopSet]
    assert (market.learning.active_ns, market.blotter.stop) == (NOW, dec(90))
    assert market.hear(fill("e1", 1), NOW + 1) == ()
    assert market.learning.active_ns == NOW


def test_a_report_of_ours_is_activity_and_one_of_a_strangers_is_not() -> None:
    """By our id, or by the venue's where it leaves ours out."""
    market = Market()
    market.sent()
    market.ended(Answered(report(S.ACKED)), at_ns=START + 1)
    market.hear(report(S.PARTIAL, "0.4", named=False), NOW)
    assert (market.order().status, market.learning.active_ns) == (S.PARTIAL, NOW)
    events = market.hear(report(S.ACKED, client="web-1", venue_order_id="h1"), NOW + 1)
    assert (kinds(events), market.learning.active_ns, market.learning.orphans) == (["order.foreign"], NOW, [])
    assert market.hear(report(S.CANCELED, client="web-2", venue_order_id="h2")) == ()


def test_an_order_under_our_prefix_that_nobody_remembers_is_left_to_be_cancelled() -> None:
    """Told once; each time that it shows it is asked to go."""
    market = Market()
    assert kinds(market.hear(report(S.ACKED, number=9, venue_order_id="o9"))) == ["order.orphan"]
    assert kinds(market.hear(report(S.PARTIAL, "0.1", number=9, venue_order_id="o9"))) == []
    assert market.learning.orphans == [client_id(TAG, 9)] * 2


def test_a_stop_of_another_journal_beside_coins_is_left_to_be_cancelled() -> None:
    """On the stream and in a list; our own is none, and says where it rests."""
    market = Market(InstrumentKind.SPOT)
    market.sent()
    market.hear(fill("e1", 1))
    ours = msgspec.structs.replace(stop_report(FIRST), trigger=dec(90))
    assert [type(event) for event in market.hear(ours)] == [StopSet]
    alien = stop_report(client_id("another1", 1))
    assert kinds(market.hear(alien)) == ["order.orphan"]
    market.hear(snapshot(ours, alien), NOW + 60 * SECOND)
    assert market.learning.orphans == [alien.client_id] * 2
    assert market.blotter.stop == dec(90)


def stop_report(order: ClientId) -> OrderReport:
    """Return the report of a stop that bears an id which `order` lends."""
    lent = stop_id(order, 0)
    return msgspec.structs.replace(
        report(S.ACKED, client=lent, venue_order_id=f"v-{lent}", protective=True), side=Side.SELL
    )


def snapshot(*reports: OrderReport, at_ns: int = NOW + 59 * SECOND) -> Reconciled:
    """Return the venue's answers."""
    return Reconciled(
        market=MARKET,
        open_orders=reports,
        executions=(),
        executions_since_ns=START,
        position=stated(0),
        asked_ns=at_ns,
        answered_ns=at_ns,
    )


def test_a_comparison_from_before_our_last_activity_says_nothing_of_the_stop() -> None:
    """One from after it does."""
    market = Market()
    market.hold()
    market.sent(at_ns=NOW)
    for asked_ns, stop in ((NOW, None), (NOW + 1, dec(90))):
        answers = msgspec.structs.replace(snapshot(at_ns=asked_ns), position=stated(1, 90))
        market.hear(answers, NOW + 2)
        assert market.blotter.stop == stop


def test_the_stop_of_a_position_is_as_the_venue_states_it_and_funding_is_booked_once() -> None:
    """Neither is activity of ours."""
    market = Market()
    market.hold()
    before_ns = market.learning.active_ns
    assert [type(event) for event in market.hear(stated(1, 90, at_ns=START))] == [StopSet]
    assert market.blotter.stop == dec(90)
    assert [type(event) for event in market.hear(funding("f1", 2))] == [CashFlowApplied]
    assert market.hear(funding("f1", 2)) == ()
    assert market.learning.active_ns == before_ns


# ---------------------------------------------------------------------------------------------------------------- stops
def tried(market: Market, stop: Price | None, **ended: object) -> list[tuple[str, Severity]]:
    """Have a request for the stop come to that end; return what is told, and how loud."""
    market.learning.protection = market.learning.protection.trying(NOW)
    events = market.hear(ProtectEnded(stop=stop, **ended))  # type: ignore[arg-type]
    notes = [event for event in events if isinstance(event, Noted)]
    assert all(note.fields == {"refused": ended.get("refused", "")} for note in notes)
    return [(note.message, note.severity) for note in notes]


def want(market: Market, stop: Price | None, **how: bool) -> None:
    """Want the stop there."""
    market.learning.protection = market.learning.protection.want(stop, NOW, **how)


def test_a_stop_that_rests_is_believed_and_is_activity() -> None:
    """And nothing is wanted any more."""
    market = Market()
    market.hold()
    want(market, dec(90))
    assert tried(market, dec(90), done=True) == []
    assert (market.blotter.stop, market.learning.protection.asked_ns, market.learning.active_ns) == (dec(90), 0, NOW)


def test_a_stop_that_does_not_rest_is_told_once_for_what_is_bare() -> None:
    """Loudly where nothing guards the position, and how often it is tried again is no news."""
    market = Market()
    market.hold()
    want(market, dec(90))
    words = "the stop at 90 does not rest at the venue yet: no route"
    assert tried(market, dec(90), done=False, message="no route") == [(words, Severity.CRITICAL)]
    assert tried(market, dec(90), done=False, message="no route") == []
    want(market, dec(91))
    assert len(tried(market, dec(91), done=False, message="no route")) == 1  # still bare: another stop, another word


def test_another_stop_that_fails_as_the_last_did_is_no_news_where_one_rests() -> None:
    """A trailing stop moves with each bar; the one that rests guards the position meanwhile."""
    market = Market()
    market.hold()
    market.hear(stated(1, 80, at_ns=START))
    want(market, dec(90))
    (told,) = tried(market, dec(90), done=False, message="no route")
    assert told == ("the stop at 90 does not rest at the venue yet: no route", Severity.WARNING)
    want(market, dec(91))
    assert tried(market, dec(91), done=False, message="no route") == []


def test_a_stop_that_is_refused_is_told_unless_it_is_insisted_on() -> None:
    """However often it was tried; the note says that it was the venue's no."""
    market = Market()
    market.hold()
    want(market, dec(90))
    tried(market, dec(90), done=False, message="no route")
    refusal = {"done": False, "refused": "it would trigger at once", "message": "it would trigger at once"}
    assert len(tried(market, dec(90), **refusal)) == 1
    assert market.learning.protection.refused == "it would trigger at once"
    want(market, dec(90), again=True)
    assert tried(market, dec(90), **refusal) == []


def test_a_stop_that_does_not_go_and_one_that_cannot_be_resized_are_told_as_that() -> None:
    """Beside coins."""
    market = Market(InstrumentKind.SPOT)
    market.sent()
    market.hear(fill("e1", 1))
    want(market, dec(90))
    tried(market, dec(90), done=True, quantity=dec(1), name=stop_id(FIRST, 0))
    want(market, dec(90))
    (resized,) = tried(market, dec(90), done=False, quantity=dec(2), message="no route")
    assert resized == ("the stop could not be made one at 90 for 2 yet: no route", Severity.WARNING)
    want(market, None)
    (removed,) = tried(market, None, done=False, message="no route")
    assert removed == ("the stop of what is no longer held could not be removed yet: no route", Severity.WARNING)


# ---------------------------------------------------------------------------------------------------------- unresolved
def test_an_order_of_unknown_end_is_told_after_half_a_minute_and_once() -> None:
    """With what was heard last; from then on nothing is due for it."""
    market = Market()
    market.sent()
    assert (market.learning.unresolved_ns(), market.learning.unknown) == (None, [])
    market.ended(Lost("no answer in time"), at_ns=NOW)
    assert [order.client_id for order in market.learning.unknown] == [FIRST]
    market.blotter.learn(FIRST, Sent(SETTLE), NOW + SECOND)
    market.ended(Lost("nor a second one"), at_ns=NOW + 2 * SECOND)
    due_ns = market.learning.unresolved_ns()
    assert due_ns == NOW + UNRESOLVED_NS  # since it is not known, whatever was tried meanwhile
    assert market.learning.unresolved(due_ns - 1) == []
    (note,) = market.learning.unresolved(due_ns)
    assert isinstance(note, Noted)
    assert (note.kind, note.severity) == ("order.unresolved", Severity.ERROR)
    assert note.fields == {"client_id": FIRST, "asks": "0", "last": "nor a second one"}
    assert (market.learning.unresolved(due_ns + 1), market.learning.unresolved_ns()) == ([], None)


def test_fills_that_nobody_tells_are_told_to_be_missing() -> None:
    """From when the end was heard, and once; so much of them as is missing."""
    market = Market()
    market.sent()
    market.ended(Answered(report(S.FILLED, 1)), at_ns=NOW)
    market.hear(fill("e1", "0.4"), NOW + SECOND)
    due_ns = NOW + SECOND + UNRESOLVED_NS
    assert market.learning.unresolved_ns() == due_ns
    (note,) = market.learning.unresolved(due_ns)
    assert isinstance(note, Noted)
    assert note.kind == "order.fills_missing"
    assert "for 30 s nobody has told the fills of 0.6 of it" in note.message
    assert market.learning.unresolved(due_ns + 1) == []


def test_an_order_that_is_found_may_owe_another_word() -> None:
    """That its fills are missing is told as well, in its own time."""
    market = Market()
    market.sent()
    market.ended(Lost("no answer in time"), at_ns=NOW)
    assert kinds(market.learning.unresolved(NOW + UNRESOLVED_NS)) == ["order.unresolved"]
    later = NOW + 2 * UNRESOLVED_NS
    market.hear(report(S.FILLED, 1), later)
    assert market.learning.unresolved_ns() == later + UNRESOLVED_NS
    assert market.learning.unresolved(later) == []
    assert market.learning._told == {}, "memory of what is over would grow for as long as the daemon runs"
    assert kinds(market.learning.unresolved(later + UNRESOLVED_NS)) == ["order.fills_missing"]


def test_the_oldest_of_several_is_due_first() -> None:
    """Each at its own time; one that rests, or was filled in part, owes nothing."""
    market = Market()
    for number, at_ns in ((1, NOW + 5), (2, NOW), (3, NOW + 9)):
        market.sent(number)
        market.ended(Lost("no answer in time"), number, at_ns)
    market.sent(4)
    market.ended(Answered(report(S.PARTIAL, "0.5", number=4, venue_order_id="v4")), 4, NOW - SECOND)
    assert market.learning.unresolved_ns() == NOW + UNRESOLVED_NS
    assert len(market.learning.unresolved(NOW + UNRESOLVED_NS + 5)) == 2
    assert market.learning.unresolved_ns() == NOW + UNRESOLVED_NS + 9
