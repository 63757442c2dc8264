"""The daemon's figures in the text format of Prometheus, 0.0.4: a pure function from what it says of itself.

Everything is worked out when somebody scrapes, out of counters that exist anyway; nothing is kept for it. Series are
bounded by the configured markets, by the endpoints of the venue and by the kinds of events. Names end with their unit;
`_total` only grows.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from kangbot.health.checks import Health
from kangbot.health.latency import Histogram
from kangbot.health.report import ErrorReport, EventReport, MarketReport, MemoryReport, Report
from kangbot.machines.verdict import Status
from kangbot.model.events import Lane

CONTENT_TYPE = "text/plain; version=0.0.4"
_MIB = 1024 * 1024
_HOUR_S = 3600
_LATENCIES = {
    "frame_to_decision": "From the read of a frame to the decision that it led to.",
    "frame_to_order": "From the read of a frame to the order that it led to, as it leaves.",
    "loop_lag": "How much later than due the event loop's timers fire.",
}
_LEVEL = {Status.HEALTHY: 0, Status.WARNING: 1, Status.CRITICAL: 2}

Labels = Mapping[str, str]
Samples = Iterable[tuple[Labels, float | None]]  # None: nothing has been measured, so nothing is said
Family = tuple[str, str, str, Samples]  # name, type, help


def exposition(
    report: Report, health: Health, latencies: Mapping[str, Histogram], rest: Mapping[str, Histogram]
) -> str:
    """Return the text. `latencies` by the middle of their metric's name, one of `_LATENCIES`; `rest` by endpoint."""
    families = chain(
        _daemon(report, health),
        _work(report),
        _machine(report),
        _storage(report),
        _markets(report.markets),
        _breakers(report),
        _errors(report.errors),
        _events(report.events),
    )
    lines = [line for family in families for line in _family(*family)]
    for name, histogram in latencies.items():
        lines += _histograms(f"kangbot_{name}_seconds", _LATENCIES[name], [({}, histogram)])
    by_endpoint = [({"endpoint": endpoint}, histogram) for endpoint, histogram in rest.items()]
    lines += _histograms("kangbot_rest_call_seconds", "Calls to the venue, however they ended.", by_endpoint)
    return "\n".join(lines) + "\n"


def _one(value: float | None) -> Samples:
    return [({}, value)]


def _daemon(report: Report, health: Health) -> Iterator[Family]:
    yield "kangbot_health_score", "gauge", "The score, 0 to 100.", _one(health.score)
    levels = [({"check": check.name}, float(_LEVEL[check.status])) for check in health.checks]
    yield "kangbot_check_level", "gauge", "A check: 0 healthy, 1 warning, 2 critical.", levels
    yield "kangbot_ready", "gauge", "Whether the daemon does its work.", _one(not health.ready)
    yield "kangbot_stuck", "gauge", "Whether a vital part is stuck.", _one(bool(report.stuck))
    yield "kangbot_kill_switch_set", "gauge", "Whether the kill switch is set.", _one(bool(report.killed))
    yield "kangbot_local_fault", "gauge", "Whether most markets fail together.", _one(bool(report.local_fault_ns))
    yield "kangbot_start_time_seconds", "gauge", "When it was started.", _one(report.started_ns / 1e9)
    yield "kangbot_markets_wanted", "gauge", "Markets that are to run.", _one(health.wanted)
    yield "kangbot_markets_active", "gauge", "Markets of these that are live or paused.", _one(health.active)
    yield "kangbot_unprotected_positions", "gauge", "Positions without a stop at the venue.", _one(report.unprotected)
    equity = [({"currency": currency}, float(amount)) for currency, amount in report.equity.items()]
    yield "kangbot_equity", "gauge", "The account's equity as known last, in its currency.", equity


def _work(report: Report) -> Iterator[Family]:
    orders = report.orders
    yield "kangbot_unknown_orders", "gauge", "Orders whose outcome is not known yet.", _one(orders.unknown)
    yield "kangbot_orders_sent_total", "counter", "Orders sent.", _one(orders.sent)
    yield "kangbot_orders_resent_total", "counter", "Second copies of orders, under the same id.", _one(orders.resent)
    yield "kangbot_orders_acked_total", "counter", "Orders of which the venue showed a sign.", _one(orders.acked)
    yield "kangbot_orders_filled_total", "counter", "Orders filled.", _one(orders.filled)
    yield "kangbot_orders_rejected_total", "counter", "Orders rejected.", _one(orders.rejected)
    yield "kangbot_orders_withheld_total", "counter", "Orders that never left.", _one(orders.withheld)
    yield (
        "kangbot_orders_not_accepted_total",
        "counter",
        "Orders proved absent at the venue.",
        _one(orders.not_accepted),
    )
    yield "kangbot_bars_total", "counter", "Closed bars that strategies were shown.", _one(report.bars)
    yield "kangbot_decisions_total", "counter", "Decisions of strategies.", _one(report.decisions)
    yield "kangbot_frames_total", "counter", "Frames read from the streams.", _one(report.frames)
    yield (
        "kangbot_reconnects_total",
        "counter",
        "Connections of streams after their first, planned replacements apart.",
        _one(report.reconnects),
    )
    offset_ms = report.clock.get("offset")
    yield (
        "kangbot_clock_offset_seconds",
        "gauge",
        "By how much the venue's clock is ahead.",
        _one(_thousandth(offset_ms)),
    )


def _machine(report: Report) -> Iterator[Family]:
    lag_ms, free_mb = report.loop_lag_recent_ms.get("p99"), report.disk_free_mb
    yield "kangbot_loop_lag_recent_seconds", "gauge", "Loop lag, p99 of half a minute.", _one(_thousandth(lag_ms))
    yield "kangbot_cpu_seconds_total", "counter", "Processor time that the process has used.", _one(report.cpu_s)
    yield "kangbot_memory_bytes", "gauge", "Resident memory.", _one(report.rss_mb * _MIB)
    yield "kangbot_memory_peak_bytes", "gauge", "The most it was.", _one(report.rss_peak_mb * _MIB)
    yield from _memory(report.memory)
    yield "kangbot_disk_free_bytes", "gauge", "Free for the state.", _one(_bytes(free_mb))
    yield "kangbot_open_handles", "gauge", "Open file descriptors.", _one(report.handles)
    falls = [({"task": name}, float(count)) for name, count in report.task_falls.items()]
    yield "kangbot_task_falls_total", "counter", "Restarts of what runs beside trading.", falls


def _memory(memory: MemoryReport | None) -> Iterator[Family]:
    limit_mb, available_mb = (memory.limit_mb, memory.available_mb) if memory else (None, None)
    growth = _bytes(memory.growth_mb_h) if memory else None
    by_second = None if growth is None else growth / _HOUR_S
    yield "kangbot_memory_limit_bytes", "gauge", "The limit that applies.", _one(_bytes(limit_mb))
    yield "kangbot_memory_available_bytes", "gauge", "What the machine could give.", _one(_bytes(available_mb))
    yield "kangbot_memory_growth_bytes_per_second", "gauge", "Growth over the last hour.", _one(by_second)
    reliefs = memory.reliefs if memory else None
    yield "kangbot_memory_reliefs_total", "counter", "How often memory was given back.", _one(reliefs)


def _storage(report: Report) -> Iterator[Family]:
    yield "kangbot_journal_records_total", "counter", "Records in the journal, ever.", _one(report.journal_sequence)
    yield "kangbot_journal_waiting_groups", "gauge", "Groups not on disk yet.", _one(report.journal_waiting)
    yield "kangbot_journal_bytes", "gauge", "The journal's file and its log.", _one(report.journal_bytes)
    yield "kangbot_history_backlog_events", "gauge", "Events not in the history yet.", _one(report.history_backlog)
    yield "kangbot_history_away", "gauge", "Whether the history is away.", _one(bool(report.history_away))
    pool = report.pool  # an embedded history has none
    yield "kangbot_history_connections_limit", "gauge", "Connections there may be.", _one(pool.size if pool else None)
    yield "kangbot_history_connections", "gauge", "Connections to the history.", _one(pool.open if pool else None)
    yield "kangbot_history_connections_busy", "gauge", "Those in a transaction.", _one(pool.busy if pool else None)


def _thousandth(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _bytes(mb: float | None) -> float | None:
    return None if mb is None else mb * _MIB


def _markets(markets: list[MarketReport]) -> Iterator[Family]:
    named = [({"market": str(market.market)}, market) for market in markets]
    states = [({**labels, "state": market.state}, 1.0) for labels, market in named]
    yield "kangbot_market_state", "gauge", "The state in which the market is.", states
    ages = [(labels, market.feed_age_s) for labels, market in named]
    yield "kangbot_market_feed_age_seconds", "gauge", "Since the last price.", ages
    open_ = [(labels, float(market.unrealised)) for labels, market in named]
    yield "kangbot_market_unrealised", "gauge", "Open profit at the last price, in the market's currency.", open_
    realised = [(labels, float(market.realised)) for labels, market in named]
    yield "kangbot_market_realised", "gauge", "Profit of all that was ever closed, before fees.", realised
    fees = [(labels, float(market.fees)) for labels, market in named]
    yield "kangbot_market_fees", "gauge", "Fees ever paid, less those received.", fees
    funding = [(labels, float(market.funding)) for labels, market in named]
    yield "kangbot_market_funding", "gauge", "Funding ever received, less what was paid.", funding
    falls = [(labels, float(market.falls)) for labels, market in named]
    yield "kangbot_market_falls_total", "counter", "Restarts of the market's task.", falls
    dropped = [(labels, float(market.dropped)) for labels, market in named]
    yield "kangbot_inbox_dropped_total", "counter", "Events that did not fit into the market's inbox.", dropped
    troubles = [({**labels, "kind": kind}, float(n)) for labels, market in named for kind, n in market.troubles.items()]
    yield "kangbot_market_feed_troubles_total", "counter", "Troubles of the market's topics.", troubles


def _breakers(report: Report) -> Iterator[Family]:
    """Yield every lane of every market: one that has counted nothing is closed, and that is a figure too."""
    shut = {(market.market, lane.value): 0.0 for market in report.markets for lane in Lane}
    shut |= {(one.market, one.lane): float(one.state != "closed") for one in report.breakers}
    samples = [({"market": str(market), "lane": lane}, value) for (market, lane), value in shut.items()]
    yield "kangbot_breaker_open", "gauge", "Whether the breaker is not closed.", samples


def _errors(errors: Iterable[ErrorReport]) -> Iterator[Family]:
    met = [
        ({"kind": one.kind, "severity": one.severity, "market": str(one.market or "")}, float(one.total))
        for one in errors
    ]
    yield "kangbot_errors_total", "counter", "Errors by kind; no market for the account's own.", met


def _events(events: Iterable[EventReport]) -> Iterator[Family]:
    written = [({"kind": one.kind}, float(one.total)) for one in events]
    yield "kangbot_events_total", "counter", "Events written to the journal, by kind.", written


def _family(name: str, kind: str, text: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    yield from (f"{name}{_labels(labels)} {float(value)!r}" for labels, value in samples if value is not None)


def _histograms(name: str, text: str, each: Iterable[tuple[Labels, Histogram]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} histogram"
    for labels, histogram in each:
        for bound, count in zip(histogram.bounds_s, histogram.counts, strict=True):
            yield f"{name}_bucket{_labels({**labels, 'le': repr(bound)})} {count}"
        yield f"{name}_bucket{_labels({**labels, 'le': '+Inf'})} {histogram.total}"
        yield f"{name}_sum{_labels(labels)} {histogram.sum_s!r}"
        yield f"{name}_count{_labels(labels)} {histogram.total}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
