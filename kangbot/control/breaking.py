"""Routes about circuit breakers: how each lane of a market stands, and a hand on it."""

import msgspec

from kangbot.control.port import Controlled
from kangbot.control.reading import market_in, meant
from kangbot.control.route import FORGOTTEN, NO_MARKET, NOT_AT_WORK, Call, Route, get, post
from kangbot.health.report import BreakerReport
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId

_BY_HAND = NO_MARKET | NOT_AT_WORK | FORGOTTEN


class BreakerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A market's breakers; a lane that is not in it is closed and has counted nothing."""

    market: MarketId
    breakers: list[BreakerReport]


class ResetAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lane; without one all of them."""

    lane: Lane | None = None


class IsolateAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lane is held open by hand."""

    lane: Lane


class Breaking:
    """The handlers over one daemon."""

    def __init__(self, daemon: Controlled) -> None:
        self._daemon = daemon

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            get("/circuit-breakers", "Every breaker that has counted something.", self._all, list[BreakerReport]),
            get(
                "/circuit-breaker-status/{market}",
                "One market's breakers.",
                self._one,
                BreakerStatus,
                also=NO_MARKET,
            ),
            post(
                "/force-retry/{market}",
                "Probe the market's open breakers now.",
                self._retry,
                BreakerStatus,
                note=(
                    "Not idempotent: each call asks the venue once more. It closes nothing by itself. It ends a pause "
                    "of entries, and has what the venue refuses again and again tried within a minute."
                ),
                also=_BY_HAND,
            ),
            post(
                "/reset-circuit-breaker/{market}",
                "Close the market's breakers, or one lane's.",
                self._reset,
                BreakerStatus,
                body=ResetAsked,
                also=_BY_HAND,
            ),
            post(
                "/isolate-circuit-breaker/{market}",
                "Hold a lane's breaker open until it is reset.",
                self._isolate,
                BreakerStatus,
                body=IsolateAsked,
                also=_BY_HAND,
            ),
        )

    async def _all(self, _: Call) -> object:
        return self._daemon.report().breakers

    async def _one(self, call: Call) -> object:
        return self._status(call.path["market"])

    async def _retry(self, call: Call) -> object:
        market = meant(self._daemon, call.path["market"])
        self._daemon.force_retry(market, call.caller.name)
        self._daemon.told(f"force-retry {market}", call.caller.name)
        await self._daemon.kept()
        return self._status(market)

    async def _reset(self, call: Call) -> object:
        market, lane = meant(self._daemon, call.path["market"]), call.body.lane
        self._daemon.reset_breaker(market, lane, call.caller.name)
        self._daemon.told(f"reset-circuit-breaker {market} {lane or 'all'}", call.caller.name)
        await self._daemon.kept()
        return self._status(market)

    async def _isolate(self, call: Call) -> object:
        market, lane = meant(self._daemon, call.path["market"]), call.body.lane
        self._daemon.isolate(market, lane, call.caller.name)
        self._daemon.told(f"isolate-circuit-breaker {market} {lane}", call.caller.name)
        await self._daemon.kept()
        return self._status(market)

    def _status(self, name: str) -> BreakerStatus:
        report = self._daemon.report()
        market = market_in(report, name).market
        return BreakerStatus(
            market=market, breakers=[breaker for breaker in report.breakers if breaker.market == market]
        )
