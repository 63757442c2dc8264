"""A report of a daemon that does not run, for what shows reports."""

from decimal import Decimal
from typing import Any

from kangbot.health.report import MarketReport, OrderCounts, Report
from kangbot.model.ids import MarketId, Symbol

AT_NS = 1_790_000_000_000_000_000


def a_market(name: str = "BTC", **fields: Any) -> MarketReport:
    """Return a live market that holds nothing."""
    usual: dict[str, Any] = {
        "market": MarketId(f"bybit:{name}-USDT:USDT"),
        "symbol": Symbol(f"{name}/USDT:USDT"),
        "strategy": "ema_cross",
        "timeframe": "1m",
        "state": "live",
        "reason": "60 bars",
        "desired": "running",
        "since_ns": AT_NS,
        "price": Decimal("64000.5"),
        "feed_age_s": 0.1,
        "net": Decimal(0),
        "entry": None,
        "stop": None,
        "unrealised": Decimal(0),
        "realised": Decimal("1.5"),
        "fees": Decimal("0.5"),
        "profit": Decimal(1),
        "target": None,
        "signal": "",
        "blocked": "",
        "ticks": 10,
        "bars": 3,
        "decisions": 3,
        "orders": OrderCounts(sent=1, acked=1, filled=1),
        "falls": 0,
    }
    return MarketReport(**{**usual, **fields})


def a_report(*markets: MarketReport, **fields: Any) -> Report:
    """Return a daemon that is well, with these markets."""
    nothing: dict[str, float | None] = {"p50": None, "p99": None}
    usual: dict[str, Any] = {
        "version": "0.1.0",
        "mode": "sandbox",
        "pid": 1,
        "started_ns": AT_NS - 10**12,
        "at_ns": AT_NS,
        "markets": list(markets),
        "total": len(markets),
        "live": len(markets),
        "frames": 100,
        "bars": 3,
        "decisions": 3,
        "orders": OrderCounts(),
        "reconnects": 0,
        "frame_to_decision_ms": nothing,
        "frame_to_order_ms": nothing,
        "loop_lag_ms": nothing,
        "loop_lag_recent_ms": nothing,
        "loop": "uvloop",
        "rss_mb": 67.0,
        "rss_peak_mb": 68.0,
        "cpu_percent": 2.1,
        "handles": 30,
        "equity": {"USDT": Decimal(100000)},
        "equity_ns": AT_NS,
        "journal_sequence": 10,
        "history": "sqlite",
        "history_backlog": 0,
        "history_away": "",
    }
    return Report(**{**usual, **fields})
