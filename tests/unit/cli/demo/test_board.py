"""What a demo shows while it runs, and its summary."""

from decimal import Decimal
from typing import Any

from rich.console import Console

from kangbot.cli.demo.board import Board, summary
from kangbot.cli.demo.result import Totals
from kangbot.health.report import Report
from tests.support.reporting import AT_NS, a_market, a_report


def printed(result: dict[str, Any]) -> str:
    """Return the summary as a terminal of 80 columns shows it."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(summary(result))
    return captured.get()


def test_what_the_daemons_took_is_told_of_all_of_them_and_latencies_of_the_last() -> None:
    """One that was killed after ten seconds at half a core, and one that ran for thirty at a tenth."""
    totals, ten_s = Totals(), 10_000_000_000
    for seconds, cpu_s in ((1, 5.0), (3, 3.0)):
        totals.add(a_report(started_ns=AT_NS - seconds * ten_s, cpu_s=cpu_s, cpu_percent=100.0))
    truth = {"orders": {"with_prefix": 0}, "duplicates": {"accepted": 0}, "positions": {}}
    totals.settle(live=1, orders={}, positions={}, truth=truth)
    said = totals.as_result()
    assert (said["runs"], said["cpu_percent"]) == (2, 20.0)
    assert "│ frame to decision, p50/p99  -, the last run's" in printed(said)


def shown(board: Board, report: Report | None, note: str = "", seconds: float | None = None) -> str:
    """Return the board as a terminal of 160 columns shows it after seven seconds."""
    console = Console(width=160)
    with console.capture() as captured:
        console.print(board.render(report, note, 7.0, seconds))
    return captured.get()


def test_a_demo_that_begins_says_so() -> None:
    """Or what has happened instead."""
    assert "starting …" in shown(Board("kangbot demo"), None)
    assert "the daemon was killed" in shown(Board("kangbot demo"), None, "the daemon was killed")


def test_a_demo_says_how_long_it_goes_on() -> None:
    """Without an end of its own, how it is ended."""
    assert "7 s of 45" in shown(Board(""), a_report(a_market()), seconds=45)
    assert "7 s   Ctrl-C ends it" in shown(Board(""), a_report(a_market()))


def test_every_market_has_its_line_and_the_daemon_two() -> None:
    """What is held with its sign; of what is flat nothing stands in those columns."""
    long = a_market("ETH", net=Decimal("0.50"), unrealised=Decimal("1.5"), stop=Decimal("3500.0"), profit=Decimal(-2))
    text = shown(Board("kangbot demo"), a_report(a_market(), long, killed="news"), "orders take longer")
    (flat,) = (line.split("│")[1].split() for line in text.splitlines() if "BTC/USDT" in line)
    (held,) = (line.split("│")[1].split() for line in text.splitlines() if "ETH/USDT" in line)
    assert flat == ["BTC/USDT", "live", "64000.5", "▁", "+1.00", "1", "1m", "60", "bars"]
    assert held == ["ETH/USDT", "live", "64000.5", "▁", "+0.5", "+1.50", "3500", "-2.00", "1", "1m", "60", "bars"]
    for words in ("2/2 live", "equity 100,000.00", "kill switch: news", "orders take longer"):
        assert words in text


def test_prices_are_drawn_from_the_lowest_to_the_highest_of_late() -> None:
    """Sixteen of them; a market without a price has none."""
    board = Board("")
    for price in range(1, 21):
        text = shown(board, a_report(a_market(price=Decimal(price))))
    assert "▁▁▁▂▂▃▃▄▄▅▅▆▆▇▇█" in text
    assert "▁" not in shown(board, a_report(a_market("ETH", price=None)))
