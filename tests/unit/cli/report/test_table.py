"""A report in a terminal of any width, and for a script."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from kangbot.cli.report import command
from kangbot.cli.report.past import Found
from kangbot.cli.report.table import _markets, _style, as_json, show
from kangbot.machines.performance import ClosedTrade, EquityFigures, Marked, Moved, TradeFigures
from tests.support.found_reports import found_of
from tests.support.twelve_days import figures


def test_profit_is_after_fees_and_exact(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eight wins of nine, four losses of seven."""
    said = figures(config, capsys)
    total = said["total"]
    assert isinstance(total, dict)
    assert (total["trades"], total["wins"], Decimal(total["net_profit"])) == (12, 8, Decimal(8 * 9 - 4 * 7))
    equity = said["equity"]
    assert isinstance(equity, dict)
    assert equity["sharpe"] is not None
    assert said["currency"] == "USDT"


def test_no_figure_is_cut_in_a_narrow_terminal(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a name broken: it stands in a line of its own above its figures, where both do not fit."""
    for columns in (60, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert command(config, start=None, end=None, html=None, as_json=False) == 0
        said = capsys.readouterr().out
        assert "…" not in said
        (row,) = (line for line in said.splitlines() if "bybit:BTC-USDT:USDT" in line)
        assert "ema_cross" in row
        assert ("+44.00" in row) == (columns == 120)


def test_the_table_names_market_and_strategy(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And an empty span says so."""
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    out = capsys.readouterr().out
    assert "+44.00" in out
    assert "ema_cross" in out
    assert command(config, start="2020-01-01", end="2020-01-02", html=None, as_json=False) == 0
    assert "Nothing was traded" in capsys.readouterr().out


def test_a_telephones_terminal_gets_every_figure(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A telephone's has 40 columns: its lines are wrapped there, and nothing is left out here."""
    monkeypatch.setenv("COLUMNS", "40")
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    said = capsys.readouterr().out
    assert "…" not in said
    row = next(line for line in said.splitlines() if "12.00" in line and "%" in line)
    assert row.split()[-2:] == ["+9.00", "-7.00"]


def test_a_script_gets_each_figure_whole_under_its_own_name() -> None:
    """As text to the last digit where it is money, and no figure where there is none."""
    total = TradeFigures()
    for profit in ("10.123456789", "-4"):
        trade = ClosedTrade(
            market="bybit:BTC-USDT:USDT",
            strategy="ema_cross",
            net_profit=Decimal(profit),
            fees=Decimal("0.25"),
            closed_ns=1,
        )
        total = total.plus(trade)
    equity = EquityFigures(
        first=Decimal(1), last=Decimal(2), drawdown=Decimal(3), drawdown_percent=4.0, since=None, sharpe=1.5
    )
    found = msgspec.structs.replace(report_of(total), equity=equity, funding=Decimal("-0.00000012"))
    said = json.loads(as_json(found))
    sums = {
        "trades": 2,
        "wins": 1,
        "win_rate": 0.5,
        "net_profit": "6.123456789",
        "fees": "0.50",
        "best": "10.123456789",
        "worst": "-4",
        "profit_factor": 10.123456789 / 4,
    }
    assert said["total"] == sums
    assert said["markets"] == [{"market": "bybit:BTC-USDT:USDT", "strategy": "ema_cross", **sums}]
    assert said["funding"] == "-0.00000012"
    assert said["equity"] == {
        "first": "1",
        "last": "2",
        "drawdown": "3",
        "drawdown_percent": 4.0,
        "drawdown_since_accepted": None,
        "drawdown_since_accepted_percent": None,
        "sharpe": 1.5,
    }
    assert json.loads(as_json(msgspec.structs.replace(found, equity=None)))["equity"] is None


def test_funding_or_a_transfer_alone_is_no_empty_report(capsys: pytest.CaptureFixture[str]) -> None:
    """What was booked without a trade is told; gains and losses have their colours."""
    nothing = msgspec.structs.replace(report_of(TradeFigures()), by_market={})
    for found, empty in (
        (nothing, True),
        (msgspec.structs.replace(nothing, funding=Decimal(-1)), False),
        (msgspec.structs.replace(nothing, moves=(Moved(at_ns=1, amount=Decimal(5)),)), False),
        (msgspec.structs.replace(nothing, marks=(Marked(at_ns=1, equity=Decimal(5)),)), False),
    ):
        show(found)
        assert ("Nothing was traded" in capsys.readouterr().out) is empty
    assert [_style(Decimal(amount)) for amount in (1, -1, 0)] == ["green", "red", ""]


def test_each_column_of_the_table_has_its_own_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the names above them; what was paid has no sign."""
    total = TradeFigures(trades=3, wins=2, won=Decimal("12.5"), lost=Decimal(4), fees=Decimal("1.5"))
    total = msgspec.structs.replace(total, best=Decimal(10), worst=Decimal(-4))
    Console(width=200).print(_markets(report_of(total)))
    names, row = (line.split() for line in capsys.readouterr().out.splitlines())
    told = dict(zip(names, [*row[:3], " ".join(row[3:5]), *row[5:]], strict=True))
    assert told == {
        "market": "bybit:BTC-USDT:USDT",
        "strategy": "ema_cross",
        "trades": "3",
        "won": "67 %",
        "profit": "+8.50",
        "fees": "1.50",
        "best": "+10.00",
        "worst": "-4.00",
    }


def report_of(total: TradeFigures) -> Found:
    """Return a report of one market's trades and nothing else."""
    return found_of(total, by_market={("bybit:BTC-USDT:USDT", "ema_cross"): total})
