"""Whether we and the venue agree on one market."""

from collections.abc import Sequence

import msgspec
import pytest

from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Covering
from kangbot.machines.executions import REMEMBERED_NS
from kangbot.machines.memory import MarketMemory, Recollection
from kangbot.machines.order_words import Answered, Sent
from kangbot.machines.reconcile import EXPLAIN_NS, QUIET_NS, Foreign, Orphan, Reconciled
from kangbot.model.events import Event, FillApplied, Noted, OrderIntended, Record, RoundTripClosed, Severity
from kangbot.model.ids import client_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import CashFlow, Evidence, Fill, OrderReport, OrderStatus, Side, VenuePosition
from kangbot.model.position import Position
from tests.support.trade_words import (
    MARGIN,
    MARKET,
    SECOND,
    START,
    TAG,
    dec,
    fill,
    funding,
    instrument,
    intent,
    report,
    stated,
)

S = OrderStatus
FIRST = client_id(TAG, 1)


def life(memory: MarketMemory, *, quarantine_hands: bool = False) -> Blotter:
    """Return the books of a life that begins with `memory`."""
    return Blotter(
        memory,
        journal=TAG,
        strategy="test",
        born_ns=START,
        settle_ns=START,
        now_ns=START,
        quarantine_hands=quarantine_hands,
    )


def agreement(*, held: str | int = 0) -> tuple[Agreement, Blotter]:
    """Return an agreement over one resting order, with so much held."""
    blotter = life(MarketMemory(market=MARKET, position=Position(market=MARKET)))
    blotter.open(intent(), MARGIN)
    blotter.learn(FIRST, Sent(START), START)
    blotter.learn(FIRST, Answered(report(S.ACKED)), START)
    if held:
        blotter.fill(fill("held", held, named=False, venue_order_id="h"), START)
    return Agreement(blotter), blotter


def snapshot(
    *reports: OrderReport,
    executions: Sequence[Fill | CashFlow] = (),
    position: VenuePosition | None = None,
    at_ns: int = START + SECOND,
    since_ns: int = START,
) -> Reconciled:
    """Return the venue's answers."""
    return Reconciled(
        market=MARKET,
        open_orders=reports,
        executions=executions,
        executions_since_ns=since_ns,
        position=position or stated(0),
        asked_ns=at_ns,
        answered_ns=at_ns,
    )


def kinds(events: object) -> list[str]:
    """Return the events' names, and the notes' kinds."""
    return [event.kind if isinstance(event, Noted) else type(event).__name__ for event in events]  # type: ignore[attr-defined]


RESTING = report(S.ACKED, evidence=Evidence.STREAM)


def test_nothing_follows_from_an_agreement() -> None:
    """And it is known when we agreed."""
    one, _ = agreement()
    assert one.unsettled
    assert one.snapshot(snapshot(RESTING), START, START + SECOND) == ([], [])
    assert (one.reconciled_ns, one.unsettled, one.executions_since_ns) == (START + SECOND, False, None)


def test_missed_executions_are_repaired() -> None:
    """Each once, however often they are listed."""
    one, blotter = agreement()
    missed = snapshot(
        report(S.PARTIAL, "0.5"),
        executions=[fill("e1", "0.5"), funding("f1", 1)],
        position=stated("0.5"),
    )
    events, _ = one.snapshot(missed, START, START)
    assert kinds(events) == ["FillApplied", "OrderChanged", "CashFlowApplied"]
    assert one.snapshot(missed, START, START) == ([], [])
    assert blotter.position.net == dec("0.5")


def test_executions_of_long_ago_that_are_forgotten_are_not_told_as_lost() -> None:
    """They were counted; where they had not been, the position would show it. The stream tells of none so late."""
    one, blotter = agreement()
    for name, at_ns in (("old", START), ("new", START + 2 * REMEMBERED_NS)):
        blotter.fill(fill(name, 1, named=False, venue_order_id="h", at_ns=at_ns), START)
    old = fill("old", 1, named=False, venue_order_id="h", at_ns=START)
    events, _ = one.snapshot(snapshot(RESTING, executions=(old,), position=stated(2)), START, START + SECOND)
    assert (kinds(events), blotter.position.net) == ([], dec(2))


def test_a_listed_order_is_evidence_by_query() -> None:
    """The bulk list resolves what is not known."""
    one, blotter = agreement()
    events, _ = one.snapshot(snapshot(report(S.PARTIAL, "0.5")), START, START)
    assert kinds(events) == ["OrderChanged"]
    order = blotter.order(FIRST)
    assert order is not None
    assert order.evidence is Evidence.QUERY


def test_an_order_that_is_not_listed_is_doubted_not_judged() -> None:
    """It is asked for by name."""
    one, blotter = agreement()
    one.snapshot(snapshot(), START, START)
    order = blotter.order(FIRST)
    assert order is not None
    assert (order.status, order.doubted) == (S.ACKED, True)


def test_strangers_are_told_of_once_and_orphans_are_named() -> None:
    """On the list and on the stream alike; what is over, ours or protective is no stranger."""
    one, _ = agreement()
    orphan = report(S.ACKED, client="kbanother09", venue_order_id="v7")
    by_hand = report(S.ACKED, named=False, venue_order_id="v8")
    other_bot = report(S.ACKED, client="x-77", venue_order_id="v9")
    events, orphans = one.snapshot(snapshot(RESTING, orphan, by_hand, other_bot), START, START)
    assert kinds(events) == ["order.orphan", "order.foreign", "order.foreign"]
    assert orphans == ["kbanother09"], "what is cancelled is ours by its id alone"
    events, orphans = one.snapshot(snapshot(RESTING, orphan, by_hand), START, START)
    assert (events, orphans) == ([], ["kbanother09"])
    assert one.stray(orphan) == Orphan(orphan)
    assert one.stray(by_hand) == Foreign(by_hand)
    over = report(S.CANCELED, client="kbanother09", venue_order_id="v7")
    stop = report(S.ACKED, named=False, venue_order_id="v10", protective=True)
    assert [one.stray(each) for each in (over, stop, RESTING)] == [None, None, None]
    assert one.foreign == {"v8": "buy 1"}
    assert one.stray(report(S.CANCELED, named=False, venue_order_id="v8")) is None
    assert one.foreign == {}


def test_only_so_many_strangers_are_remembered() -> None:
    """A busy hand at the same account must not fill our memory."""
    one, _ = agreement()
    for number in range(513):
        one.told(Foreign(report(S.ACKED, named=False, venue_order_id=f"h{number}")), START)
    assert one.told(Foreign(report(S.ACKED, named=False, venue_order_id="h512")), START) == ()
    assert one.told(Foreign(report(S.ACKED, named=False, venue_order_id="h0")), START) != ()


def test_an_order_by_hand_that_was_told_under_another_policy_takes_the_market_too() -> None:
    """Unless it was there when a person released the market: then they have seen it."""
    one, blotter = agreement()
    by_hand = Foreign(report(S.ACKED, named=False, venue_order_id="v8"))
    assert kinds(one.told(by_hand, START)) == ["order.foreign"]
    taking = Agreement(life(blotter.memory(), quarantine_hands=True))
    assert kinds(taking.told(by_hand, START)) == ["market.quarantine"]
    assert taking.told(by_hand, START) == ()
    blotter = life(blotter.memory(), quarantine_hands=True)
    blotter.note("market.released", Severity.WARNING, "", START)
    assert Agreement(blotter).told(by_hand, START) == ()


# --------------------------------------------------------------------------------------------------------------- stop
def test_the_stop_is_what_the_venue_says() -> None:
    """A push sets it; an older push, or one about another position than ours, says nothing."""
    one, blotter = agreement(held=1)
    assert one.unprotected
    assert kinds(one.position(stated(1, 90, at_ns=5), START)) == ["StopSet"]
    assert one.position(stated(1, 80, at_ns=4), START) == ()
    assert one.position(stated(0, at_ns=6), START) == ()
    assert one.position(stated(-1, at_ns=6), START) == ()  # turned around by a fill that we have not heard of
    assert (blotter.stop, one.unprotected) == (dec(90), False)
    assert kinds(one.position(stated(1, at_ns=7), START)) == ["StopSet"]
    assert one.unprotected


def test_the_stop_of_a_small_short_is_its_own() -> None:
    """The side counts, whatever the size: what the venue says while it is flat or long there is of another."""
    one, blotter = agreement()
    blotter.fill(fill("held", "0.05", named=False, venue_order_id="h", side=Side.SELL), START)
    assert (one.needed, one.unprotected) == (dec("0.05"), True)
    assert kinds(one.position(stated("-0.05", 110, at_ns=1), START)) == ["StopSet"]
    for other in (stated(0, at_ns=2), stated("0.05", 90, at_ns=3)):
        assert one.position(other, START) == ()
    assert blotter.stop == dec(110)


def test_an_entry_into_a_position_moves_no_stop_that_rests() -> None:
    """The venue says where it stands now; an order without a stop, and a hand's, brought none."""
    one, blotter = confirmed()
    blotter.open(intent(2, stop="95"), MARGIN)
    blotter.learn(client_id(TAG, 2), Sent(START), START)
    more = fill("e2", 1, number=2, venue_order_id="v2")
    hand = fill("e3", 1, named=False, venue_order_id="h")
    for each in (fill("e4", "0.5"), hand):
        one.snapshot(snapshot(executions=[each], position=stated(1, 90), at_ns=START), START, START)
        assert (blotter.stop, one.unconfirmed) == (dec(90), False)
    blotter.fill(more, START)
    assert one.filled(more, START) == ()
    assert (blotter.stop, one.unconfirmed) == (dec(90), True)


def test_a_stop_that_travelled_with_an_order_is_to_be_confirmed() -> None:
    """Until the venue has shown it, it is asked about soon."""
    one, _ = agreement(held=1)
    one.snapshot(snapshot(RESTING, position=stated(1)), START, START)
    before = one.unconfirmed
    one.carried(dec(90))
    assert (before, one.unconfirmed, one.unsettled) == (False, True, True)
    one.snapshot(snapshot(RESTING, position=stated(1, 90)), START + 2 * SECOND, START)
    assert one.unconfirmed  # asked before our last activity: it says nothing of the stop
    one.snapshot(snapshot(RESTING, position=stated(1, 90)), START, START)
    assert not one.unconfirmed


def test_a_stop_that_came_with_an_order_is_believed_by_whichever_way_its_fill_is_heard_of() -> None:
    """Among the answers the position may be from before the fill: the stop is not missing for that."""
    one, blotter = agreement()
    blotter.open(intent(2, stop="95"), MARGIN)
    blotter.learn(client_id(TAG, 2), Sent(START), START)
    entered = fill("e2", 1, number=2, venue_order_id="v2", at_ns=START)
    events, _ = one.snapshot(snapshot(RESTING, executions=[entered], position=stated(0)), START, START)
    assert kinds(events).count("StopSet") == 1
    assert (blotter.stop, one.unprotected, one.unconfirmed) == (dec(95), False, True)
    one.snapshot(snapshot(RESTING, position=stated(1), at_ns=LATER), START, LATER)
    assert one.unprotected  # the venue has not taken it after all


def confirmed(at_ns: int = START) -> tuple[Agreement, Blotter]:
    """Return an agreement over a position whose stop at 90 we have set, and the venue has shown."""
    one, blotter = agreement(held=1)
    one.placed(dec(90), dec(0), None, at_ns)
    assert one.position(stated(1, 90, at_ns=1), at_ns) == ()
    return one, blotter


LATER = START + QUIET_NS


def test_a_stop_that_somebody_moved_is_told_and_where_it_is_again() -> None:
    """By a push or by the answers of a round; over once we have set it, in the same position."""
    for listed in (False, True):
        one, blotter = confirmed()
        if listed:
            events, _ = one.snapshot(snapshot(RESTING, position=stated(1, 85), at_ns=LATER), START, LATER)
        else:
            events = one.position(stated(1, 85, at_ns=2), LATER)
        assert kinds(events) == ["StopSet", "stop.moved"]
        assert "the stop of 1 stood at 90; somebody moved it to 85" in str(events[1])
        assert kinds(one.placed(dec(90), dec(0), None, LATER)) == ["StopSet", "stop.settled"]
        assert one.placed(dec(90), dec(0), None, LATER) == ()
        assert blotter.stop == dec(90)


def test_a_stop_that_came_with_fills_of_the_same_answers_is_no_hands() -> None:
    """No stream has told of the order, which is over by now."""
    one, blotter = confirmed()
    blotter.open(intent(2, stop="95"), MARGIN)
    blotter.learn(client_id(TAG, 2), Sent(START), START)
    filled = fill("e2", 1, number=2, venue_order_id="v2", at_ns=START)
    events, _ = one.snapshot(
        snapshot(RESTING, executions=[filled], position=stated(2, 95), at_ns=LATER, since_ns=START), START, LATER
    )
    assert "stop.moved" not in kinds(events)
    assert blotter.stop == dec(95)


def test_a_stop_that_is_answered_for_when_the_position_is_closed_rests_nowhere() -> None:
    """It went with the position: believed in, it would have passed for the next position's until a round."""
    one, blotter = confirmed()
    blotter.fill(fill("out", 1, number=2, side=Side.SELL), LATER)
    assert one.placed(dec(95), dec(0), None, LATER) == ()
    assert blotter.stop is None
    blotter.fill(fill("in", 1, number=3, at_ns=LATER), LATER)
    assert one.unprotected


def test_what_somebody_moved_in_a_position_of_before_is_over_with_it() -> None:
    """Its end is not said of another position's stop."""
    one, blotter = confirmed()
    assert kinds(one.position(stated(1, 85, at_ns=2), LATER)) == ["StopSet", "stop.moved"]
    blotter.fill(fill("out", 1, number=2, side=Side.SELL), LATER)
    assert one.placed(None, dec(0), None, LATER) == ()
    blotter.fill(fill("in", 1, number=3, at_ns=LATER), LATER)
    assert kinds(one.placed(dec(80), dec(0), None, LATER)) == ["StopSet"]


def test_a_stop_that_a_former_life_asked_for_is_no_hands() -> None:
    """It was sent before the process died, and arrives at a venue that is overloaded when the new one has looked."""
    _, blotter = confirmed()
    one = Agreement(blotter, settled_ns=LATER)
    assert one.position(stated(1, 90, at_ns=1), START) == ()
    assert kinds(one.position(stated(1, 85, at_ns=2), LATER - 1)) == ["StopSet"]
    assert kinds(one.position(stated(1, 80, at_ns=3), LATER)) == ["StopSet", "stop.moved"]
    assert blotter.stop == dec(80)


def test_a_stop_that_we_move_ourselves_is_no_hands() -> None:
    """Not while it is on its way, not by a late word from before, nor by a request that was lost and arrives late."""
    one, blotter = confirmed()
    one.carried(dec(95))
    assert kinds(one.position(stated(1, 95, at_ns=2), LATER)) == ["StopSet"]
    assert kinds(one.position(stated(1, 90, at_ns=3), LATER)) == ["StopSet"]  # a round that lagged
    assert kinds(one.position(stated(1, 95, at_ns=4), LATER)) == ["StopSet"]
    one.ruled(instrument())
    assert kinds(one.position(stated(1, "95.5", at_ns=5), LATER)) == ["StopSet"]  # rounded by the new rules
    blotter.open(intent(2, stop="80"), MARGIN)
    assert kinds(one.position(stated(1, 80, at_ns=6), LATER)) == ["StopSet"]  # before its fill is heard of
    assert kinds(one.position(stated(1, at_ns=7), LATER)) == ["StopSet"]  # gone: the policy for stops tells
    assert kinds(one.position(stated(1, 70, at_ns=8), LATER)) == ["StopSet"]


def test_a_stop_of_an_earlier_life_is_as_the_venue_says() -> None:
    """It died with a request under way, as far as anybody knows."""
    memory = confirmed()[1].memory()
    one = Agreement(life(memory))
    assert kinds(one.position(stated(1, 85, at_ns=2), LATER)) == ["StopSet"]


# -------------------------------------------------------------------------------------------------------------- drift
def test_a_drift_goes_from_suspicion_to_quarantine_and_ends_by_agreement() -> None:
    """Told when suspected, when it is a person's, and when it is over."""
    one, _ = agreement(held=1)
    one.snapshot(snapshot(RESTING, position=stated(1)), START, START)
    told: list[list[str]] = []
    asked: list[tuple[int | None, bool]] = []
    for beat in range(1, 6):
        at_ns = START + beat * 6 * SECOND
        since_ns = one.executions_since_ns or START
        events, _ = one.snapshot(snapshot(RESTING, position=stated(2), at_ns=at_ns, since_ns=since_ns), START, at_ns)
        told.append([kind for kind in kinds(events) if kind.startswith("position")])
        asked.append((one.executions_since_ns, one.unsettled))
    assert told == [["position.drift"], [], ["position.quarantine"], [], []]
    far = START - EXPLAIN_NS  # an hour before the execution that we know last
    assert asked == [(None, True), (far, True), (None, False), (None, False), (None, False)], "a person's matter waits"
    assert "we count 1 in the position, the venue says 2" in one.quarantine
    events, _ = one.snapshot(snapshot(RESTING, position=stated(1), at_ns=START + 60 * SECOND), START, START)
    assert kinds(events) == ["position.agreed"]
    assert (one.quarantine, one.unsettled) == ("", False)


def test_a_person_may_lift_the_quarantine() -> None:
    """What differs is looked at anew, from the beginning, and where nothing explains it the venue is right."""
    one, blotter = agreement(held=1)
    told: list[str] = []
    for turn in range(1, 10):
        at_ns = START + turn * 10 * SECOND
        wrong = snapshot(RESTING, position=stated(5), at_ns=at_ns, since_ns=START - 2 * EXPLAIN_NS)
        events, _ = one.snapshot(wrong, START, at_ns)
        if turn == 4:
            assert one.quarantine
            one.release()
            assert (one.quarantine, one.executions_since_ns) == ("", None)
        if turn == 5:
            assert kinds(events)[:1] == ["position.drift"], "it is looked at anew, from the beginning"
        told += kinds(events) if turn > 5 else ()
    assert told == ["FillApplied", "position.adjusted", "position.agreed"]
    assert (one.quarantine, one.disputed, one.unsettled) == ("", "", False)
    assert (blotter.position.net, blotter.holding.by_hand) == (dec(5), dec(5)), "all of it by hand, as the first was"


@pytest.mark.parametrize(
    ("held", "theirs", "price", "by_hand", "trips"),
    [
        (0, 5, 200, 5, 0),  # there before us: the venue's entry
        (0, -5, 200, -5, 0),
        (2, 5, 200, 3, 0),
        (2, 0, 100, 0, 1),  # a venue that has forgotten: no profit
        (2, 1, 100, -1, 0),
        (2, -1, 100, -1, 1),
    ],
)
def test_a_released_difference_is_booked_once_as_traded_by_hand(
    held: int, theirs: int, price: int, by_hand: int, trips: int
) -> None:
    """At a price that gives or takes no profit; a replay comes to the same."""
    blotter = life(MarketMemory(market=MARKET, position=Position(market=MARKET)))
    recollection, written = Recollection(), list[Event]()
    if held:
        blotter.open(intent(), MARGIN)
        written += [OrderIntended(intent=intent(), at_ns=START), *blotter.learn(FIRST, Sent(START), START)]
        written += blotter.fill(fill("ours", held), START)
    one = Agreement(blotter)
    for beat in range(1, 12):
        at_ns = START + beat * 10 * SECOND
        if beat == 6:
            assert one.quarantine
            one.release()
        said = msgspec.structs.replace(stated(theirs), entry=dec(200) if theirs else None)
        answers = snapshot(position=said, at_ns=at_ns, since_ns=START - 2 * EXPLAIN_NS)
        events, _ = one.snapshot(answers, START, at_ns)
        written += events
    booked = [event.fill for event in written if isinstance(event, FillApplied) and event.fill.client_id is None]
    assert [(each.price, each.signed, each.fee) for each in booked] == [(dec(price), dec(theirs - held), dec(0))]
    closed = [event.trip for event in written if isinstance(event, RoundTripClosed)]
    assert [trip.profit for trip in closed] == [dec(0)] * trips
    assert (blotter.position.net, blotter.holding.by_hand) == (dec(theirs), dec(by_hand))
    for sequence, event in enumerate(written, 1):
        recollection.add(Record(journal=TAG, sequence=sequence, event=event))
    known = recollection.memory().market(MARKET)
    assert (known.position, known.holding) == (blotter.position, blotter.holding)
    assert dict(known.executions) == dict(blotter.executions.items())


def test_a_drift_that_is_explained_is_over() -> None:
    """Told as it was suspected."""
    one, _ = agreement(held=1)
    one.snapshot(snapshot(RESTING, position=stated(2), at_ns=LATER), START, LATER)
    events, _ = one.snapshot(snapshot(RESTING, position=stated(1), at_ns=LATER), START, LATER)
    assert kinds(events) == ["position.agreed"]


def test_a_position_that_never_agreed_is_not_built_upon() -> None:
    """From the first comparison on, however soon after our own activity; until both agree."""
    one, _ = agreement()
    assert one.disputed == ""
    one.snapshot(snapshot(RESTING, position=stated(3)), START, START + SECOND)
    assert one.disputed == "we count 0 in the position, the venue says 3: looking for what explains it"
    one.snapshot(snapshot(RESTING, position=stated(0)), START, START + 2 * SECOND)
    assert one.disputed == ""


def test_a_fill_that_is_quicker_by_one_way_disputes_nothing() -> None:
    """Both have agreed before; only what lasts beyond our own activity is in question."""
    one, _ = agreement()
    one.snapshot(snapshot(RESTING), START, START + SECOND)
    soon, late = START + 2 * SECOND, START + 20 * SECOND
    one.snapshot(snapshot(RESTING, position=stated(1), at_ns=soon), START, soon)
    assert one.disputed == ""
    one.snapshot(snapshot(RESTING, position=stated(1), at_ns=late), START, late)
    assert one.disputed.startswith("we count 0 in the position, the venue says 1")
    one.release()
    assert one.disputed == ""


def test_a_fill_that_is_heard_of_with_a_position_from_before_it_is_no_drift() -> None:
    """Long after our last activity: an order that rested, and no stream told of its fill."""
    one, blotter = agreement()
    one.snapshot(snapshot(RESTING), START, START)
    rests = report(S.PARTIAL, "0.5")
    met = snapshot(rests, executions=[fill("e1", "0.5")], position=stated(0), at_ns=LATER)
    events, _ = one.snapshot(met, START, LATER)
    assert "position.drift" not in kinds(events)
    assert (blotter.position.net, one.disputed, one.unsettled) == (dec("0.5"), "", True)
    missing = LATER + QUIET_NS
    events, _ = one.snapshot(snapshot(rests, position=stated(0), at_ns=missing), START, missing)
    assert "position.drift" in kinds(events)  # the venue has had its time


def test_a_quarantine_of_a_market_that_we_never_traded_names_the_way_out() -> None:
    """The state folder may have been lost; where we did trade, that is not it."""
    for held, hint in ((0, True), (1, False)):
        one, _ = agreement(held=held)
        for turn in range(1, 5):
            at_ns = START + turn * 10 * SECOND
            wrong = snapshot(RESTING, position=stated(5), at_ns=at_ns, since_ns=START - 2 * EXPLAIN_NS)
            one.snapshot(wrong, START, at_ns)
        assert one.quarantine
        assert one.quarantine.endswith("kangbot journal rebuild") is hint


def test_the_stop_beside_a_holding_fits_the_rules_of_now() -> None:
    """What is held of coins is sold in the venue's steps; a position's stop has no quantity of its own."""
    blotter = life(MarketMemory(market=MARKET, position=Position(market=MARKET)))
    blotter.fill(fill("held", "2.5", named=False, venue_order_id="h"), START)
    whole = msgspec.structs.replace(instrument(InstrumentKind.SPOT), step=dec(1), min_quantity=dec(1))
    coins = Agreement(blotter, covering=Covering(mine=TAG, instrument=instrument(InstrumentKind.SPOT), adopted=True))
    assert coins.needed == dec("2.5")
    coins.ruled(whole)
    assert coins.needed == dec(2)
    position = Agreement(blotter)
    position.ruled(whole)
    assert position.needed == dec("2.5")
