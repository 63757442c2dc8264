"""How well the daemon is: pure functions from what it says of itself to checks, a score, and whether it is ready.

What each check means and what to do about it is docs/health.md; the score's formula is `machines/verdict.py`.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from kangbot.health.report import MarketReport, Report, StreamReport
from kangbot.machines.faults import ANSWERS
from kangbot.machines.verdict import Bounds, Status, score, worst

FEW_FILES = Bounds(warning=1000, critical=100)  # a daemon makes a dozen; whoever uses up the others makes many
_RUNNING = ("starting", "warming", "live", "paused")
UNRECOVERED = "the venue has not answered yet for what the last run left open"
_SECOND_NS = 1_000_000_000
_ACTIVE = ("live", "paused")
_COUNTED = ("markets", "positions", "events", "errors", "files")  # units of which there may be one
_WHOLE = 100  # from here on a figure is shown without its fraction


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """From where a figure warns, and above (below, for what is left) which it is critical. See settings/health.py."""

    decision_s: Bounds
    memory_percent: Bounds
    rest_ms: Bounds
    errors: Bounds
    lag_ms: Bounds
    feed_s: Bounds
    unknown_s: Bounds
    backlog: Bounds
    clock_ms: Bounds
    disk_mb: Bounds


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check. `figure` is in `unit`; None where nothing has been measured yet."""

    name: str
    status: Status
    figure: float | None
    unit: str
    says: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How well the daemon is."""

    status: Status  # that of the worst check
    score: int  # 0 to 100
    active: int  # markets that run, of
    wanted: int  # those that are to
    tripped: int  # of these: with a breaker that is not closed
    live: str  # why the process should be ended; "" where it should not
    ready: str  # why it does not do its work; "" where it does
    checks: list[Check]


def health_of(report: Report, thresholds: Thresholds) -> Health:
    """Return how well the daemon is that says this of itself."""
    wanted = [market for market in report.markets if market.desired == "running"]
    names = {market.market for market in wanted}
    tripped = len({one.market for one in report.breakers if one.state != "closed"} & names)
    checks = [*_money(report, thresholds), *_trade(report, thresholds, tripped), *_machine(report, thresholds)]
    statuses = [check.status for check in checks]
    active = sum(market.state in _ACTIVE for market in wanted)
    to_run = len(wanted) if report.markets else report.total  # there is none before the venue has told their rules
    return Health(
        status=worst(statuses),
        score=score(active=active, wanted=to_run, tripped=tripped, statuses=statuses),
        active=active,
        wanted=to_run,
        tripped=tripped,
        live=report.stuck,
        ready=readiness(report, thresholds),
        checks=checks,
    )


def readiness(report: Report, thresholds: Thresholds) -> str:
    """Return why the daemon does not do its work; "" where it does. That a venue is down is no reason."""
    if report.stuck:
        return f"stuck: {report.stuck}"
    if not report.recovered:
        return report.waiting or UNRECOVERED
    if report.history_backlog > thresholds.backlog.critical:
        return f"{report.history_backlog} events wait for the history"
    if (late := _oldest_unknown(report.markets)) > thresholds.unknown_s.critical:
        return f"an order has been UNKNOWN for {late:.0f} s"
    bound_s, at_ns = thresholds.feed_s.critical, report.at_ns
    stale = [market.symbol for market in _fed(report.markets) if _age(market, at_ns) > bound_s]
    if stale and not _venue_is_down(report, thresholds.feed_s.warning):
        return f"stale data: {', '.join(stale)}"
    return ""


def _venue_is_down(report: Report, bound_s: float) -> bool:
    """Whether no public stream has brought data of late: it is the venue, or the way to it, and no restart would help.

    The account's stream says nothing of it: it has a host of its own, and is silent by right. Data that we cannot read
    are data: then it is us.
    """
    public = [stream for stream in report.streams if not stream.private]
    return bool(public) and not any(_speaks(stream, bound_s) for stream in public)


def _speaks(stream: StreamReport, bound_s: float) -> bool:
    return stream.state == "open" and stream.silent_s is not None and stream.silent_s <= bound_s


def _fed(markets: Sequence[MarketReport]) -> list[MarketReport]:
    return [market for market in markets if market.state in _ACTIVE]


def _age(market: MarketReport, at_ns: int) -> float:
    """Return for how long the market has heard no price; one that is LIVE and never had any, since it is."""
    if market.feed_age_s is not None:
        return market.feed_age_s
    return (at_ns - market.since_ns) / _SECOND_NS if market.state == "live" else 0.0


def _oldest_unknown(markets: Sequence[MarketReport]) -> float:
    return max((market.unknown_s for market in markets), default=0.0)


def _check(name: str, status: Status, figure: float | None, unit: str, says: str) -> Check:
    return Check(name=name, status=status, figure=figure, unit=unit, says=says)


def _money(report: Report, bounds: Thresholds) -> list[Check]:
    """Return the checks of what money hangs on first."""
    bare = report.unprotected
    unknown, oldest = report.orders.unknown, _oldest_unknown(report.markets)
    doubted = bounds.unknown_s.judge(oldest)
    doubts = f"the oldest of {unknown} UNKNOWN orders" if unknown else "no order is UNKNOWN"
    return [
        _check(
            "unprotected", Status.CRITICAL if bare else Status.HEALTHY, bare, "positions", "without a stop at the venue"
        ),
        _left_behind(report),
        _check("unknown_orders", doubted, oldest, "s", doubts),
        _check(
            "kill_switch",
            Status.WARNING if report.killed else Status.HEALTHY,
            float(bool(report.killed)),
            "set",
            report.killed or "released",
        ),
        _check(
            "loss_limits",
            Status.WARNING if report.losses else Status.HEALTHY,
            len(report.losses),
            "reached",
            f"nothing enters: {'; '.join(report.losses)}" if report.losses else "no loss keeps entries back",
        ),
    ]


def _left_behind(report: Report) -> Check:
    """Return the check of what lies in markets that are not configured any more: no other figure has it."""
    left = [f"{market}: {what}" for market, what in report.left_behind.items()]
    says = left[0] if left else "that do not run here have something left"
    return _check("left_behind", Status.WARNING if left else Status.HEALTHY, len(left), "markets", says)


def _errors(report: Report, bounds: Thresholds) -> Check:
    """Return the check of what went wrong of late; what one error is, `machines/fault_book.py` says."""
    recent = {kind: count for kind, count in report.errors_of_late.items() if kind not in ANSWERS}
    count, most = sum(recent.values()), max(recent, key=recent.__getitem__, default="")
    of_them = most if count == 1 else f"most of them {most}"
    says = f"within the last 15 minutes, {of_them}" if count else "none within the last 15 minutes"
    return _check("errors", bounds.errors.judge(count), count, "errors", says)


def _entries(report: Report) -> Check:
    """Return the check of what keeps a market's entries back: what a person must look at comes first."""
    quarantined = [
        f"{market.symbol}, until `kangbot release {market.symbol}`: {market.quarantine}"
        for market in report.markets
        if market.quarantine
    ]
    paused = [
        market.paused
        for market in report.markets
        if market.paused and market.desired == "running" and not market.quarantine
    ]
    held = [*quarantined, *paused]
    says = held[0] if held else "no error and no quarantine keeps entries back"
    return _check("entries", Status.WARNING if held else Status.HEALTHY, len(held), "markets", says)


def _breakers(report: Report, tripped: int, running: int) -> Check:
    shut = "with a breaker that is not closed"
    if report.local_fault_ns:
        together = "most markets fail together, so none enters"
        says = f"{shut}; {together}" if tripped else together
        return _check("breakers", Status.CRITICAL, tripped or None, "markets", says)
    status = Status.HEALTHY if not tripped else Status.WARNING if 2 * tripped < running else Status.CRITICAL
    return _check("breakers", status, tripped, "markets", shut)


def _venue(report: Report) -> Check:
    if report.waiting:
        return _check("venue", Status.CRITICAL, None, "", f"no market begins before it answers: {report.waiting}")
    if report.banned:
        return _check("venue", Status.WARNING, None, "", f"nothing is sent, and stops rest there: {report.banned}")
    return _check("venue", Status.HEALTHY, None, "", "it answered at the start")


def _trade(report: Report, bounds: Thresholds, tripped: int) -> list[Check]:
    fed = _fed(report.markets)
    ages = {market.market: _age(market, report.at_ns) for market in fed}
    eldest = max(fed, key=lambda market: ages[market.market], default=None)
    running = [market for market in report.markets if market.state in _RUNNING]
    failed = sum(market.state == "failed" for market in report.markets)
    slowest = max(report.rest, key=lambda rest: rest.mean_ms or 0.0, default=None)
    return [
        _venue(report),
        _check(
            "markets",
            Status.CRITICAL if failed else Status.HEALTHY,
            failed,
            "markets",
            "FAILED after too many falls",
        ),
        _check(
            "feeds",
            bounds.feed_s.judge(None if eldest is None else ages[eldest.market]),
            None if eldest is None else ages[eldest.market],
            "s",
            "no market runs" if eldest is None else f"since the last price of {eldest.symbol}, the oldest",
        ),
        _breakers(report, tripped, len(running)),
        _entries(report),
        _errors(report, bounds),
        _check(
            "decision",
            bounds.decision_s.judge(report.decision_recent_s),
            report.decision_recent_s,
            "s",
            "from a frame to its decision, on average of the last 15 minutes",
        ),
        _check(
            "rest",
            bounds.rest_ms.judge(None if slowest is None else slowest.mean_ms),
            None if slowest is None else slowest.mean_ms,
            "ms",
            "nothing was asked" if slowest is None else f"{slowest.endpoint}, on average of the last 15 minutes",
        ),
    ]


def _machine(report: Report, bounds: Thresholds) -> list[Check]:
    memory, lag = report.memory, report.loop_lag_recent_ms.get("p99")
    percent = None if memory is None else round(100 * report.rss_mb / memory.limit_mb, 1)
    away = report.history_away
    of = (
        "not measured yet"
        if memory is None
        else f"of {memory.limit_mb:,.0f} MB, the limit of the {memory.limit_source}"
    )
    return [
        _check(
            "vitals", Status.CRITICAL if report.stuck else Status.HEALTHY, None, "", report.stuck or "all make progress"
        ),
        _check(
            "journal",
            Status.CRITICAL if report.journal_hindered else Status.HEALTHY,
            None,
            "",
            f"it {report.journal_hindered}" if report.journal_hindered else "its disk takes every record",
        ),
        _check("loop_lag", bounds.lag_ms.judge(lag), lag, "ms", "p99 of the last half minute"),
        _check("memory", bounds.memory_percent.judge(percent), percent, "%", of),
        _disk(report, bounds),
        _check(
            "database", Status.WARNING if away else Status.HEALTHY, None, "", away or f"{report.history} is available"
        ),
        _check(
            "backlog",
            bounds.backlog.judge(report.history_backlog),
            report.history_backlog,
            "events",
            "in the journal, not in the history yet",
        ),
        _clock(report, bounds),
    ]


def _disk(report: Report, bounds: Thresholds) -> Check:
    """Say the worse of what is left; bytes, where neither is."""
    bytes_, files = bounds.disk_mb.judge_left(report.disk_free_mb), FEW_FILES.judge_left(report.disk_files_left)
    if files is not bytes_ and worst((bytes_, files)) is files:
        return _check("disk", files, report.disk_files_left, "files", "can still be made where the state is: df -i")
    return _check("disk", bytes_, report.disk_free_mb, "MB", "free for the state")


def _clock(report: Report, bounds: Thresholds) -> Check:
    """Return the check of our clock. The daemon reads the machine's at its start and never again."""
    offset = report.clock.get("offset")
    apart = None if offset is None else abs(offset)
    status = bounds.clock_ms.judge(apart)
    says = f"the venue's clock is {'behind' if offset is not None and offset < 0 else 'ahead of'} ours"
    if status is not Status.HEALTHY:
        says += ": set this machine's clock, then restart the daemon"
    return _check("clock", status, apart, "ms", says)


def in_words(health: Health) -> str:
    """Return the health as a person reads it: one line, then one for each check, the worst first."""
    rows = (f"  {row.status.value:<8}  {row.name:<14}  {figured(row):>12}  {row.says}" for row in _worst_first(health))
    return "\n".join([_head(health), *rows])


def in_a_line(health: Health) -> str:
    """Return the health as a log has it: what is not well, or that all is."""
    unwell = [in_a_sentence(check) for check in _worst_first(health) if check.status is not Status.HEALTHY]
    return "; ".join([_head(health), *(unwell or ["every check is healthy"])])


def _head(health: Health) -> str:
    return (
        f"{health.status.value}, score {health.score}: {health.active} of {health.wanted} markets run, "
        f"{health.tripped} with a breaker open"
    )


def _worst_first(health: Health) -> list[Check]:
    order = [Status.CRITICAL, Status.WARNING, Status.HEALTHY]
    return sorted(health.checks, key=lambda check: order.index(check.status))


def in_a_sentence(check: Check) -> str:
    """Return how one check stands, as a message tells it."""
    return f"{check.name} is {check.status.value}: {figured(check)}, {check.says}"


def in_short(check: Check) -> str:
    """Return what one check says, where its status is seen: by a colour, or because only the unwell are named."""
    return f"{check.name}: {check.says if check.figure is None else f'{figured(check)}, {check.says}'}"


def figured(check: Check) -> str:
    """Return the figure with its unit: in whole numbers from a hundred on, below it in three digits that count."""
    if check.figure is None:
        return "-"
    whole = check.figure == int(check.figure) or abs(check.figure) >= _WHOLE
    digits = f"{check.figure:,.0f}" if whole else f"{Decimal(f'{check.figure:.3g}'):f}"
    return f"{digits} {check.unit.removesuffix('s') if digits == '1' and check.unit in _COUNTED else check.unit}"
