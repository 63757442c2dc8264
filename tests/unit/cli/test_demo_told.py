"""What `kangbot demo` says at its end."""

import pytest

from kangbot.cli.demo import _tell
from kangbot.cli.demo.processes import DemoFailedError
from kangbot.cli.demo.result import Totals
from tests.support.reporting import a_report


def test_a_history_that_lacks_something_is_no_book_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the machine was too slow for it nobody is told that the books do not agree."""
    totals = Totals()
    totals.add(a_report(history_backlog=59))
    truth = {"orders": {"with_prefix": 7}, "duplicates": {"accepted": 0}, "positions": {"BTCUSDT": "1"}}
    totals.settle(live=3, orders={}, positions={}, truth=truth)
    with pytest.raises(DemoFailedError, match="the last 59 events were not in the history yet"):
        _tell(totals, as_json=True)
    assert '"positions_agree":false' in capsys.readouterr().out
