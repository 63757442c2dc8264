"""A control server on loopback over a daemon of one market, as the tests of its doors need one."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from msgspec import structs

from kangbot.control.server import ControlServer, Listen
from kangbot.errors import NeedsHuman, Retryable
from kangbot.health.checks import Health, health_of
from kangbot.health.metrics import exposition
from kangbot.health.report import BreakerReport, LatencyReport, Reloaded, Report
from kangbot.market.drawdown import Recount
from kangbot.market.killswitch import Standing
from kangbot.market.naming import UnknownMarketError
from kangbot.market.roster import Command, Place
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.ports import Page, Row
from kangbot.runtime.world import Clock
from kangbot.settings.health import HealthSettings
from tests.support.ports import own_port
from tests.support.reporting import a_market, a_report

MARKET = MarketId("v:A")
NEVER_TRADED = MarketId("w:Z")

REPORT = a_report(
    a_market(market=MARKET, net=Decimal(2), entry=Decimal(10), stop=Decimal(9)),
    breakers=[
        BreakerReport(
            market=MARKET, lane="entry", state="open", since_ns=1, until_ns=2, failures=10, trips=1, cause="timeouts"
        )
    ],
)


RECOUNT = Recount(
    reset=True,
    currency="USDT",
    equity=Decimal("874.5"),
    highest=Decimal(1000),
    drawdown_percent=Decimal("12.55"),
    held=(),
)


class Desk:
    """A daemon of one market that notes what it is told."""

    def __init__(self) -> None:
        self.obeyed: list[tuple[object, ...]] = []
        self.journal: list[tuple[str, str]] = []
        self.waits = ""
        self.hangs = ""  # which part
        self.disk_full = False
        self.away = False
        self.broken = True  # a breaker is open: its only market cannot enter, which is critical
        self.asked: list[Page] = []
        self.recount = RECOUNT
        self.now = REPORT

    def report(self) -> Report:
        return self.now

    def lately(self) -> Report:
        return self.report()

    def names(self) -> Collection[MarketId]:
        return (MARKET,)

    def latency(self, market: MarketId) -> LatencyReport:
        self._known(market)
        return LatencyReport(market=market, bounds_ms=[0.064, 0.128], counts=[1, 20, 3], longest_ms=4.5)

    def stuck(self) -> str:
        return self.hangs

    def metrics(self) -> str:
        return exposition(REPORT, self.health(), {}, {})

    def health(self) -> Health:
        breakers = REPORT.breakers if self.broken else []
        return self.judge(structs.replace(REPORT, stuck=self.hangs, breakers=breakers))

    def judge(self, report: Report) -> Health:
        return health_of(report, HealthSettings().thresholds)

    def unready(self) -> str:
        return self.waits

    def config(self) -> Mapping[str, object]:
        return {"mode": "sandbox"}

    async def reload_config(self, caller: str) -> Reloaded:
        return Reloaded(applied=[f"read for {caller}"])

    def told(self, what: str, caller: str) -> None:
        self.journal.append((what, caller))

    async def page(self, page: Page) -> Sequence[Row]:
        self.asked.append(page)
        if self.away:
            raise Retryable("the history is away")
        if page.market == NEVER_TRADED:
            return []
        return [{"market": page.market, "filled": "1.5", "number": 3}]

    def reset_breaker(self, market: MarketId, lane: Lane | None, caller: str) -> None:
        self._known(market)
        self.obeyed.append(("reset", market, lane, caller))

    def isolate(self, market: MarketId, lane: Lane, caller: str) -> None:
        self._known(market)
        self.obeyed.append(("isolate", market, lane, caller))

    def force_retry(self, market: MarketId, caller: str) -> None:
        self._known(market)
        self.obeyed.append(("retry", market, caller))

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        self._known(market)
        self.obeyed.append((market, command, caller))
        return Place()

    def command_all(self, command: Command, caller: str) -> None:
        self.obeyed.append((command, caller))

    async def kept(self) -> None:
        if self.disk_full:
            raise NeedsHuman("a restart would forget it", remedy="make room")

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        self.obeyed.append(("kill", reason, flatten, caller))
        if self.disk_full:
            raise NeedsHuman("no disk took it", remedy="make room")
        return Standing(killed=reason, flatten=flatten, kept=("file",))

    async def release(self, caller: str) -> Standing:
        self.obeyed.append(("release", caller))
        return Standing(killed="", flatten=False, kept=())

    def reset_drawdown(self, caller: str) -> Recount:
        self.obeyed.append(("reset drawdown", caller))
        return self.recount

    async def release_market(self, market: MarketId, caller: str) -> None:
        self._known(market)
        self.obeyed.append(("release", market, caller))

    def _known(self, market: MarketId) -> None:
        if market != MARKET:
            raise UnknownMarketError(f"no market {market!r} runs here")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers, its tokens, and the daemon behind it."""

    desk: Desk
    server: ControlServer
    port: int
    socket: Path
    control: str
    read: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(folder: Path, *, names: tuple[str, ...] = ()) -> AsyncIterator[Served]:
    """Serve a desk over both doors."""
    desk, port = Desk(), own_port()
    listen = Listen(port=port, names=names, control_token=folder / "control.token", read_token=folder / "read.token")
    server = ControlServer(desk, folder / "control.sock", clock=Clock(), listen=listen)
    await server.start()
    try:
        yield Served(
            desk,
            server,
            port,
            folder / "control.sock",
            (folder / "control.token").read_text().strip(),
            (folder / "read.token").read_text().strip(),
        )
    finally:
        await server.aclose()
