"""The sum of a demo, held against the exchange's books."""

from typing import Any

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


def test_scripts_find_every_name_that_they_rely_on() -> None:
    """The one object of `kangbot demo --json`, to the last name."""
    totals = Totals()
    totals.add(a_report())
    truth = {"orders": {"with_prefix": 0}, "duplicates": {"accepted": 0}, "positions": {}}
    totals.settle(live=1, orders={}, positions={}, truth=truth)
    said = totals.as_result()
    names = {name: set(value) if isinstance(value, dict) else None for name, value in said.items()}
    assert names == {
        "runs": None,
        "markets": {"total", "live"},
        "frames": None,
        "bars": None,
        "decisions": None,
        "orders": {"sent", "acked", "filled", "rejected", "not_accepted", "unknown", "at_venue", "duplicated"},
        "orders_agree": None,
        "positions_agree": None,
        "reconnects": None,
        "latency_ms": {"frame_to_decision", "frame_to_order"},
        "rss_mb": {"peak"},
        "cpu_percent": None,
        "loop": None,
    }
    assert all(latency.keys() == {"p50", "p99"} for latency in said["latency_ms"].values())


def printed(result: dict[str, Any]) -> str:
    """Return the summary as a terminal of 80 columns shows it."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(summary(result))
    return captured.get()


def test_an_order_that_never_arrived_is_no_quarrel_between_the_books() -> None:
    """Chaos loses one, and its market is stopped before it is sent anew: the table says what the exit code says."""
    for at_venue, agree in ((3, True), (2, False), (5, False)):
        totals = Totals()
        totals.add(a_report())
        truth = {"orders": {"with_prefix": at_venue}, "duplicates": {"accepted": 0}, "positions": {}}
        totals.settle(live=1, orders={S.FILLED: 3, S.NOT_ACCEPTED: 1}, positions={}, truth=truth)
        text = printed(totals.as_result())
        assert totals.agree is agree
        assert "4 sent, 3 filled, 0 rejected, 0 unknown " in text
        assert "│ never arrived               1  " in text
        assert ("NO" in text) is not agree
