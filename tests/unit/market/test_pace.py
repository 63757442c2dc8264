"""The pace of one market's orders."""

from decimal import Decimal

import msgspec

from kangbot.machines.order import Order
from kangbot.market.pace import Pace
from kangbot.model.money import ZERO
from kangbot.model.orders import OrderStatus, Purpose
from kangbot.runtime.world import SECOND_NS
from tests.support.trade_words import intent

LATER_NS = 100 * SECOND_NS


def order(purpose: Purpose = Purpose.ENTRY) -> Order:
    """An order that is under way."""
    return Order(intent=msgspec.structs.replace(intent(), purpose=purpose), status=OrderStatus.ACKED, settle_ns=0)


def test_an_order_that_came_to_nothing_holds_back_the_next_of_its_purpose_alone() -> None:
    """An entry without offers does not keep an exit."""
    pace = Pace()
    pace.placed(order(), ZERO)
    pace.look([], ZERO, LATER_NS)
    assert pace.due_ns(Purpose.ENTRY, LATER_NS) == LATER_NS + SECOND_NS == pace.next_ns(LATER_NS)
    assert pace.due_ns(Purpose.EXIT, LATER_NS) is None


def test_an_order_under_way_says_nothing_yet() -> None:
    """Only its end is judged."""
    pace, flying = Pace(), order()
    pace.placed(flying, ZERO)
    pace.look([flying], ZERO, LATER_NS)
    assert pace.next_ns(LATER_NS) is None


def test_an_order_that_moved_the_position_leaves_no_wait() -> None:
    """Not even after failures."""
    pace = Pace()
    for net in (ZERO, Decimal(1)):
        pace.placed(order(), ZERO)
        pace.look([], net, LATER_NS)
    assert pace.next_ns(LATER_NS) is None


def test_an_order_that_was_withdrawn_leaves_no_wait() -> None:
    """A limit order that is placed anew is no failure."""
    pace, flying = Pace(), order()
    pace.placed(flying, ZERO)
    pace.look([msgspec.structs.replace(flying, cancel_requested_ns=1)], ZERO, LATER_NS)
    pace.look([], ZERO, LATER_NS)
    assert pace.next_ns(LATER_NS) is None


def test_an_order_that_is_over_and_waits_for_its_fills_is_judged_by_them() -> None:
    """Its end may come before its executions."""
    pace, flying = Pace(), order(Purpose.EXIT)
    pace.placed(flying, Decimal(1))
    pace.look([msgspec.structs.replace(flying, status=OrderStatus.FILLED)], Decimal(1), LATER_NS)
    pace.look([], ZERO, LATER_NS)
    assert pace.next_ns(LATER_NS) is None


def test_exits_in_trouble_wait_five_seconds_and_entries_as_ever() -> None:
    """The first leaves at once; no wait is longer than that of many failures."""
    pace = Pace()
    assert pace.due_ns(Purpose.EXIT, LATER_NS) is None
    for purpose in Purpose:
        pace.placed(order(purpose), Decimal(1))
    pace.look([], Decimal(1), LATER_NS, exits_slow=lambda: True)
    assert pace.due_ns(Purpose.EXIT, LATER_NS) == LATER_NS + 5 * SECOND_NS
    assert pace.due_ns(Purpose.ENTRY, LATER_NS) == LATER_NS + SECOND_NS


def test_an_entry_that_is_refused_alike_waits_an_hour_in_the_end_and_an_exit_five_seconds() -> None:
    """Until something may have changed the answer."""
    pace, waits = Pace(), dict.fromkeys(Purpose, 0)
    now_ns = LATER_NS
    for _ in range(20):
        for purpose in Purpose:
            pace.placed(order(purpose), Decimal(1))
        pace.look([], Decimal(1), now_ns, refusal=lambda _order: "110023")
        waits = {purpose: (pace.due_ns(purpose, now_ns) or now_ns) - now_ns for purpose in Purpose}
        now_ns += 2 * 3600 * SECOND_NS
    assert waits == {Purpose.ENTRY: 3600 * SECOND_NS, Purpose.EXIT: 5 * SECOND_NS}
    failed_ns = now_ns - 2 * 3600 * SECOND_NS
    assert pace.because(Purpose.ENTRY) == ", for the venue refused it with 110023 (20 times)"
    pace.renewed()
    assert pace.because(Purpose.ENTRY) == ""
    assert pace.due_ns(Purpose.ENTRY, failed_ns) == failed_ns + 60 * SECOND_NS


def test_it_counts_the_orders_that_were_news() -> None:
    """Of those that are refused alike it is the first alone, for each purpose."""
    pace = Pace()
    for _ in range(5):
        for purpose in Purpose:
            pace.placed(order(purpose), Decimal(1))
        pace.look([], Decimal(1), LATER_NS, refusal=lambda _order: "110023")
    assert pace.news == 2
    pace.placed(order(), Decimal(1))
    pace.look([], Decimal(2), LATER_NS)
    assert pace.news == 3
