"""The board: a head that tells how the daemon is, then the markets, those in trouble first."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from rich.console import ConsoleDimensions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kangbot.cli.ages import lasted
from kangbot.cli.paint import STATES, signed
from kangbot.cli.status import quarantined, slow
from kangbot.health.checks import Health, in_short
from kangbot.health.report import MarketReport, Report
from kangbot.machines.verdict import Status
from kangbot.model.ids import MarketId, on_a_board
from kangbot.model.printable import printable

_COLOURS = {Status.HEALTHY: "bold green", Status.WARNING: "bold yellow", Status.CRITICAL: "bold red"}
_TROUBLES = 4  # lines of the head, at most, about what is not well
_WIDE = 110  # columns, from which there is room for a reason
_STALE_S = 15.0
_Justify = Literal["left", "right"]
_COLUMNS: tuple[tuple[str, _Justify], ...] = (
    ("market", "left"),
    ("state", "left"),
    ("price", "right"),
    ("position", "right"),
    ("open", "right"),
    ("stop", "right"),
    ("age", "right"),
    ("brk", "left"),
    ("err", "right"),
)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at one moment; `--json` prints it."""

    health: Health
    report: Report


class Board:
    """Remembers how far it was turned, and since when nobody answers. `whole` shows every market, for a file."""

    def __init__(self, *, whole: bool = False) -> None:
        self._whole = whole
        self._first = 0  # market that is shown
        self._shown = 1  # so many were, the last time
        self._silent = ""

    def turned(self, key: str) -> None:
        """Turn to other markets: "up", "down", "page up" or "page down"."""
        step = 1 if key in {"up", "down"} else self._shown
        self._first = max(0, self._first + (step if key.endswith("down") else -step))

    def silent(self, why: str, now_ns: int) -> None:
        """Say from now on that what is shown is old."""
        at = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("%H:%M:%S")
        self._silent = self._silent or f"NO ANSWER SINCE {at} UTC, what stands below is older: {why}"

    def answered(self) -> None:
        """Say that no more."""
        self._silent = ""

    def render(self, seen: Seen, size: ConsoleDimensions) -> RenderableType:
        """Return the screen, as high and as wide as the terminal at most."""
        head = [line for line in _head(seen) + _troubles(seen) if line]
        if self._silent:
            head.insert(0, Text(self._silent, style="bold white on red"))
        for line in head:
            line.no_wrap, line.overflow = True, "ellipsis"
        rows = _ordered(seen.report)
        room = len(rows) if self._whole else max(1, size.height - len(head) - 3)  # a rule, the names, the foot
        self._shown = room
        self._first = max(0, min(self._first, len(rows) - room))
        shown = rows[self._first : self._first + room]
        table = _table(seen.report, shown, wide=size.width >= _WIDE)
        return Group(*head, Text(), table, *([] if self._whole else [self._foot(len(shown), len(rows))]))

    def _foot(self, shown: int, total: int) -> Text:
        which = "all markets" if shown == total else f"markets {self._first + 1} to {self._first + shown} of {total}"
        turn = "" if shown == total else "   ↑ ↓ turns"
        return Text(f"{which}{turn}   q ends", style="dim", no_wrap=True)


def _head(seen: Seen) -> list[Text]:
    report, health = seen.report, seen.health
    memory = report.memory
    limit = "" if memory is None else f" of {memory.limit_mb:,.0f}"
    lag = report.loop_lag_recent_ms.get("p99")
    equity = ", ".join(f"{value:,.2f} {currency}" for currency, value in report.equity.items())
    return [
        Text.assemble(
            (f"kangbot {report.version}", "bold"),
            f"  {report.mode}  up {lasted(report.at_ns - report.started_ns)}  ",
            (f"{health.status.value}, score {health.score}", _COLOURS[health.status]),
            f"  {report.live}/{report.total} live",
        ),
        Text.assemble(
            f"equity {equity or '-'}  {report.rss_mb:.0f}{limit} MB  lag {'-' if lag is None else f'{lag:.1f}'} ms  ",
            f"{report.core_percent:.1f} % cpu  {report.orders.sent:,} orders",
        ),
    ]


def _troubles(seen: Seen) -> list[Text]:
    """Return what is not well, the worst first: what the daemon says of itself, then its checks."""
    report = seen.report
    lines = [
        Text(printable(text), style="bold red")
        for text in (
            report.killed and f"THE KILL SWITCH IS SET: {report.killed}",
            report.waiting and f"WAITING FOR THE VENUE: {report.waiting}",
            not report.waiting and report.banned and f"NOTHING IS SENT: {report.banned}",
            report.config.problem and f"the configuration's file is wrong: {report.config.problem.splitlines()[0]}",
        )
        if text
    ]
    told = {name for name, said in (("kill_switch", report.killed), ("venue", report.waiting or report.banned)) if said}
    bad = [check for check in seen.health.checks if check.status is not Status.HEALTHY and check.name not in told]
    bad.sort(key=lambda check: check.status is not Status.CRITICAL)
    lines += [Text(printable(in_short(check)), style=_COLOURS[check.status]) for check in bad]
    more = len(lines) - _TROUBLES
    if more > 0:
        lines = [*lines[: _TROUBLES - 1], Text(f"and {more + 1} more: kangbot health", style="dim")]
    return lines


def _ordered(report: Report) -> list[MarketReport]:
    """Return the markets in the order of the configuration, but what needs a look, then what is held, before it."""
    open_lanes, errors = _open_lanes(report), _errors(report)

    def rank(market: MarketReport) -> int:
        troubled = market.unprotected or market.state == "failed" or market.market in open_lanes
        return 0 if troubled else 1 if market.market in errors else 2 if market.net else 3

    return sorted(report.markets, key=rank)


def _open_lanes(report: Report) -> dict[MarketId, str]:
    """Return the first letters of the lanes whose breaker is not closed, by market."""
    lanes: dict[MarketId, str] = {}
    for one in report.breakers:
        if one.state != "closed":
            lanes[one.market] = lanes.get(one.market, "") + one.lane[:2]
    return lanes


def _errors(report: Report) -> Counter[MarketId]:
    counted: Counter[MarketId] = Counter()
    for error in report.errors:
        if error.market is not None and error.recent:
            counted[error.market] += error.recent
    return counted


def _table(report: Report, markets: list[MarketReport], *, wide: bool) -> Table:
    gap = 2 if wide else 1
    table = Table(box=None, pad_edge=False, expand=wide, header_style="bold dim", padding=(0, gap, 0, 0))
    for name, justify in _COLUMNS:
        table.add_column(name, justify=justify, no_wrap=True, min_width=len(name))
    if wide:
        table.add_column("why", no_wrap=True, ratio=1)
    lanes, errors = _open_lanes(report), _errors(report)
    for market in markets:
        row = _row(market, lanes.get(market.market, ""), errors[market.market])
        table.add_row(*row, *([Text(printable(_why(market)), style="dim")] if wide else []))
    return table


def _row(market: MarketReport, lanes: str, errors: int) -> tuple[RenderableType, ...]:
    flat, age_s = not market.net, market.feed_age_s
    stop = Text("NONE", style="bold red") if market.unprotected else Text(_digits(market.stop))
    return (
        Text(on_a_board(market.symbol), style="bold"),
        Text(market.state, style=STATES.get(market.state, "")),
        _digits(market.price),
        Text("") if flat else signed(market.net, _digits(market.net, "+")),
        Text("") if flat else signed(market.unrealised, f"{market.unrealised:+.2f}"),
        stop,
        Text("-") if age_s is None else Text(f"{age_s:.0f}s", style="" if age_s < _STALE_S else "bold yellow"),
        Text(lanes, style="bold red"),
        Text(f"{errors}" if errors else "", style="yellow"),
    )


def _why(market: MarketReport) -> str:
    if market.unprotected:
        return f"NO STOP: {market.unprotected}"
    if market.quarantine:
        return quarantined(market)
    said = market.stale or market.blocked or (market.signal if market.state == "live" else "") or market.reason
    return slow(market) + said


def _digits(value: Decimal | None, sign: str = "") -> str:
    return "" if value is None else f"{value.normalize():{sign}f}"
