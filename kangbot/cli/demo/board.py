"""What the demo shows: a board of all markets, redrawn twice a second, and the summary at the end."""

from collections import deque
from decimal import Decimal
from typing import Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kangbot.cli.paint import STATES, signed
from kangbot.health.report import MarketReport, Report
from kangbot.model.ids import on_a_board

_SPARKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 16
_NAME = "kangbot demo"
_FRAME = 6  # columns of the frame beside its title


class Board:
    """Keeps a short memory of prices for the sparklines; everything else comes with each report."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._prices: dict[str, deque[Decimal]] = {}

    def render(
        self, report: Report | None, note: str, elapsed_s: float, seconds: float | None, *, columns: int
    ) -> RenderableType:
        """Return the screen, for a terminal of so many columns. The address is whole in each: its end is a token."""
        title = f"{_NAME} · {self._address}"
        apart = len(title) + _FRAME > columns
        if apart:
            title = _NAME
        clock = f"{elapsed_s:4.0f} s" + (f" of {seconds:.0f}" if seconds is not None else "   Ctrl-C ends it")
        if report is None:
            return Panel(Text(note or "starting …"), title=title, subtitle=clock)
        table = Table(box=None, pad_edge=False, expand=True, header_style="bold dim")
        shown: tuple[tuple[str, JustifyMethod], ...] = (
            ("market", "left"),
            ("state", "left"),
            ("price", "right"),
            ("", "left"),
            ("position", "right"),
            ("open", "right"),
            ("stop", "right"),
            ("profit", "right"),
            ("orders", "right"),
            ("last signal", "left"),
        )
        for name, justify in shown:
            # What may give way to the figures in a narrow terminal; its cells are cut, and never wrapped.
            gives_way = name in ("", "last signal")
            head = Text(name, no_wrap=True, overflow="ellipsis")
            table.add_column(head, justify=justify, no_wrap=not gives_way, ratio=1 if name == "last signal" else None)
        for market in report.markets:
            table.add_row(*self._row(market))
        return Panel(
            Group(
                *([Text(self._address, overflow="fold")] if apart else []),
                self._head(report),
                Text(),
                table,
                Text(),
                Text(note, style="yellow"),
            ),
            title=title,
            subtitle=clock,
            padding=(0, 1),
        )

    def _head(self, report: Report) -> Text:
        decision, order = report.frame_to_decision_ms, report.frame_to_order_ms
        return Text.assemble(
            (f"{report.live}/{report.total} live", "bold green" if report.live == report.total else "bold yellow"),
            f"   {report.frames:,} frames   {report.bars:,} bars   {report.decisions:,} decisions   ",
            (f"{report.orders.sent:,} orders", "bold"),
            f" ({report.orders.filled:,} filled)   frame→decision {_ms(decision)}   frame→order {_ms(order)}\n",
            f"{report.rss_mb:.0f} MB   {report.core_percent:.1f} % of a core   {report.loop}   ",
            f"journal {report.journal_sequence:,}   {report.history} {report.history_backlog:,} behind   ",
            f"equity {', '.join(f'{v:,.2f}' for v in report.equity.values()) or '-'}   ",
            f"reconnects {report.reconnects}",
            (f"\nkill switch: {report.killed}" if report.killed else "", "bold red"),
        )

    def _row(self, market: MarketReport) -> tuple[RenderableType, ...]:
        style = STATES.get(market.state, "")
        flat = not market.net
        return (
            Text(on_a_board(market.symbol), style="bold"),
            Text(market.state, style=style),
            "-" if market.price is None else f"{market.price.normalize():f}",
            self._spark(market),
            "" if flat else signed(market.net, f"{market.net.normalize():+f}"),
            "" if flat else signed(market.unrealised, f"{market.unrealised:+.2f}"),
            "" if market.stop is None else f"{market.stop.normalize():f}",
            signed(market.profit, f"{market.profit:+.2f}"),
            str(market.orders.sent or ""),
            Text(
                f"{market.timeframe} {market.blocked or market.signal or market.reason}",
                style="dim",
                no_wrap=True,
                overflow="ellipsis",
            ),
        )

    def _spark(self, market: MarketReport) -> Text:
        if market.price is None:
            return Text(" " * _SPARK_WIDTH, no_wrap=True, overflow="crop")
        prices = self._prices.setdefault(market.market, deque(maxlen=_SPARK_WIDTH))
        prices.append(market.price)
        low, high = min(prices), max(prices)
        if low == high:
            return Text(_SPARKS[0] * len(prices), style="dim", no_wrap=True, overflow="crop")
        steps = len(_SPARKS) - 1
        return Text(
            "".join(_SPARKS[int((price - low) / (high - low) * steps)] for price in prices),
            style="green" if prices[-1] >= prices[0] else "red",
            no_wrap=True,
            overflow="crop",
        )


def _ms(quantiles: dict[str, float | None]) -> str:
    p50, p99 = quantiles.get("p50"), quantiles.get("p99")
    return "-" if p50 is None or p99 is None else f"{p50:.2f}/{p99:.2f} ms"


def summary(result: dict[str, Any]) -> RenderableType:
    """Return the summary of a demo for a person; `result` is what `--json` prints."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    orders, markets, latency = result["orders"], result["markets"], result["latency_ms"]
    whose = ", the last run's" if result["runs"] > 1 else ""  # behind the figure: a long name would break other lines
    absent = orders["not_accepted"]
    yes, no = "[bold green]yes[/]", "[bold red]NO[/]"
    for name, value in (
        ("markets live", f"{markets['live']}/{markets['total']}"),
        ("frames, bars, decisions", f"{result['frames']:,}, {result['bars']:,}, {result['decisions']:,}"),
        (
            "orders",
            (
                f"{orders['sent']} sent, {orders['filled']} filled, {orders['rejected']} rejected, "
                f"{orders['unknown']} unknown"
            ),
        ),
        *((("never arrived", str(absent)),) if absent else ()),
        ("the exchange counts", f"{orders['at_venue']} orders, {orders['duplicated']} doubled"),
        ("orders agree", yes if result["orders_agree"] else no),
        ("positions agree", yes if result["positions_agree"] else no),
        ("reconnects", str(result["reconnects"])),
        ("frame to decision, p50/p99", _ms(latency["frame_to_decision"]) + whose),
        ("frame to order on the wire", _ms(latency["frame_to_order"]) + whose),
        ("peak memory", f"{result['rss_mb']['peak']:.0f} MB"),
        ("processor", f"{result['cpu_percent']:.1f} % of a core, {result['loop']}"),
    ):
        table.add_row(name, value)
    return Panel(table, title="summary", expand=False, padding=(0, 1))
