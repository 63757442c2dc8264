"""Paper trading in real processes: the exchange's public data, and an account that the exchange knows nothing of."""

import time
from decimal import Decimal
from typing import Any

import pytest

from kangbot.cli.demo.processes import DemoFailedError
from kangbot.health.report import Report
from kangbot.sandbox.routes import ROUTES
from tests.support.processes import World

pytestmark = pytest.mark.process

SIGNED = {f"{method} {path}" for (method, path), route in ROUTES.items() if route.signed}


@pytest.fixture
def paper(world: World) -> World:
    """A world whose daemon trades on paper."""
    world.environment |= {"KANGBOT_MODE": "paper", "KANGBOT_PAPER__BALANCE": "25000"}
    return world


def net(report: Report) -> dict[str, Decimal]:
    return {market.symbol: market.net for market in report.markets if market.net}


def stops(report: Report) -> dict[str, Decimal | None]:
    return {market.symbol: market.stop for market in report.markets}


def at_rest(paper: World) -> Report:
    """Return what the stopped markets hold once nothing moves it, and a slow disk has it too."""
    last = paper.until(lambda report: all(market.state == "stopped" for market in report.markets))
    while True:
        time.sleep(2)
        report = paper.client.report()
        if (net(report), stops(report)) == (net(last), stops(last)):
            return report
        last = report


def assert_untouched(truth: dict[str, Any]) -> None:
    """The exchange was asked for public data and nothing else."""
    assert truth["orders"]["total"] == 0
    assert not SIGNED & truth["requests"].keys()
    assert "GET /v5/market/instruments-info" in truth["requests"]
    assert truth["connects"].get("private", 0) == 0
    assert truth["connects"]["linear"] > 0


def test_orders_fill_on_paper_and_none_reaches_the_exchange(paper: World) -> None:
    """Live data, simulated fills: no order, no signed request and no private connection at the exchange."""
    paper.start()
    paper.live()
    report = paper.orders(more_than=5)
    assert report.mode == "paper"
    assert report.orders.unknown == 0
    assert Decimal(20_000) < report.equity["USDT"] < Decimal(30_000)
    assert any(market.net and market.stop for market in report.markets)
    assert_untouched(paper.stop())


def test_a_paper_account_outlives_kill_9(paper: World) -> None:
    """Positions, stops and money are those of the journal, and nothing is found to disagree."""
    paper.start()
    paper.live()
    paper.orders(more_than=5)
    for _ in range(3):
        paper.daemon.kill()
        paper.start()
        report = paper.live()
        assert not any(market.blocked for market in report.markets if "count" in market.blocked)
        paper.orders(more_than=1)
    paper.sandbox.pause()
    # Prices stand still, but strategies go on: the bar that just ended, or a start on slightly other bars, may well
    # turn a position round. Stopped markets keep theirs, and its stop.
    paper.client.tell("/stop-all")
    before = at_rest(paper)
    assert net(before)
    paper.daemon.kill()
    paper.start()
    paper.until(lambda report: len(report.markets) == len(before.markets))
    for _ in range(3):  # as it was remembered, and as it is after the account has been asked
        after = paper.client.report()
        assert (net(after), stops(after)) == (net(before), stops(before))
        time.sleep(1)
    assert_untouched(paper.stop())


def test_a_balance_that_was_lowered_is_no_loss(paper: World) -> None:
    """It is the account's new balance: no limit of loss is reached by it, and markets go on to enter."""
    paper.environment["KANGBOT_RISK__DRAWDOWN_PERCENT"] = "20"
    paper.start()
    paper.live()
    paper.orders(more_than=5)
    paper.environment["KANGBOT_PAPER__BALANCE"] = "10000"
    for _ in range(2):
        paper.daemon.kill()
        paper.start()
        paper.live()
        report = paper.orders(more_than=5)
        assert Decimal(5_000) < report.equity["USDT"] < Decimal(15_000)
        assert report.losses == []
    paper.stop()


def test_a_paper_journal_is_not_taken_to_an_exchange(paper: World) -> None:
    """Its positions exist nowhere else: the daemon says so, and ends with 78."""
    paper.start()
    paper.live()
    paper.stop()
    paper.environment["KANGBOT_MODE"] = "sandbox"
    with pytest.raises(DemoFailedError):
        paper.start()
    assert paper.daemon.ended == 78
    assert "begun in mode paper" in (paper.folder / "daemon.log").read_text()
