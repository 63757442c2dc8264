"""What of a market's unwritten events can be left out."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.backlog import Group, conflated
from kangbot.machines.memory import MarketMemory
from kangbot.model.events import (
    CashFlowApplied,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    Record,
    RoundTripClosed,
    Severity,
    StopSet,
)
from kangbot.model.orders import Evidence, OrderStatus, Side
from kangbot.model.position import RoundTrip
from tests.support.folded import replayed
from tests.support.trade_words import MARKET, START, TAG, changed, dec, fill, funding, intent

S = OrderStatus
KEPT_KINDS = ("order.foreign", "order.orphan", "market.quarantine", "market.released", "order.impossible")


def note(kind: str, message: str = "", **fields: str) -> Noted:
    """Return a note of that kind."""
    return Noted(kind=kind, severity=Severity.WARNING, market=MARKET, message=message, fields=fields, at_ns=START)


def stop(price: int | None) -> StopSet:
    """Return the record of the stop that rests."""
    return StopSet(market=MARKET, price=None if price is None else dec(price), at_ns=START)


def applied(execution: str, quantity: int, side: Side, number: int | None) -> FillApplied:
    """Return the record of an execution; `number` None for one by hand."""
    one = fill(execution, quantity, side=side, number=number or 1, named=number is not None)
    return FillApplied(fill=one, net=dec(0), at_ns=START)


def trip(profit: int) -> RoundTripClosed:
    """Return the record of a position that came back to flat."""
    one = RoundTrip(
        market=MARKET,
        side=Side.BUY,
        quantity=dec(1),
        entry=dec(100),
        exit=dec(100 + profit),
        fees=dec(0),
        profit=dec(profit),
        opened_ns=START,
        closed_ns=START,
    )
    return RoundTripClosed(trip=one, strategy="test", at_ns=START)


def once(*events: Event) -> list[Event]:
    """Return what is left of events of one group each."""
    return [event for group in conflated([(event,) for event in events]) for event in group]


def test_only_the_last_change_of_an_order_is_left() -> None:
    """It says what those before said; another order's is its own."""
    first, second, last = changed(S.ACKED), changed(S.PARTIAL, "0.5"), changed(S.FILLED, 1)
    other = changed(S.ACKED, number=2)
    assert once(first, other, second, last) == [other, last]


@pytest.mark.parametrize(
    "earlier",
    [
        changed(S.PARTIAL, 1, venue_order_id=None),
        changed(S.ACKED),
        changed(S.UNKNOWN, venue_order_id=None, evidence=Evidence.DUPLICATE_ID),
    ],
    ids=["filled for more", "known by the venue's id", "proven by its own id"],
)
def test_a_change_that_says_more_than_the_last_one_is_left(earlier: OrderChanged) -> None:
    """How much was filled, and that the venue knew the order, is not forgotten."""
    last = changed(S.UNKNOWN, venue_order_id=None, evidence=Evidence.NONE)
    assert once(earlier, last) == [earlier, last]


def test_the_stop_that_rested_last_is_left_and_its_removal() -> None:
    """What is gone is what has to be restored."""
    assert once(stop(90), stop(None), stop(91), stop(92), stop(None), stop(None)) == [stop(92), stop(None)]
    assert once(stop(None), stop(91)) == [stop(91)]


def test_of_each_kind_of_note_the_newest_is_left_with_their_number() -> None:
    """Also where some of them were left out before."""
    twice = once(note("stop.failed", "no answer"), note("order.unknown"), note("stop.failed", "refused"))
    assert twice == [note("order.unknown"), note("stop.failed", "refused", times="2")]
    assert once(*twice, note("stop.failed", "refused")) == [
        note("order.unknown"),
        note("stop.failed", "refused", times="3"),
    ]


def test_of_notes_that_are_remembered_only_the_same_is_left_out() -> None:
    """Each stranger's order is another matter, and who took the market last holds it."""
    events = [
        note("order.foreign", "buy 1", venue_order_id="v7"),
        note("market.quarantine", "buy 1"),
        note("market.released"),
        note("order.foreign", "buy 1", venue_order_id="v8"),
        note("market.quarantine", "buy 1"),
    ]
    left = once(*events)
    assert [one.kind for one in left if isinstance(one, Noted)] == [
        "order.foreign",
        "market.released",
        "order.foreign",
        "market.quarantine",
    ]
    assert left[-1] == note("market.quarantine", "buy 1", times="2")


def test_what_nothing_else_says_is_left_in_its_group() -> None:
    """Executions, cash flows and round trips; an empty group is none."""
    facts = (applied("x1", 1, Side.BUY, 1), changed(S.FILLED, 1), trip(1))
    paid = (CashFlowApplied(flow=funding("f1", "-0.1"), at_ns=START),)
    assert conflated([(changed(S.ACKED),), facts, (note("a"),), paid, (note("a"),)]) == [
        facts,
        paid,
        (note("a", times="2"),),
    ]


# ------------------------------------------------------------------------------------------------------ nothing is lost
ORDERS = (1, 2, 3)
_STATUSES = st.sampled_from([S.ACKED, S.PARTIAL, S.UNKNOWN, S.FILLED, S.CANCELED, S.NOT_ACCEPTED])
_CHANGES = st.builds(
    changed,
    _STATUSES,
    st.integers(0, 3),
    number=st.sampled_from(ORDERS),
    evidence=st.sampled_from([Evidence.STREAM, Evidence.DUPLICATE_ID, Evidence.ABSENCE]),
    venue_order_id=st.sampled_from([None, "v1", "v2"]),
)
_FILLS = st.builds(
    applied,
    st.text("abc", min_size=3, max_size=3),
    st.integers(1, 3),
    st.sampled_from(Side),
    st.sampled_from([None, *ORDERS]),
)
_NOTES = st.builds(
    note,
    st.sampled_from([*KEPT_KINDS, "stop.failed", "position.by_hand"]),
    st.sampled_from(["one", "another"]),
    venue_order_id=st.sampled_from(["v7", "v8"]),
)
_STOPS = st.builds(stop, st.sampled_from([None, 90, 91]))
_EVENTS = st.one_of(_CHANGES, _FILLS, _NOTES, _STOPS, st.builds(trip, st.integers(-2, 2)))
_GROUPS = st.lists(st.lists(_EVENTS, min_size=1, max_size=3).map(tuple), max_size=25)


def remembered(groups: Sequence[Group]) -> MarketMemory:
    """Return what a journal comes to that has three intents, and then these groups."""
    intents = [OrderIntended(intent=intent(number, stop="80"), at_ns=START) for number in ORDERS]
    events = [*intents, *(event for group in groups for event in group)]
    memory = replayed(Record(journal=TAG, sequence=index, event=event) for index, event in enumerate(events, 1))
    known = memory.market(MARKET)
    # In which order strangers were told of matters from the five hundredth on, which no test of this length meets.
    return msgspec.structs.replace(
        known, hands=msgspec.structs.replace(known.hands, strangers=dict(sorted(known.hands.strangers.items())))
    )


@given(_GROUPS)
def test_a_journal_of_what_is_left_comes_to_the_same(groups: list[Group]) -> None:
    """Orders, position, stop, hands, contradiction and profit: whatever happened, in whatever order."""
    assert remembered(conflated(groups)) == remembered(groups)


@given(_GROUPS)
def test_leaving_out_again_leaves_out_nothing_more(groups: list[Group]) -> None:
    """So what is left does not depend on how often it was looked at, and a count is not counted twice."""
    left = conflated(groups)
    assert conflated(left) == left
    both = conflated([*left, (changed(S.FILLED, 3, number=9),)])
    assert both[:-1] == left
