"""The world of the fault suite: 27 markets, a sandbox exchange and a daemon as processes, and proxies between them."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from kangbot.cli.demo.processes import Sandbox
from kangbot.health.report import MarketReport, Report
from kangbot.sim.markets.listing import DEFAULT_LINEAR
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.fault_proxy import FaultProxy
from tests.support.processes import SHORT_PAST, Life
from tests.support.steady import Steady

BASES = tuple(native.removesuffix("USDT") for native in DEFAULT_LINEAR)

CONFIG = """
mode = "sandbox"
[defaults]
strategy = "ema_cross"
timeframe = "1s"
size = 500
leverage = 2
[defaults.parameters]
fast = 2
slow = 5
[risk]
market_notional = 5000
total_notional = 500000
open_positions = 27
daily_loss = 100000
drawdown_percent = 90
[start]
interval_s = 0.02
jitter_s = 0.01
[shutdown]
grace_s = 90
[logs]
format = "json"
"""


def market(base: str, *lines: str) -> str:
    """Return the configuration of one market, with further lines of it."""
    return "\n".join(["[[markets]]", f'symbol = "{base}/USDT:USDT"', *lines, ""])


class FaultWorld(Life):
    """One exchange, three proxies (public data, the account's stream, requests) and a daemon behind them."""

    def __init__(
        self,
        folder: Path,
        *,
        bases: Sequence[str] = BASES,
        config: str = "",
        environment: Mapping[str, str] | None = None,
        rate: float = 5.0,
        host: str = "127.0.0.1",
    ) -> None:
        self.bases = tuple(bases)
        symbols = ",".join(f"{base}USDT" for base in self.bases)
        chosen = ("--symbols", symbols, "--rate", str(rate), *SHORT_PAST)
        self.sandbox = Sandbox(seed=7, log=folder / "sandbox.log", options=chosen)
        port = urlsplit(self.sandbox.rest_url).port
        assert port is not None
        self.public, self.private, self.rest = (FaultProxy(port) for _ in range(3))
        self.proxies = (self.public, self.private, self.rest)
        for proxy in self.proxies:
            proxy.__enter__()
        self.steady = Steady()
        self.steady.__enter__()
        addresses = {
            "KANGBOT_VENUES__BYBIT__REST_URL": f"http://{host}:{self.rest.port}",
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": f"ws://{host}:{self.public.port}/v5/public",
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": f"ws://{host}:{self.private.port}/v5/private",
        }
        text = CONFIG + (config or "".join(market(base) for base in self.bases))
        super().__init__(folder, text, len(self.bases), {**addresses, **(environment or {})})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and the proxies."""
        super().close()
        for proxy in self.proxies:
            proxy.__exit__(None, None, None)
        self.steady.__exit__(None, None, None)
        self.sandbox.close()

    def trading(self) -> Report:
        """Start the daemon, and wait until every market is live and some have traded."""
        self.start()
        self.live()
        return self.orders(more_than=5)

    # ---------------------------------------------------------------------------------------------------- what is seen
    def said(self, event: str, since: float = 0.0) -> list[dict[str, Any]]:
        """Return the daemon's log lines of that event (or, ending in ".", of all that begin so) after `since`."""
        lines = [json.loads(line) for line in self.daemon.log.read_text().splitlines() if line.startswith("{")]
        named = [
            line for line in lines if line["event"] == event or (event[-1] == "." and line["event"].startswith(event))
        ]
        return [line for line in named if at(line) >= since]

    def until_said(self, event: str, since: float, timeout_s: float) -> dict[str, Any]:
        """Wait for a log line of that event after `since`."""
        line: dict[str, Any] = wait_until(
            lambda: next(iter(self.said(event, since)), None), timeout_s, f"no {event} in the log"
        )
        return line

    def took(self, begun_s: float, holds: Callable[[Report], bool], timeout_s: float = 240.0) -> float:
        """Return how long after a time of the epoch that held, at most since the machine stood still."""
        return self.steady.since(begun_s, self.until(holds, timeout_s).at_ns / 1e9)

    def of(self, base: str) -> MarketReport:
        """Return one market's report."""
        return next(m for m in self.client.report().markets if m.symbol.startswith(f"{base}/"))

    def orders_of(self, base: str, since: float, until: float) -> list[dict[str, Any]]:
        """Return the orders that reached the exchange for one market between two times of the epoch."""
        rows = (row for row in self.sandbox.orders() if row["symbol"] == f"{base}USDT")
        return [row for row in rows if since <= int(row["createdTime"]) / 1000 <= until]

    def disagreements(self) -> list[str]:
        """Stop in order, and return where exchange, journal and history disagree."""
        self.sandbox.pause()
        time.sleep(0.5)
        assert self.daemon.stop() == 0, self.daemon.last_lines()
        return disagreements(Journalled(self.state), sqlite_query(self.state), self.sandbox)

    def fresh(self, report: Report, age_s: float = 2.0) -> bool:
        """Whether every market is live on data that is no older."""
        return report.live == len(self.bases) and all(
            m.feed_age_s is not None and m.feed_age_s < age_s for m in report.markets
        )


def at(line: Mapping[str, Any]) -> float:
    """Return a log line's time, in seconds of the epoch."""
    return datetime.fromisoformat(str(line["at"])).timestamp()


def wait_until(found: Callable[[], Any], timeout_s: float, words: str) -> Any:
    """Return the first answer of `found` that is true; AssertionError with `words` where none is in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{words} within {timeout_s} s")
