"""A report as one file for a browser."""

from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.report import command, page
from kangbot.cli.report.past import Found
from kangbot.machines.performance import ClosedTrade, TradeFigures
from tests.support.found_reports import found_of


def test_the_page_needs_nothing_else(config: Path, tmp_path: Path) -> None:
    """Plots and table in one file, without an address of another."""
    target = tmp_path / "report.html"
    assert command(config, start=None, end=None, html=target, as_json=False) == 0
    text = target.read_text()
    assert 'id="equity"' in text
    for name, figure in (("time", "all time"), ("money", "USDT"), ("profit factor", "2.57"), ("funding", "-0.88")):
        assert f"<dt>{name}</dt><dd>{figure}</dd>" in text
    assert "+44.00" in text
    assert "<script src" not in text
    assert command(config, start=None, end=None, html=tmp_path / "no" / "folder.html", as_json=False) == 1


def trades_of(*trades: ClosedTrade) -> Found:
    """Return what is found where these are the trades."""
    total, by_market = TradeFigures(), dict[tuple[str, str], TradeFigures]()
    for trade in trades:
        total = total.plus(trade)
        by_market[trade.market, trade.strategy] = TradeFigures().plus(trade)
    return found_of(total, by_market=by_market, profits=[(trade.closed_ns, trade.net_profit) for trade in trades])


def trade(profit: str, *, strategy: str = "ema_cross") -> ClosedTrade:
    """Return a trade that came to this."""
    at_ns = 1_790_000_000_000_000_000
    return ClosedTrade(
        market="bybit:BTC-USDT:USDT",
        strategy=strategy,
        net_profit=Decimal(profit),
        fees=Decimal("0.5"),
        closed_ns=at_ns,
    )


def test_without_the_package_of_the_charts_there_are_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no plot that would stay empty."""
    monkeypatch.setattr(page, "charts_library", lambda: None)
    text = page.render(trades_of(trade("7.25")))
    assert "<script" not in text
    assert 'class="plot"' not in text
    assert "<dt>profit after fees</dt><dd>+7.25</dd>" in text


def test_a_gain_and_a_loss_are_told_apart_and_a_name_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy's name is its writer's: none of it is taken for the page's own."""
    monkeypatch.setattr(page, "charts_library", lambda: None)
    text = page.render(trades_of(trade("7.25"), trade("-1", strategy="<b>"), trade("0", strategy="none")))
    assert '<td class="up">+7.25</td>' in text
    assert '<td class="down">-1.00</td>' in text
    assert '<td class="">+0.00</td>' in text
    assert "<td>&lt;b&gt;</td>" in text


def test_times_are_of_utc_whatever_the_browser_has() -> None:
    """The library shows them as they are written."""
    text = page.render(trades_of(trade("7.25")))
    assert (
        '["profit", ["2026-09-21T14:13:20+00:00"], [7.25], "Profit after fees, summed (times are UTC)", "hv", []]'
        in text
    )
