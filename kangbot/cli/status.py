"""`kangbot status`: what the running daemon does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kangbot.cli.ages import lasted
from kangbot.cli.online import online
from kangbot.control.client import ControlClient
from kangbot.health.report import MarketReport, Report
from kangbot.machines.killswitch import named
from kangbot.machines.margin import CROSS
from kangbot.model.printable import printable

_COLUMNS = {"market": "<", "state": "<", "price": ">", "position": ">", "open": ">", "profit": ">", "orders": ">"}

_FAR_MS = 1000.0  # between our clock and the venue's
_LOCAL = "NOTHING ENTERS: most markets fail together, or nothing finds a way out: see this machine's network"


def status(config: Path, *, socket: Path | None, as_json: bool) -> int:
    """Print the daemon's report and return the exit code."""
    return online(config, socket, ControlClient.report, _shown, as_json=as_json)


def _shown(report: Report) -> str:
    return "\n".join([_head(report), *_table(report.markets)])


def _table(markets: Sequence[MarketReport]) -> list[str]:
    """Return the markets, a line each, under their columns: a long name or number moves those of every line.

    None is wider than it needs, so that in a terminal of 80 columns only the reasons are broken.
    """
    rows = [tuple(_COLUMNS), *map(_cells, markets)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    set_as = [f"{side}{width}" for side, width in zip(_COLUMNS.values(), widths, strict=True)]
    ends = ["why", *(printable(_why(market)) for market in markets)]
    return [
        f"{' '.join(f'{cell:{how}}' for cell, how in zip(cells, set_as, strict=True))}  {end}".rstrip()
        for cells, end in zip(rows, ends, strict=True)
    ]


def _head(report: Report) -> str:
    up = lasted(report.at_ns - report.started_ns)
    orders = report.orders
    did = f"{orders.sent} orders sent, {orders.filled} filled, {orders.rejected} rejected, {orders.unknown} unknown"
    costs = f"{report.rss_mb:.0f} MB, {report.core_percent:.1f} % of a core, {report.reconnects} reconnects"
    lines = (
        f"kangbot {report.version}, mode {report.mode}, pid {report.pid}, up {up}",
        f"{report.live}/{report.total} markets live, {did}",
        f"{costs}, history {report.history} {_backlog(report)}",
        *(f"WAITING FOR THE VENUE, before which no market begins: {report.waiting}",) * bool(report.waiting),
        *(f"NOTHING IS SENT, not even exits; stops rest at the venue: {report.banned}",) * _is_banned(report),
        *(_LOCAL,) * bool(report.local_fault_ns),
        *(f"DOWN, dialled again and again: {one.name}: {one.down}" for one in report.streams if one.down),
        *(_killed(report),) * bool(report.killed),
        *(f"NOTHING ENTERS: the journal {report.journal_hindered}",) * bool(report.journal_hindered),
        *(f"NOTHING ENTERS: {why}" for why in report.losses),
        *(f"margin is {report.margin}, for the whole account",) * (report.margin not in {"", CROSS}),
        *_clock(report),
        *(f"LEFT BEHIND: {market}: {what}" for market, what in report.left_behind.items()),
        *(f"NOT TRADED, the venue does not list it: {symbol}" for symbol in report.config.unlisted),
        *(f"the configuration's file is not taken: {why}" for why in report.config.problem.splitlines()),
        *(f"the configuration's file waits for a restart: {what}" for what in report.config.restart),
        "",
    )
    return "\n".join(lines)


def _is_banned(report: Report) -> bool:
    """Whether a ban is to be told of: one that keeps markets from beginning is told with that."""
    return bool(report.banned) and not report.waiting


def _clock(report: Report) -> list[str]:
    """Return that our clock is wrong, where it is: no figure shows it, and every time that is shown is off by it."""
    offset_ms = report.clock.get("offset") or 0.0
    if abs(offset_ms) < _FAR_MS:
        return []
    side = "BEHIND" if offset_ms > 0 else "AHEAD OF"
    wrong = "times, and where a day begins, are wrong by that; orders are not"
    remedy = "Set this machine's clock, then restart the daemon"
    return [f"OUR CLOCK IS {abs(offset_ms) / 1000:.1f} s {side} THE VENUE'S: {wrong}. {remedy}"]


def _killed(report: Report) -> str:
    closing = ", positions are being closed" if report.flatten else ""
    said = f"THE KILL SWITCH IS SET, no entries{closing}: {report.killed}"
    if report.markets or not report.unflattened:  # a market's line has its position
        return said
    return f"{said}\nNOT CLOSED YET, the venue has not answered: {named(report.unflattened)}"


def _backlog(report: Report) -> str:
    if report.history_away:
        return f"away ({report.history_away}), {report.history_backlog} events wait"
    return f"{report.history_backlog} events behind"


def _cells(market: MarketReport) -> tuple[str, ...]:
    return (
        market.symbol,
        market.state,
        "" if market.price is None else f"{market.price:f}",
        f"{market.net:f}",
        f"{market.unrealised:.2f}",
        f"{market.profit:.2f}",
        str(market.orders.sent),
    )


def slow(market: MarketReport) -> str:
    """Return that its strategy is asked aside while it decides, with its longest call, before what else is said."""
    decides = market.state in ("live", "paused")
    return f"slow strategy, {market.longest_call_ms:.0f} ms: " if market.aside and decides else ""


def quarantined(market: MarketReport) -> str:
    """Return that a person must look at the market, with what lets it go on."""
    return f"QUARANTINED until kangbot release {market.symbol}: {market.quarantine}"


def _why(market: MarketReport) -> str:
    if market.unprotected:
        return f"NO STOP: {market.unprotected}"
    if market.quarantine:
        return quarantined(market)
    if market.paused:
        until = datetime.fromtimestamp(market.paused_until_ns / 1e9, UTC)
        return f"NO ENTRIES until {until:%H:%M:%S} UTC, or kangbot resume {market.symbol}: {market.paused}"
    said = market.stale or market.blocked or market.signal if market.state == "live" else ""
    return slow(market) + (said or market.reason)
