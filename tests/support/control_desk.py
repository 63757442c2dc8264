"""A control server on loopback over a daemon of one market, as the tests of its doors need one."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kangbot.control.server import ControlServer, Listen
from kangbot.errors import NeedsHuman
from kangbot.health.report import Report
from kangbot.market.killswitch import Standing
from kangbot.market.roster import Command, Place, UnknownMarketError
from kangbot.model.ids import MarketId
from kangbot.runtime.world import Clock

MARKET = MarketId("v:A")

REPORT = msgspec.convert(
    {
        "version": "0",
        "mode": "sandbox",
        "pid": 1,
        "started_ns": 0,
        "at_ns": 1,
        "markets": [
            {
                "market": MARKET,
                "symbol": "A/USDT:USDT",
                "strategy": "s",
                "timeframe": "1m",
                "state": "live",
                "reason": "",
                "desired": "running",
                "since_ns": 0,
                "price": "10.5",
                "feed_age_s": 0.1,
                "net": "2",
                "entry": "10",
                "stop": "9",
                "unrealised": "1",
                "realised": "0",
                "fees": "0",
                "target": None,
                "signal": "",
                "blocked": "",
                "ticks": 1,
                "bars": 1,
                "decisions": 1,
                "orders": {},
                "falls": 0,
            }
        ],
        "total": 1,
        "live": 1,
        "frames": 0,
        "bars": 0,
        "decisions": 0,
        "orders": {},
        "reconnects": 0,
        "frame_to_decision_ms": {},
        "frame_to_order_ms": {},
        "loop_lag_ms": {},
        "loop_lag_recent_ms": {},
        "loop": "asyncio",
        "rss_mb": 1.0,
        "rss_peak_mb": 1.0,
        "cpu_percent": 0.0,
        "handles": 1,
        "equity": {},
        "journal_sequence": 1,
        "history": "sqlite",
        "history_backlog": 0,
        "history_away": "",
    },
    type=Report,
    strict=False,
)


class Desk:
    """A daemon of one market that notes what it is told."""

    def __init__(self) -> None:
        self.obeyed: list[tuple[object, ...]] = []
        self.journal: list[tuple[str, str]] = []
        self.waits = ""
        self.disk_full = False

    def report(self) -> Report:
        return REPORT

    def ready(self) -> str:
        return self.waits

    def config(self) -> Mapping[str, object]:
        return {"mode": "sandbox"}

    def told(self, what: str, caller: str) -> None:
        self.journal.append((what, caller))

    def command(self, market: MarketId, command: Command, caller: str) -> Place:
        self._known(market)
        self.obeyed.append((market, command, caller))
        return Place()

    def command_all(self, command: Command, caller: str) -> None:
        self.obeyed.append((command, caller))

    async def kept(self) -> None:
        """Nothing is on its way to a disk."""

    async def kill(self, reason: str, caller: str, *, flatten: bool) -> Standing:
        self.obeyed.append(("kill", reason, flatten, caller))
        if self.disk_full:
            raise NeedsHuman("no disk took it", remedy="make room")
        return Standing(killed=reason, flatten=flatten, kept=("file",))

    async def release(self, caller: str) -> Standing:
        self.obeyed.append(("release", caller))
        return Standing(killed="", flatten=False, kept=())

    def release_market(self, market: MarketId, caller: str) -> None:
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


def free_port() -> int:
    """Return a port of the loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(folder: Path, *, names: tuple[str, ...] = ()) -> AsyncIterator[Served]:
    """Serve a desk over both doors."""
    desk, port = Desk(), free_port()
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
