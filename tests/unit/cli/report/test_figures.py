"""The figures of a report, by their names."""

import asyncio
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kangbot.cli.report import command
from kangbot.cli.report.figures import figures as figures_of
from kangbot.cli.report.past import Accepted, Found
from kangbot.machines.performance import ClosedTrade, EquityFigures, Fall, Moved, TradeFigures
from kangbot.model.events import (
    DrawdownReset,
    EquityMarked,
    Event,
)
from kangbot.storage.migrate import upgrade_apart
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import SqliteUrl
from tests.support.found_reports import found_of
from tests.support.records import NOON_NS, records
from tests.support.twelve_days import DAY_NS, figures


def test_a_report_says_of_which_days_it_is_and_in_which_money(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ends are in it; without one, what there is on that side."""
    for start, end, said in (
        (None, None, "all time"),
        ("2026-09-22", None, "from 2026-09-22 (UTC)"),
        (None, "2026-09-24", "to 2026-09-24 (UTC)"),
        ("2026-09-22", "2026-09-24", "2026-09-22 to 2026-09-24 (UTC)"),
    ):
        assert command(config, start=start, end=end, html=None, as_json=False) == 0
        lines = [line.strip("│ \n").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
        assert ["time", said] in lines
        assert ["money", "USDT"] in lines


def test_funding_is_told_beside_the_profit(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was received less what was paid in the span; trades are without it."""
    assert figures(config, capsys)["funding"] == str(Decimal("0.5") - 11 * Decimal("0.125"))
    assert figures(config, capsys, start="2026-09-22", end="2026-09-24")["funding"] == "-0.375"
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    assert "funding            -0.88" in capsys.readouterr().out


def test_what_a_person_accepted_is_told_beside_the_deepest_drawdown(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what fell since, which is what the limit goes by; in the report's money, of its days, the newest three."""
    url = SqliteUrl(path=config.parent / "state" / "history.sqlite")
    later_ns, minute_ns = (NOON_NS // DAY_NS + 20) * DAY_NS, 60_000_000_000

    def reset(highest: int, equity: int, minute: int, *, currency: str = "USDT", dated: bool = True) -> DrawdownReset:
        return DrawdownReset(
            currency=currency,
            highest=Decimal(highest),
            equity=Decimal(equity),
            equity_ns=later_ns + (minute - 1) * minute_ns if dated else 0,
            caller="ann",
            at_ns=later_ns + minute * minute_ns,
        )

    events: list[Event] = [
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(equity), at_ns=later_ns + minute * minute_ns)
        for minute, equity in enumerate((1000, 900, 800, 790, 750, 760, 720, 740))
    ]
    events += [reset(9, 8, 6, currency="BTC"), reset(1000, 750, 5)]
    day = {"start": "2026-10-11", "end": "2026-10-11"}

    def store(journal: str, *events: Event) -> None:
        async def stored() -> None:
            history = SqliteHistory(url.path, partial(upgrade_apart, url))
            await history.store(records(events, journal=journal))
            await history.aclose()

        asyncio.run(stored())

    before = figures(config, capsys)
    assert before["accepted_drawdowns"] == []
    assert isinstance(before["equity"], dict)
    assert before["equity"]["drawdown_since_accepted"] is None
    store("another", *events)
    said = figures(config, capsys, **day)
    assert said["accepted_drawdowns"] == [
        {
            "at_ns": later_ns + 5 * minute_ns,
            "highest": "1000",
            "equity": "750",
            "drawdown": "250",
            "drawdown_percent": 25.0,
        }
    ]
    equity = said["equity"]
    assert isinstance(equity, dict)
    assert (equity["drawdown"], equity["drawdown_percent"]) == ("280", 28.0)
    assert equity["drawdown_since_accepted"] == "40"
    assert equity["drawdown_since_accepted_percent"] == pytest.approx(40 / 760 * 100)
    html = tmp_path / "report.html"
    assert command(config, **day, html=html, as_json=False) == 0
    assert "<dt>accepted</dt><dd>250.00 (25.00 %), 1,000.00 to 750.00, 2026-10-11 00:05 UTC</dd>" in html.read_text()
    assert '["2026-10-11T00:05:00+00:00", "drawdown of 25.00 % accepted"]' in html.read_text()
    assert "dotted: a drawdown was accepted)" in html.read_text()
    store("a third", *(reset(0 if minute == 7 else 770, -1, minute, dated=False) for minute in (6, 7, 8)))
    capsys.readouterr()
    assert command(config, **day, html=None, as_json=False) == 0
    lines = [line.strip("│ \n").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line[0] in ("deepest", "accepted")] == [
        ["deepest", "drawdown   280.00 (28.00 %)"],
        ["accepted", "before    1 more"],
        ["accepted", "771.00 (100.13 %), 770.00 to -1.00, 2026-10-11 00:06 UTC"],
        ["accepted", "1.00 (0.00 %), 0.00 to -1.00, 2026-10-11 00:07 UTC"],
        ["accepted", "771.00 (100.13 %), 770.00 to -1.00, 2026-10-11 00:08 UTC"],
        ["deepest", "since      0.00 (0.00 %)"],
    ]


def three_trades(**fields: Any) -> Found:
    """Return a report of three trades: won 10 and 2.5, lost 4."""
    total = TradeFigures()
    for profit in ("10", "-4", "2.5"):
        total = total.plus(
            ClosedTrade(
                market="bybit:BTC-USDT:USDT",
                strategy="ema_cross",
                net_profit=Decimal(profit),
                fees=Decimal("0.5"),
                closed_ns=NOON_NS,
            )
        )
    return found_of(total, **{"funding": Decimal("-0.128"), **fields})


def test_each_figure_is_told_by_its_own_name() -> None:
    """What was gained has a colour, what was paid none; what cannot be said yet is not said as a number."""
    equity = EquityFigures(
        first=Decimal(1000),
        last=Decimal("1008.5"),
        drawdown=Decimal(4),
        drawdown_percent=0.4,
        since=Fall(Decimal(2), 0.2),
        sharpe=1.234,
    )
    moves = (Moved(at_ns=NOON_NS, amount=Decimal(-7)), Moved(at_ns=NOON_NS, amount=None))
    told = list(figures_of(three_trades(equity=equity, moves=moves)))
    assert [(figure.name, figure.text) for figure in told] == [
        ("time", "all time"),
        ("money", "USDT"),
        ("profit after fees", "+8.50"),
        ("fees", "1.50"),
        ("funding", "-0.13"),
        ("moved in, out", "0.00, 7.00"),
        ("trades", "3, 67 % of them won"),
        ("profit factor", "3.12"),
        ("best, worst", "+10.00, -4.00"),
        ("equity", "1,000.00 to 1,008.50"),
        ("deepest drawdown", "4.00 (0.40 %)"),
        ("deepest since", "2.00 (0.20 %)"),
        ("Sharpe ratio", "1.23"),
    ]
    assert [(figure.name, figure.gain) for figure in told if figure.gain is not None] == [
        ("profit after fees", Decimal("8.5")),
        ("funding", Decimal("-0.128")),
    ]
    nothing = found_of(TradeFigures(), funding=Decimal("-0.128"), equity=msgspec.structs.replace(equity, sharpe=None))
    none = {figure.name: figure.text for figure in figures_of(nothing)}
    assert (none["trades"], none["profit factor"], none["Sharpe ratio"]) == ("0, - of them won", "-", "too few days")
    assert "moved in, out" not in none


def test_a_drawdown_that_was_accepted_is_of_the_height_it_fell_from() -> None:
    """And a report without equity has none of it."""
    fallen = Accepted(at_ns=NOON_NS, highest=Decimal(1000), equity=Decimal(750), stated_ns=NOON_NS)
    assert (fallen.amount, fallen.percent) == (Decimal(250), 25.0)
    assert "equity" not in {figure.name for figure in figures_of(three_trades())}
