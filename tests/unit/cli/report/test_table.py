"""A report in a terminal of any width, and for a script."""

from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.report import command
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
