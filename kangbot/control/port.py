"""What the daemon lets a caller see and do: the port behind every route."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Protocol

from kangbot.health.checks import Health
from kangbot.health.report import LatencyReport, Reloaded, Report
from kangbot.market.drawdown import Recount
from kangbot.market.killswitch import Standing
from kangbot.market.roster import Command, Place
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.ports import Page, Row


class Controlled(Protocol):
    """The daemon. `caller` is who asks, for the journal."""

    def report(self) -> Report:
        """Return the whole daemon at this moment."""

    def lately(self) -> Report:
        """Return the same, or how it was a moment ago: for those who look."""

    def names(self) -> Collection[MarketId]:
        """Return the names of the markets."""

    def latency(self, market: MarketId) -> LatencyReport:
        """Return how long the market's decisions took. UnknownMarketError where there is none."""

    def stuck(self) -> str:
        """Return which vital part has work and does none: the process should be ended; "" where none is stuck."""

    def metrics(self) -> str:
        """Return the figures in Prometheus' text format."""

    def health(self) -> Health:
        """Return how well the daemon is."""

    def judge(self, report: Report) -> Health:
        """Return how well the daemon is that says this of itself."""

    def unready(self) -> str:
        """Return why the daemon does not do its work yet; "" where it does."""

    def config(self) -> Mapping[str, object]:
        """Return the configuration as plain data, without a secret."""

    def page(self, page: Page) -> Awaitable[Sequence[Row]]:
        """Return a page of the history. Retryable where it is away."""

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        """Command one market. UnknownMarketError where there is none."""

    def command_all(self, command: Command, caller: str) -> None:
        """START (staggered, in the background) or STOP every market."""

    def kept(self) -> Awaitable[None]:
        """Wait until what was commanded is on disk. NeedsHuman where a restart would forget it."""

    def kill(self, reason: str, caller: str, *, flatten: bool) -> Awaitable[Standing]:
        """Set the kill switch. NeedsHuman where no disk took it."""

    def release(self, caller: str) -> Awaitable[Standing]:
        """Release the kill switch. NeedsHuman where it stays set."""

    def reset_drawdown(self, caller: str) -> Recount:
        """Count the drawdown anew from the equity of now. Refused before the daemon's work and at its end."""

    def release_market(self, market: MarketId, caller: str) -> Awaitable[None]:
        """Lift a market's quarantine, and wait until that is on disk. UnknownMarketError where there is none.

        Retryable where the market does not come to it, NeedsHuman where a restart would bring the quarantine back.
        """

    def reset_breaker(self, market: MarketId, lane: Lane | None, caller: str) -> None:
        """Close the market's breakers, or one lane's. UnknownMarketError where there is none of that name."""

    def isolate(self, market: MarketId, lane: Lane, caller: str) -> None:
        """Keep a lane's breaker open until it is reset. UnknownMarketError as above."""

    def force_retry(self, market: MarketId, caller: str) -> None:
        """Probe the market's open lanes now, and have refused entries tried soon. UnknownMarketError as above."""

    def reload_config(self, caller: str) -> Awaitable[Reloaded]:
        """Read the configuration's file and apply what is different. Refused while nothing can be changed."""

    def told(self, what: str, caller: str) -> None:
        """Write into the journal that `caller` was obeyed."""
