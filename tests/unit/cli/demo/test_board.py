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


def shown(
    board: Board, report: Report | None, note: str = "", seconds: float | None = None, *, columns: int = 160
) -> str:
    """Return the board as a terminal of so many columns shows it after seven seconds."""
    console = Console(width=columns)
    with console.capture() as captured:
        console.print(board.render(report, note, 7.0, seconds, columns=columns))
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


def test_a_narrow_terminal_has_every_figure_whole() -> None:
    """What is drawn, and why, give way to them; no line is broken."""
    board = Board("")
    held = a_market(
        price=Decimal("98107.65"),
        net=Decimal("-206.7"),
        unrealised=Decimal("-0.63"),
        stop=Decimal("99576.9"),
        profit=Decimal("-15.56"),
    )
    for cents in range(16):
        shown(board, a_report(a_market(price=Decimal("98107.65") + cents)))
    text = shown(board, a_report(held, a_market("ETH", price=None, state="starting")), columns=80)
    (line,) = (line for line in text.splitlines() if "BTC/USDT" in line)
    for figure in ("BTC/USDT ", " live ", " 98107.65 ", " -206.7 ", " -0.63 ", " 99576.9 ", " -15.56 ", " 1 "):
        assert figure in line
    assert len([line for line in text.splitlines() if "USDT" in line]) == 2
    (names,) = (line for line in text.splitlines() if "position" in line)
    assert names.split()[1:9] == ["market", "state", "price", "position", "open", "stop", "profit", "orders"]
    assert {len(line) for line in text.splitlines()} == {80}


def test_the_address_is_whole_in_every_terminal() -> None:
    """In the frame where it fits, else above the rest: without the end of its token nobody is let in."""
    address = f"http://127.0.0.1:8787/#token={'t' * 43}"
    for columns, first in ((160, f"kangbot demo · {address}"), (93, f"kangbot demo · {address}"), (92, "kangbot demo")):
        text = shown(Board(address), a_report(a_market()), columns=columns)
        assert text.splitlines()[0].strip("╭╮─ ") == first
        assert text.count(address) == 1
    folded = shown(Board(address), a_report(a_market()), columns=40).splitlines()[1:4]
    assert "".join(line.strip("│ ") for line in folded).startswith(address)
