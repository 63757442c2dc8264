"""What orders of ours owe, where nobody will tell their fills: the market would wait for them for ever."""

from collections.abc import Sequence

import msgspec
import pytest

from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.cover import Covering
from kangbot.machines.memory import MarketMemory, Recollection
from kangbot.machines.order_words import Answered, Reported, Sent
from kangbot.machines.reconcile import EXPLAIN_NS, Reconciled
from kangbot.model.events import Event, Noted, OrderIntended
from kangbot.model.ids import client_id
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import OrderStatus, Side
from kangbot.model.position import Position
from tests.support.records import records
from tests.support.trade_words import (
    MARGIN,
    MARKET,
    SECOND,
    START,
    TAG,
    dec,
    fill,
    instrument,
    intent,
    report,
    stated,
)

S = OrderStatus


def life(memory: MarketMemory | None = None) -> Blotter:
    """Return the books of a life that begins with `memory`, or with nothing."""
    empty = MarketMemory(market=MARKET, position=Position(market=MARKET))
    return Blotter(memory or empty, journal=TAG, strategy="test", born_ns=START, settle_ns=START, now_ns=START)


def owing(*quantities: int) -> tuple[Blotter, list[Event]]:
    """Return the books of orders that are filled, says the venue, with no fill of theirs; and the journal of it."""
    blotter, written = life(), list[Event]()
    for number, quantity in enumerate(quantities, 1):
        side, name = Side.BUY if quantity > 0 else Side.SELL, client_id(TAG, number)
        one = msgspec.structs.replace(intent(number, abs(quantity)), side=side)
        blotter.open(one, MARGIN)
        written.append(OrderIntended(intent=one, at_ns=START))
        answer = report(S.ACKED, quantity=abs(quantity), number=number, venue_order_id=f"v{number}")
        filled = report(S.FILLED, abs(quantity), quantity=abs(quantity), number=number, venue_order_id=f"v{number}")
        for learnt in (Sent(START), Answered(answer), Reported(filled)):
            written += blotter.learn(name, learnt, START)
    return blotter, written


def at(after_s: int, net: int = 0) -> Reconciled:
    """Return the venue's answers so many seconds after the start: so much is held, and no order rests."""
    at_ns = START + after_s * SECOND
    far_ns = START - 2 * EXPLAIN_NS
    return Reconciled(
        market=MARKET,
        open_orders=(),
        executions=(),
        executions_since_ns=far_ns,
        position=stated(net),
        asked_ns=at_ns,
        answered_ns=at_ns,
    )


def notes(events: Sequence[Event]) -> list[str]:
    """Return the kinds of the notes."""
    return [event.kind for event in events if isinstance(event, Noted)]


@pytest.mark.parametrize(
    ("owed", "net", "by_hand"),
    [
        ((2,), 2, 0),  # all that differs is the order's
        ((2,), 1, -1),  # somebody sold one of them, and nobody told of that either
        ((2,), 3, 1),
        ((2,), -1, -1),  # a hand has turned it around
        ((2, 3), 5, 0),  # two of them
        ((3, -1), 2, 0),
    ],
)
def test_a_person_makes_the_position_the_venues_and_no_order_owes_any_more(
    owed: Sequence[int], net: int, by_hand: int
) -> None:
    """Whatever the sizes: the rest is somebody's. The fold of the journal comes to the same."""
    blotter, written = owing(*owed)
    written += (events := blotter.adjust(dec(net), dec(101), START + 2))
    assert notes(events)[-1:] == ["position.adjusted"]
    assert (blotter.position.net, blotter.holding.by_hand) == (dec(net), dec(by_hand))
    assert (blotter.owing, blotter.unsettled) == ([], ())
    assert f"buy {owed[0]} of order {client_id(TAG, 1)}" in blotter.touched
    assert ("by hand" in blotter.touched) is (by_hand != 0)
    fold = Recollection()
    for record in records(written):
        fold.add(record)
    memory = fold.memory().market(MARKET)
    assert (memory.position, memory.holding) == (blotter.position, blotter.holding)
    assert all(order.settled for order in memory.orders)


def test_a_released_difference_of_another_size_leaves_no_order_owing() -> None:
    """By the whole way of a quarantine."""
    blotter, _ = owing(2)
    one, told = Agreement(blotter), list[str]()
    for beat in range(1, 12):
        if beat == 6:
            assert one.quarantine
            one.release()
        events, _ = one.snapshot(at(beat * 10, 1), START, START + beat * 10 * SECOND)
        told += notes(events)
    assert told == ["position.drift", "position.quarantine", "position.drift", "position.adjusted", "position.agreed"]
    assert (blotter.position.net, blotter.unsettled, one.quarantine) == (dec(1), (), "")


def test_what_is_owed_where_both_agree_is_booked_once_a_person_has_looked() -> None:
    """An account that was reset: nothing differs, so nothing is quarantined, and the market would wait for ever."""
    blotter, _ = owing(2)
    one = Agreement(blotter)
    assert one.snapshot(at(40), START, START + 40 * SECOND) == ([], [])
    assert (one.quarantine, len(blotter.owing)) == ("", 1), "nobody has looked"
    one.release()
    assert (one.unsettled, one.disputed != "") == (True, True)
    events, _ = one.snapshot(at(29), START, START + 29 * SECOND)
    assert (list(events), one.unsettled, one.disputed) == ([], True, ""), "it may be on its way still"
    events, _ = one.snapshot(at(60), START, START + 60 * SECOND)
    assert notes(events) == ["position.adjusted"]
    assert (blotter.position.net, blotter.unsettled, one.unsettled) == (dec(0), (), False)


def test_what_comes_by_itself_after_a_person_has_looked_is_not_booked_again() -> None:
    """And a difference of later is a person's anew."""
    blotter, _ = owing(2)
    one = Agreement(blotter)
    one.release()
    blotter.fill(fill("late", 2), START + SECOND)
    assert one.snapshot(at(60, 2), START, START + 60 * SECOND) == ([], [])
    assert (one.unsettled, one.disputed, blotter.position.net) == (False, "", dec(2))
    for beat in range(1, 6):
        one.snapshot(at(60 + beat * 10, 5), START, START + (60 + beat * 10) * SECOND)
    assert one.quarantine
    assert blotter.position.net == dec(2)


def test_what_is_owed_of_coins_is_booked_once_a_person_has_looked() -> None:
    """Nobody keeps a position of them to compare, so nothing is ever quarantined."""
    blotter, _ = owing(3, -1)
    spot = instrument(kind=InstrumentKind.SPOT)
    one = Agreement(blotter, covering=Covering(mine=TAG, instrument=spot, adopted=False))
    one.snapshot(at(40), START, START + 40 * SECOND)
    assert len(blotter.owing) == 2
    one.release()
    events, _ = one.snapshot(at(50), START, START + 50 * SECOND)
    assert notes(events) == ["position.adjusted"]
    assert (blotter.position.net, blotter.unsettled, one.disputed) == (dec(2), (), "")
    one.snapshot(at(60), START, START + 60 * SECOND)
    assert blotter.position.net == dec(2)
