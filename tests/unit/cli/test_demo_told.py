"""What `kangbot demo` says at its end."""

import pytest

from kangbot.cli.demo import _over, _tell
from kangbot.cli.demo.processes import DemoFailedError
from kangbot.cli.demo.result import Totals
from kangbot.health.report import Report
from tests.support.reporting import a_market, a_report


def test_a_history_that_lacks_something_is_no_book_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the machine was too slow for it nobody is told that the books do not agree."""
    totals = Totals()
    totals.add(a_report(history_backlog=59))
    truth = {"orders": {"with_prefix": 7}, "duplicates": {"accepted": 0}, "positions": {"BTCUSDT": "1"}}
    totals.settle(live=3, orders={}, positions={}, truth=truth)
    with pytest.raises(DemoFailedError, match="the last 59 events were not in the history yet"):
        _tell(totals, as_json=True)
    assert '"positions_agree":false' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("report", "begins"),
    [
        (None, True),  # nobody answers yet
        (a_report(), True),  # it reads its journal
        (a_report(a_market(), a_market("ETH", state="stopped", reason="")), True),  # its turn has not come
        (a_report(a_market(), a_market("ETH", state="starting")), True),
        (a_report(a_market(), a_market("ETH", state="warming")), True),
        (a_report(a_market(), a_market("ETH", state="failed"), a_market("SOL", state="paused")), False),
        (a_report(a_market(), a_market("ETH", state="stopped", desired="stopped")), False),  # somebody stopped it
    ],
)
def test_no_demo_ends_while_its_daemon_begins(report: Report | None, begins: bool) -> None:
    """A slow machine starts a daemon that was killed for half a minute; it is not waited for for ever."""
    assert not _over(report, -0.1)
    assert _over(report, 0.0) is not begins
    assert _over(report, 119.0) is not begins
    assert _over(report, 120.0)
