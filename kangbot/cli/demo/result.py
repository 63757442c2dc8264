"""The sum of a demo: of every run of the daemon in it, held against the exchange's own books."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kangbot.health.report import Report
from kangbot.model.orders import OrderStatus
from kangbot.runtime.world import SECOND_NS


class Totals:
    """Counts over the runs, then the verdict. The names of `as_result` are relied on by scripts."""

    def __init__(self) -> None:
        self._last: Report | None = None
        self._frames = self._bars = self._decisions = self._reconnects = 0
        self._peak_mb = self._cpu_s = self._elapsed_s = 0.0
        self._runs = 0
        self._live = 0
        self._orders: Mapping[OrderStatus, int] = {}
        self._truth: Mapping[str, Any] = {}
        self.positions_agree = False

    def add(self, report: Report | None) -> None:
        """Add one run of the daemon, by the last report it gave."""
        if report is None:
            return
        self._last = report
        self._runs += 1
        self._cpu_s += report.cpu_s
        self._elapsed_s += (report.at_ns - report.started_ns) / SECOND_NS
        self._frames += report.frames
        self._bars += report.bars
        self._decisions += report.decisions
        self._reconnects += report.reconnects
        self._peak_mb = max(self._peak_mb, report.rss_peak_mb)

    def settle(
        self,
        *,
        live: int,
        orders: Mapping[OrderStatus, int],
        positions: Mapping[str, Decimal],
        truth: Mapping[str, Any],
    ) -> None:
        """Take in what the daemon's history and the exchange's books say after the end."""
        self._live = live
        self._orders = orders
        self._truth = truth
        ours = {_native(market): net for market, net in positions.items()}
        theirs = {name: Decimal(net) for name, net in truth["positions"].items() if Decimal(net)}
        self.positions_agree = ours == theirs

    @property
    def lacking(self) -> int:
        """How many events the history had not got by the end: what it says is no whole book then."""
        return 0 if self._last is None else self._last.history_backlog

    @property
    def sent(self) -> int:
        """Orders that left: everything in the history (an intent that never left is not accepted, and is told)."""
        return sum(self._orders.values())

    @property
    def agree(self) -> bool:
        """Whether the daemon's books and the exchange's are the same."""
        return self.positions_agree and self.orders_agree and not self._count(OrderStatus.UNKNOWN) and self._live > 0

    @property
    def orders_agree(self) -> bool:
        """Whether the exchange has each order once; what it refused, or what never arrived, it may have or not."""
        at_venue = int(self._truth["orders"]["with_prefix"])
        refused = self._count(OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)
        return self.sent - refused <= at_venue <= self.sent and not self._truth["duplicates"]["accepted"]

    def _count(self, *statuses: OrderStatus) -> int:
        return sum(self._orders.get(status, 0) for status in statuses)

    def as_result(self) -> dict[str, Any]:
        """Return the one JSON object of `kangbot demo --json`."""
        last = self._last
        assert last is not None
        refused = self._count(OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)
        unanswered = self._count(OrderStatus.INTENT, OrderStatus.SENT, OrderStatus.UNKNOWN)
        return {
            "runs": self._runs,
            "markets": {"total": last.total, "live": self._live},
            "frames": self._frames,
            "bars": self._bars,
            "decisions": self._decisions,
            "orders": {
                "sent": self.sent,
                "acked": self.sent - unanswered - refused,
                "filled": self._count(OrderStatus.FILLED),
                "rejected": self._count(OrderStatus.REJECTED),
                "not_accepted": self._count(OrderStatus.NOT_ACCEPTED),
                "unknown": unanswered,
                "at_venue": int(self._truth["orders"]["with_prefix"]),
                "duplicated": int(self._truth["duplicates"]["accepted"]),
            },
            "orders_agree": self.orders_agree,
            "positions_agree": self.positions_agree,
            "reconnects": self._reconnects,
            "latency_ms": {
                "frame_to_decision": last.frame_to_decision_ms,
                "frame_to_order": last.frame_to_order_ms,
            },
            "rss_mb": {"peak": self._peak_mb},
            "cpu_percent": round(self._cpu_s / self._elapsed_s * 100, 2),
            "loop": last.loop,
        }


def _native(market: str) -> str:
    """Return the exchange's name of a market of ours: "bybit:BTC-USDT:USDT" is BTCUSDT."""
    _, symbol = market.split(":", 1)
    base, quote = symbol.split(":")[0].split("-")
    return base + quote
