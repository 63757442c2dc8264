"""What a demo shows while it runs, and its summary."""

from typing import Any

from rich.console import Console

from kangbot.cli.demo.board import summary
from kangbot.cli.demo.result import Totals
from tests.support.reporting import AT_NS, a_report


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
