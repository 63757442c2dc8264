"""The sum of a demo, held against the exchange's books."""

from decimal import Decimal
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


def settled(*, at_venue: int = 0, doubled: int = 0, live: int = 1, **books: Any) -> Totals:
    """Return the sum of one run whose books these are."""
    totals = Totals()
    totals.add(a_report())
    truth = {
        "orders": {"with_prefix": at_venue},
        "duplicates": {"accepted": doubled},
        "positions": books.get("theirs", {}),
    }
    totals.settle(live=live, orders=books.get("orders", {}), positions=books.get("ours", {}), truth=truth)
    return totals


def test_positions_are_held_against_the_exchanges_by_its_own_names() -> None:
    """What is flat there is not held; one that only one of the two knows is a quarrel."""
    ours = {"bybit:BTC-USDT:USDT": Decimal("0.50"), "bybit:ETH-USDT": Decimal(2)}
    same = {"BTCUSDT": "0.5", "ETHUSDT": "2", "SOLUSDT": "0"}
    for theirs, agree in (
        (same, True),
        (same | {"BTCUSDT": "-0.5"}, False),
        (same | {"SOLUSDT": "1"}, False),
        ({"BTCUSDT": "0.5"}, False),
    ):
        totals = settled(ours=ours, theirs=theirs)
        assert totals.positions_agree is totals.as_result()["positions_agree"] is totals.agree is agree


def test_no_demo_is_well_that_traded_nothing_or_leaves_a_question_open() -> None:
    """A market must have been live, no order unknown, and none doubled."""
    assert settled().agree
    assert not settled(live=0).agree
    assert not settled(at_venue=1, orders={S.UNKNOWN: 1}).agree
    twice = settled(at_venue=1, orders={S.FILLED: 1}, doubled=1)
    assert not twice.agree
    assert not twice.orders_agree
    assert twice.as_result()["orders"]["duplicated"] == 1


def test_an_order_that_has_not_left_yet_is_not_acknowledged() -> None:
    """It is in the history from the moment in which it was meant."""
    orders = settled(at_venue=1, orders={S.INTENT: 1, S.FILLED: 1}).as_result()["orders"]
    assert (orders["sent"], orders["acked"], orders["unknown"]) == (2, 1, 1)


def test_runs_are_added_up() -> None:
    """One that left no report adds nothing; the highest memory of all, and the share of a core over all of them."""
    totals = Totals()
    for report in (
        a_report(frames=100, bars=3, decisions=2, reconnects=1, cpu_s=10.0, rss_peak_mb=90.0, loop="asyncio"),
        None,
        a_report(frames=10, bars=4, decisions=5, reconnects=2, cpu_s=90.0, rss_peak_mb=70.0, history_backlog=6),
    ):
        totals.add(report)
    assert totals.lacking == 6
    truth = {"orders": {"with_prefix": 0}, "duplicates": {"accepted": 0}, "positions": {}}
    totals.settle(live=1, orders={}, positions={}, truth=truth)
    said = totals.as_result()
    assert [said[name] for name in ("runs", "frames", "bars", "decisions", "reconnects")] == [2, 110, 7, 7, 3]
    assert (said["rss_mb"]["peak"], said["cpu_percent"], said["loop"]) == (90.0, 5.0, "uvloop")
    assert Totals().lacking == 0
