"""A report as one HTML file that needs nothing else: plots of equity and profit, and the table below them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

from kangbot.cli.report.figures import figures, percent
from kangbot.cli.report.past import Found
from kangbot.control.dashboard.charts import charts_library

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; color: #172033; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid #dfe3ea; text-align: right; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
.plot { height: 320px; } .up { color: #0f7b45; } .down { color: #c01f2e; }
dl { display: flex; flex-wrap: wrap; gap: 1.5rem; }
dt { color: #596579; font-size: 13px; } dt::first-letter { text-transform: uppercase; }
dd { margin: 0; font-size: 20px; font-weight: 600; }
@media (prefers-color-scheme: dark) { body { background: #0e131b; color: #e6ebf3; } th, td { border-color: #273142; } }
"""
_PLOT = """
for (const [id, x, y, title, shape, moves] of DATA) Plotly.newPlot(id,
  [{ x, y, type: "scatter", mode: "lines", line: { width: 2, shape } },
   { x: moves.map(([at]) => at), y: moves.map(() => Math.max(...y)), text: moves.map(([, text]) => text),
     type: "scatter", mode: "markers", marker: { size: 9, color: "#7d8899" },
     hovertemplate: "%{text}<br>%{x}<extra></extra>" }],
  { title: { text: title }, margin: { l: 60, r: 20, t: 40, b: 40 }, paper_bgcolor: "transparent",
    plot_bgcolor: "transparent", font: { color: "#7d8899" },
    xaxis: { gridcolor: "#8884" }, yaxis: { gridcolor: "#8884" },
    showlegend: false, shapes: moves.map(([at]) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1,
      line: { color: "#7d8899", width: 1, dash: "dot" } })) },
  { displayModeBar: false, responsive: true });
"""


def render(found: Found) -> str:
    """Return the whole file; without the package of the charts it has figures and no plots."""
    library = charts_library()
    words = "".join(
        f"<div><dt>{escape(figure.name)}</dt><dd>{escape(figure.text)}</dd></div>" for figure in figures(found)
    )
    plots = "" if library is None else _plots(found, library.read_text(encoding="utf-8"))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>kangbot report</title><style>{_STYLE}</style><h1>What trading came to</h1><dl>{words}</dl>"
        f"{plots}{_table(found)}</html>"
    )


def _plots(found: Found, library: str) -> str:
    equity = [(mark.at_ns, mark.equity) for mark in found.marks]
    marks = sorted(
        [(move.at_ns, _words(move.amount)) for move in found.moves]
        + [(each.at_ns, f"drawdown of {each.percent:.2f} % accepted") for each in found.accepted]
    )
    causes = ["money was moved"] * bool(found.moves) + ["a drawdown was accepted"] * bool(found.accepted)
    dotted = f"; dotted: {', or '.join(causes)}" if causes else ""
    data = [
        _line("equity", equity, f"Equity (times are UTC{dotted})", "linear", marks),
        _line("profit", found.profits, "Profit after fees, summed (times are UTC)", "hv"),  # as it was until the next
    ]
    script = f"const DATA = {json.dumps(data)};{_PLOT}"
    places = '<div id="equity" class="plot"></div><div id="profit" class="plot"></div>'
    return f"{places}<script>{library}</script><script>{script}</script>"


def _line(
    name: str, points: Sequence[tuple[int, Decimal]], title: str, shape: str, marks: Sequence[tuple[int, str]] = ()
) -> list[object]:
    """Return what draws a line over time, with `marks` that say what people did.

    The library shows times as they are written, so they are of UTC.
    """
    times, amounts = [_iso(at_ns) for at_ns, _ in points], [float(amount) for _, amount in points]
    return [name, times, amounts, title, shape, [[_iso(at_ns), text] for at_ns, text in marks]]


def _words(amount: Decimal | None) -> str:
    if amount is None:
        return "another balance"
    return f"{amount:,.2f} moved in" if amount > 0 else f"{-amount:,.2f} moved out"


def _table(found: Found) -> str:
    head = "".join(
        f"<th>{name}</th>" for name in ("Market", "Strategy", "Trades", "Won", "Profit", "Fees", "Best", "Worst")
    )
    rows = "".join(
        f"<tr><td>{escape(market)}</td><td>{escape(strategy)}</td><td>{row.trades}</td>"
        f"<td>{percent(row.win_rate)}</td>{_cell(row.net_profit)}<td>{row.fees:,.2f}</td>"
        f"{_cell(row.best)}{_cell(row.worst)}</tr>"
        for (market, strategy), row in found.by_market.items()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: Decimal) -> str:
    kind = "up" if value > 0 else "down" if value < 0 else ""
    return f'<td class="{kind}">{value:+,.2f}</td>'


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1_000_000_000, UTC).isoformat()
