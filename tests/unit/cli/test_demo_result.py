"""The sum of a demo, held against the exchange's books."""

from rich.console import Console

from kangbot.cli.demo.board import summary
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


def test_an_order_that_never_arrived_is_no_quarrel_between_the_books() -> None:
    """Chaos loses one, and its market is stopped before it is sent anew: the table says what the exit code says."""
    for at_venue, agree in ((3, True), (2, False), (5, False)):
        totals = Totals()
        totals.add(a_report())
        truth = {"orders": {"with_prefix": at_venue}, "duplicates": {"accepted": 0}, "positions": {}}
        totals.settle(live=1, orders={S.FILLED: 3, S.NOT_ACCEPTED: 1}, positions={}, truth=truth)
        console = Console(width=100)
        with console.capture() as captured:
            console.print(summary(totals.as_result()))
        text = captured.get()
        assert totals.agree is agree
        assert "4 sent, 3 filled, 0 rejected, 0 unknown, 1 never arrived" in text
        assert ("NO" in text) is not agree
