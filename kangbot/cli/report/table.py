"""A report for a terminal, and for a script."""

import json
from decimal import Decimal

from rich.console import Console
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kangbot.cli.report.figures import figures, percent
from kangbot.cli.report.past import Accepted, Found
from kangbot.machines.performance import EquityFigures, TradeFigures
from kangbot.model.money import ZERO

_WIDEST = 1_000  # columns; more than any table of ours takes


def show(found: Found) -> None:
    """Print it."""
    if not (found.total.trades or found.marks or found.funding or found.moves):
        Console().print("Nothing was traded in that time.")
        return
    console, table = Console(), _markets(found)
    console.print(Panel(_summary(found), title="report", expand=False))
    if _width(console, table) <= console.width:
        console.print(table)
    else:
        _print_in_pairs(console, found)


def _width(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum


def _print_in_pairs(console: Console, found: Found) -> None:
    """Print each market's names in a line of their own, above its figures: a narrow terminal would break them."""
    figures = _markets(found, named=False)
    wide = Console(width=max(console.width, _width(console, figures)))  # it wraps what is still too long, and cuts none
    with wide.capture() as printed:
        wide.print(figures)
    head, *rows = printed.get().splitlines()
    lines = [head]
    for names, row in zip(found.by_market, rows, strict=True):
        lines += [f" {', '.join(names)}", row]
    console.file.write("\n".join([*lines, ""]))


def as_json(found: Found) -> str:
    """Return it as one JSON object; amounts are exact text."""
    return json.dumps(
        {
            "currency": found.currency,
            "total": _plain(found.total),
            "funding": f"{found.funding:f}",
            "other_fees": {currency: f"{paid:f}" for currency, paid in found.other_fees.items()},
            "moved_in": f"{found.moved_in:f}",
            "moved_out": f"{found.moved_out:f}",
            "equity": _plain_equity(found.equity),
            "accepted_drawdowns": [_plain_accepted(each) for each in found.accepted],
            "markets": [
                {"market": market, "strategy": strategy, **_plain(figures)}
                for (market, strategy), figures in found.by_market.items()
            ],
        },
        indent=2,
    )


def _summary(found: Found) -> Table:
    grid = Table.grid(padding=(0, 2))
    for figure in figures(found):
        grid.add_row(figure.name, Text(figure.text, style=_style(figure.gain or ZERO)))
    return grid


def _markets(found: Found, *, named: bool = True) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for name in ("market", "strategy") if named else ():
        table.add_column(name, no_wrap=True)
    for name in ("trades", "won", "profit", "fees", "best", "worst"):
        table.add_column(name, justify="right", no_wrap=True)
    for names, row in found.by_market.items():
        table.add_row(
            *(names if named else ()),
            f"{row.trades:,}",
            percent(row.win_rate),
            _money(row.net_profit),
            f"{row.fees:,.2f}",
            f"{row.best:+,.2f}",
            f"{row.worst:+,.2f}",
        )
    return table


def _money(value: Decimal) -> Text:
    return Text(f"{value:+,.2f}", style=_style(value))


def _style(value: Decimal) -> str:
    return "green" if value > 0 else "red" if value < 0 else ""


def _plain(figures: TradeFigures) -> dict[str, object]:
    return {
        "trades": figures.trades,
        "wins": figures.wins,
        "win_rate": figures.win_rate,
        "net_profit": f"{figures.net_profit:f}",
        "fees": f"{figures.fees:f}",
        "best": f"{figures.best:f}",
        "worst": f"{figures.worst:f}",
        "profit_factor": figures.profit_factor,
    }


def _plain_equity(equity: EquityFigures | None) -> dict[str, object] | None:
    if equity is None:
        return None
    return {
        "first": f"{equity.first:f}",
        "last": f"{equity.last:f}",
        "drawdown": f"{equity.drawdown:f}",
        "drawdown_percent": equity.drawdown_percent,
        "drawdown_since_accepted": None if equity.since is None else f"{equity.since.amount:f}",
        "drawdown_since_accepted_percent": None if equity.since is None else equity.since.percent,
        "sharpe": equity.sharpe,
    }


def _plain_accepted(each: Accepted) -> dict[str, object]:
    return {
        "at_ns": each.at_ns,
        "highest": f"{each.highest:f}",
        "equity": f"{each.equity:f}",
        "drawdown": f"{each.amount:f}",
        "drawdown_percent": each.percent,
    }
