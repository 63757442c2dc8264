"""Routes that look: all of it out of the daemon's memory, at no cost for anybody else."""

from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from kangbot.control.access import Access
from kangbot.control.kept import Kept, Made
from kangbot.control.port import Controlled
from kangbot.control.route import NO_MARKET, NOT_AT_WORK, Call, Route, get
from kangbot.errors import Refused
from kangbot.health.checks import Health
from kangbot.health.metrics import CONTENT_TYPE
from kangbot.health.report import ErrorReport, LatencyReport, MarketReport, Report
from kangbot.machines.verdict import Status
from kangbot.market.naming import named
from kangbot.model.ids import MarketId, Symbol


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the process may go on. Open to everybody, so which part is stuck is for those with a token."""

    live: bool


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the daemon does its work, and why not. Open to everybody, so the reason is for those with a token."""

    ready: bool


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held in one market."""

    market: MarketId
    symbol: Symbol
    net: Decimal
    entry: Decimal | None
    price: Decimal | None
    stop: Decimal | None
    unrealised: Decimal
    unprotected: str  # why it has no stop at the venue; "" where it has


class Reading:
    """The handlers over one daemon."""

    def __init__(self, daemon: Controlled) -> None:
        self._daemon = daemon
        self._kept_live = Kept(self._make_live)
        self._kept_health = Kept(self._make_health)
        self._kept_ready = Kept(self._make_ready)
        self._kept_metrics = Kept(lambda: (200, daemon.metrics().encode()), CONTENT_TYPE)

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        look, word = Access.READ, Access.OPEN
        return (
            get(
                "/live",
                "Whether the event loop serves, and whatever must never die makes progress.",
                self._live,
                Live,
                word,
                same={503: "Something is stuck: the process should be started anew."},
            ),
            get(
                "/health",
                "How well the daemon is: the checks with their figures, and a score.",
                self._health,
                Health,
                look,
                same={503: "A check is critical."},
            ),
            get(
                "/ready",
                "Whether the daemon does its work.",
                self._ready,
                Ready,
                word,
                same={503: "It does not yet, or no more."},
            ),
            get("/metrics", "The figures for Prometheus.", self._metrics, str, look, media="text/plain"),
            get("/report", "Everything the daemon says of itself.", self._report, Report, look),
            get("/markets", "Every market.", self._markets, list[MarketReport], look),
            get("/markets/{market}", "One market.", self._market, MarketReport, look, also=NO_MARKET),
            get(
                "/markets/{market}/latency",
                "How long one market's decisions took, from the frame on, by buckets.",
                self._latency,
                LatencyReport,
                look,
                also=NO_MARKET,
            ),
            get("/errors", "Errors by kind, with how often they came of late.", self._errors, list[ErrorReport], look),
            get("/positions", "What is held now.", self._positions, list[Position], look, also=NOT_AT_WORK),
            get(
                "/config",
                "The configuration as it was read, without a secret.",
                self._config,
                dict[str, Any],
                look,
            ),
        )

    async def _live(self, _: Call) -> web.Response:
        return self._kept_live.answer()

    async def _metrics(self, _: Call) -> web.Response:
        return self._kept_metrics.answer()

    async def _health(self, _: Call) -> web.Response:
        return self._kept_health.answer()

    async def _ready(self, _: Call) -> web.Response:
        return self._kept_ready.answer()

    def _make_live(self) -> Made:
        live = not self._daemon.stuck()
        return 200 if live else 503, msgspec.json.encode(Live(live=live))

    def _make_health(self) -> Made:
        health = self._daemon.health()
        return 503 if health.status is Status.CRITICAL else 200, msgspec.json.encode(health)

    def _make_ready(self) -> Made:
        ready = not self._daemon.unready()
        return 200 if ready else 503, msgspec.json.encode(Ready(ready=ready))

    async def _report(self, _: Call) -> object:
        return self._daemon.report()

    async def _markets(self, _: Call) -> object:
        return self._daemon.report().markets

    async def _market(self, call: Call) -> object:
        return market_in(self._daemon.report(), call.path["market"])

    async def _latency(self, call: Call) -> object:
        return self._daemon.latency(meant(self._daemon, call.path["market"]))

    async def _errors(self, _: Call) -> object:
        return self._daemon.report().errors

    async def _positions(self, _: Call) -> object:
        return [_position(market) for market in holding(self._daemon.report())]

    async def _config(self, _: Call) -> object:
        return self._daemon.config()


def meant(daemon: Controlled, name: str) -> MarketId:
    """Return the name of the market that is meant. UnknownMarketError where there is not one."""
    return named(name, daemon.names(), "runs here")


def holding(report: Report) -> list[MarketReport]:
    """Return the markets that hold something. Refused before there are markets: "nothing" would be a guess then."""
    if not report.markets:
        raise Refused(f"what is held is not known yet: {report.waiting or 'the markets are being prepared'}")
    return [market for market in report.markets if market.net]


def market_in(report: Report, name: str) -> MarketReport:
    """Return the market that is meant by a name. UnknownMarketError where there is not one."""
    markets = {market.market: market for market in report.markets}
    return markets[named(name, markets, "runs here")]


def _position(market: MarketReport) -> Position:
    return Position(
        market=market.market,
        symbol=market.symbol,
        net=market.net,
        entry=market.entry,
        price=market.price,
        stop=market.stop,
        unrealised=market.unrealised,
        unprotected=market.unprotected,
    )
