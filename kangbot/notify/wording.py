"""What a person is told of an event: None where nobody needs to be told."""

from collections.abc import Sequence
from datetime import UTC, datetime

from kangbot.health.report import Report
from kangbot.machines.notices import Message, Notice
from kangbot.model.events import (
    BreakerChanged,
    BreakerState,
    DrawdownReset,
    Event,
    KillSwitchReleased,
    KillSwitchSet,
    Noted,
    RequestsPaused,
    RunState,
    RunStateChanged,
    Severity,
)
from kangbot.model.loudness import LONG_PAUSE_NS, severity_of
from kangbot.model.money import ZERO
from kangbot.runtime.world import SECOND_NS

SIGNS = {Severity.INFO: "i", Severity.WARNING: "!", Severity.ERROR: "!!", Severity.CRITICAL: "!!!"}
ENDS = {
    "account.read": ("account.unread",),
    "coins.back": ("coins.missing",),
    "account.reconciled": ("account.unreconciled", "account.fell"),
    "config.settled": ("config.invalid",),
    "error.over": ("error.alert",),
    "entries.resumed": ("entries.paused",),
    "feed.topic_up": (
        "feed.denied",
        "feed.gap",
        "feed.moved",
        "feed.mute",
        "feed.silent",
        "feed.stuck",
        "feed.unacknowledged",
    ),
    "feed.up": ("feed.down",),
    "health.over": ("health.critical", "health.warning"),
    "history.back": ("history.away",),
    "journal.has_room": ("journal.full",),
    "kill_switch.journalled": ("kill_switch.not_journalled",),
    "leverage.settled": ("leverage.changed",),
    "local_fault.over": ("local_fault",),
    "market.listed": ("market.unknown_at_venue", "market.unlisted"),
    "market.priced": ("market.no_price",),
    "market.released": ("market.quarantine", "position.quarantine"),
    "position.agreed": ("position.drift", "position.quarantine"),
    "stop.settled": ("stop.missing", "stop.failed", "stop.moved"),
    "strategy.ended": ("strategy.lingers",),
    "strategy.quick": ("strategy.slow",),
    "transfers.read": ("transfers.unread",),
}
_ABOUT = ("check", "kind")  # fields that tell apart what goes by one name
_ABOUT_ERRORS = ("kind", "operation")  # entries are paused as one, an error is told of each operation
_ERRORS = ("error.alert", "error.over")
_LONGEST = 300  # characters of one notice: a phone shows two lines
_OLD_NS = 300 * SECOND_NS  # of the equity, which is asked for every minute


def notice_of(event: Event) -> Notice | None:
    """Return the event as a notice; None for what belongs to the ordinary course."""
    if isinstance(event, BreakerChanged) and event.after is BreakerState.CLOSED:
        return _closed(event)
    severity = severity_of(event)
    if severity is None:
        return None
    match event:
        case Noted(kind=kind, market=market, message=message, at_ns=at_ns, fields=fields):
            apart = _ABOUT_ERRORS if kind in _ERRORS else _ABOUT
            about = " ".join(fields[name] for name in apart if name in fields)
            return Notice(
                kind=kind,
                severity=severity,
                market=market,
                text=message,
                at_ns=at_ns,
                about=about,
                ends=ENDS.get(kind, ()),
            )
        case RequestsPaused(until_ns=until_ns, at_ns=at_ns) if until_ns - at_ns >= LONG_PAUSE_NS:
            until = datetime.fromtimestamp(until_ns // SECOND_NS, UTC)
            text = f"the venue wants to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC: nothing is sent, stops rest"
            return Notice(kind="budget.paused", severity=severity, market=None, text=text, at_ns=at_ns)
        case RunStateChanged(after=RunState.FAILED, market=market, reason=reason, at_ns=at_ns):
            text = f"stopped by a fault: {reason}"
            return Notice(kind="market.failed", severity=severity, market=market, text=text, at_ns=at_ns)
        case BreakerChanged(after=BreakerState.OPEN, lane=lane, market=market, cause=cause, at_ns=at_ns):
            text = f"the {lane} lane failed so often that it is left alone: {cause}"
            return Notice(
                kind="breaker.open", severity=severity, market=market, text=text, at_ns=at_ns, about=lane.value
            )
        case KillSwitchSet(reason=reason, caller=caller, flatten=flatten, at_ns=at_ns):
            also = ", and every position is being closed" if flatten else ""
            text = f"the kill switch was set by {caller}: {reason}{also}"
            return Notice(kind="kill_switch", severity=severity, market=None, text=text, at_ns=at_ns)
        case KillSwitchReleased(caller=caller, at_ns=at_ns):
            text = f"the kill switch was released by {caller}"
            return Notice(
                kind="kill_switch.released",
                severity=severity,
                market=None,
                text=text,
                at_ns=at_ns,
                ends=("kill_switch.not_journalled", "kill_switch.not_released"),
            )
        case DrawdownReset(highest=highest, equity=equity, currency=currency, caller=caller, at_ns=at_ns):
            text = f"{caller} has it counted anew from {equity:.2f} {currency}; the highest was {highest:.2f}"
            return Notice(kind="drawdown.reset", severity=severity, market=None, text=text, at_ns=at_ns)
        case _:
            return None


def _closed(event: BreakerChanged) -> Notice:
    """Return the end of `breaker.open` of that lane."""
    became = f"was closed by {event.caller}" if event.caller else "works again"
    return Notice(
        kind="breaker.closed",
        severity=Severity.INFO,
        market=event.market,
        text=f"the {event.lane} lane {became}, and is used",
        at_ns=event.at_ns,
        about=event.lane.value,
        ends=("breaker.open",),
    )


def title_of(message: Message, name: str) -> str:
    """Return the subject of a message from the daemon `name`."""
    if not message.notices:
        return f"kangbot {name}: the day"
    loudest, more = message.loudest, len(message.notices) - 1
    return f"{SIGNS[loudest.severity]} kangbot {name}: {loudest.kind}{f' and {more} more' if more else ''}"


def body_of(message: Message, standing: Sequence[str]) -> str:
    """Return the text: what happened, then how things stand where it is the daily one."""
    lines = [_line(notice) for notice in message.notices]
    if message.left_out:
        lines.append(f"({message.left_out} more were not sent one by one; kangbot events has them)")
    if message.digest:
        lines += [*([""] if lines else []), *standing]
    return "\n".join(lines)


def headlines(report: Report) -> Sequence[str]:
    """Return how things stand, for the daily message: what a person would ask first."""
    profit = sum((market.profit for market in report.markets), ZERO)
    held = [market for market in report.markets if market.net]
    open_profit = sum((market.unrealised for market in held), ZERO)
    funding = sum((market.funding for market in report.markets), ZERO)
    besides = f"; funding {funding:+.2f} besides" if funding else ""
    lines = [
        f"{report.live} of {report.total} markets live",
        f"equity {_equity(report)}",
        f"{len(held)} positions open, {open_profit:+.2f} on them; {profit:+.2f} earned so far, after fees{besides}",
        f"{report.orders.sent} orders sent since the start, {report.orders.unknown} in question",
    ]
    if tripped := len({one.market for one in report.breakers if one.state != "closed"}):
        lines.append(f"{tripped} markets with a breaker open")
    if report.unprotected:
        lines.append(f"{report.unprotected} positions WITHOUT A STOP")
    if report.killed:
        lines.append(f"the kill switch is set: {report.killed}")
    if report.journal_hindered:
        lines.append(f"nothing enters: the journal {report.journal_hindered}")
    lines += [f"nothing enters: {why}" for why in report.losses]
    if report.history_away:
        lines.append(f"the history database is away: {report.history_away}")
    return lines


def _equity(report: Report) -> str:
    """Return the equity, with the time that it is of where the venue has not told it for a while."""
    if not report.equity:
        return "not known"
    said = ", ".join(f"{value:.2f} {currency}" for currency, value in report.equity.items())
    if not report.equity_ns:
        return f"{said} in the last run, not told since"
    if report.at_ns - report.equity_ns < _OLD_NS:
        return said
    at = datetime.fromtimestamp(report.equity_ns // SECOND_NS, UTC)
    return f"{said} at {at:%Y-%m-%d %H:%M} UTC, not told since"


def _line(notice: Notice) -> str:
    where = f"{notice.market} " if notice.market else ""
    text = notice.text if len(notice.text) <= _LONGEST else f"{notice.text[:_LONGEST]}…"
    return f"{SIGNS[notice.severity]} {where}{notice.kind}: {text}"
