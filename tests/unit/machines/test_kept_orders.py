"""Which orders of a market are remembered."""

import sys
from types import FrameType

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.kept_orders import KEPT, KeptOrders
from kangbot.machines.memory import Recollection
from kangbot.machines.order import Order
from kangbot.model.events import Event, OrderIntended, Record
from kangbot.model.orders import OrderStatus
from tests.support.trade_words import START, TAG, changed, dec, intent

S = OrderStatus


def order(number: int, status: OrderStatus = S.ACKED) -> Order:
    """Return the order of that number."""
    return Order(intent=intent(number), status=status, settle_ns=START)


def numbers(orders: KeptOrders) -> list[int]:
    """Return the numbers of those that are remembered."""
    return [each.intent.number for each in orders]


def test_the_newest_that_are_settled_are_remembered_and_all_others() -> None:
    """In the order in which they were intended; whoever keeps one hears which was forgotten for it."""
    orders = KeptOrders(order(number) for number in range(1, KEPT + 4))
    assert [orders.keep(order(number, S.CANCELED)) for number in range(2, KEPT + 2)] == [None] * KEPT
    assert orders.keep(order(KEPT + 2, S.CANCELED)) == intent(2).client_id
    assert numbers(orders) == [1, *range(3, KEPT + 4)]
    assert [each.intent.number for each in orders.unsettled] == [1, KEPT + 3]
    assert orders.get(intent(2).client_id) is None
    assert orders.get(intent(3).client_id) == order(3, S.CANCELED)


def test_one_that_ends_after_many_newer_ones_is_forgotten_itself() -> None:
    """It is older than all that are remembered."""
    orders = KeptOrders([order(1), *(order(number, S.CANCELED) for number in range(2, KEPT + 2))])
    assert orders.keep(order(1, S.CANCELED)) == intent(1).client_id
    assert numbers(orders) == list(range(2, KEPT + 2))


def test_one_that_comes_back_to_life_is_unsettled_again() -> None:
    """And is not forgotten for those that end after it."""
    orders = KeptOrders([order(1, S.CANCELED)])
    orders.keep(order(1))
    for number in range(2, KEPT + 2):
        assert orders.keep(order(number, S.CANCELED)) is None
    assert numbers(orders) == list(range(1, KEPT + 2))
    assert [each.intent.number for each in orders.unsettled] == [1]


@given(st.lists(st.tuples(st.integers(1, 3 * KEPT), st.booleans()), max_size=200))
def test_it_does_what_looking_at_all_of_them_would(steps: list[tuple[int, bool]]) -> None:
    """Whatever ends in whatever order."""
    orders, naive = KeptOrders(), dict[int, Order]()
    for number, over in steps:
        one = order(number, S.CANCELED if over else S.ACKED)
        orders.keep(one)
        naive[number] = one
        settled = sorted(known for known, each in naive.items() if each.settled)
        for old in settled[: max(0, len(settled) - KEPT)]:
            del naive[old]
        assert {each.intent.number: each for each in orders} == naive
        assert {each.intent.number for each in orders.unsettled} == naive.keys() - set(settled)


def test_a_fold_takes_no_longer_for_an_order_where_thousands_wait_for_their_fills() -> None:
    """A journal of 10,000 such orders held the daemon's start up for most of a minute."""

    def calls(count: int) -> int:
        events: list[Event] = []
        for number in range(1, count + 1):
            events += [OrderIntended(intent=intent(number), at_ns=START), changed(S.FILLED, 1, number=number)]
        fold, made = Recollection(), 0

        def counting(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal made
            made += event == "call"

        records = [Record(journal=TAG, sequence=at, event=event) for at, event in enumerate(events, 1)]
        sys.setprofile(counting)
        try:
            for record in records:
                fold.add(record)
        finally:
            sys.setprofile(None)
        (market,) = fold.memory().markets.values()
        assert len(market.orders) == count
        assert all(each.reported == dec(1) and not each.settled for each in market.orders)
        return made

    assert calls(400) <= 2 * calls(200)
