"""The sum of a demo, held against the exchange's books."""

from kangbot.cli.demo.result import Totals
from kangbot.model.orders import OrderStatus as S
from tests.support.reporting import a_report


def test_what_nobody_has_answered_is_unknown_and_not_acknowledged() -> None:
    """An order that has left and nothing else is known of is neither taken nor refused."""
    totals = Totals()
    totals.add(a_report())
    truth = {"orders": {"with_prefix": 4}, "duplicates": {"accepted": 0}, "positions": {}}
    orders = {S.FILLED: 3, S.SENT: 1, S.UNKNOWN: 1, S.REJECTED: 2}
    totals.settle(live=1, orders=orders, positions={}, truth=truth)
    counted = totals.as_result()["orders"]
    assert (counted["sent"], counted["acked"], counted["unknown"], counted["rejected"]) == (7, 3, 2, 2)
