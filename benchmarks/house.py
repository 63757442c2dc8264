"""What the benchmarks of whole processes share: a venue, a database and a daemon to be measured from outside.

Cost is read as the kernel counts it for a process (`psutil`), over an interval, never from start-up on.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from kangbot.cli.demo.processes import Daemon, wait_for
from kangbot.control.client import ControlClient, NoDaemonError
from kangbot.health.report import Report
from tests.support.mariadb import MariadbServer, binary

MIB = 1024 * 1024
RECORDED = Path(os.environ.get("KANGBOT_RECORDED") or Path(__file__).parents[1].parent / "shared" / "data")
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A process at one moment."""

    at_s: float
    cpu_s: float
    rss_mb: float

    def cpu_percent(self, before: "Reading") -> float:
        """Return the share of one core since `before`."""
        return round((self.cpu_s - before.cpu_s) / (self.at_s - before.at_s) * 100, 2)


def read(process: psutil.Process) -> Reading:
    """Return what the process has cost until now."""
    with process.oneshot():
        times = process.cpu_times()
        return Reading(time.perf_counter(), times.user + times.system, round(process.memory_info().rss / MIB, 1))


def peak_mb(pid: int) -> float:
    """Return the kernel's high-water mark of the process's memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("no VmHWM: this is not Linux")


@contextmanager
def scratch(place: Path | None = None) -> Iterator[Path]:
    """Make a folder that goes with the block; on the working folder's disk unless `place` says otherwise."""
    with tempfile.TemporaryDirectory(dir=place or Path.cwd(), prefix=".bench-") as folder:
        yield Path(folder)


@contextmanager
def speaking(module: str, *arguments: str) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    """`python -m module` for as long as the block lasts: the JSON of its first line, and the process."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline()), psutil.Process(process.pid)
        finally:
            process.terminate()


def load_venue(
    markets: int, rate: float, most: int = 10, recordings: Sequence[Path] = ()
) -> AbstractContextManager[tuple[dict[str, str], psutil.Process]]:
    """Serve a venue that only talks (`benchmarks/load.py`), and bears `most` messages a second of a connection.

    With `recordings` it talks at their moments, and `rate` does not count.
    """
    said = ("--moments", *map(str, recordings)) if recordings else ("--rate", str(rate))
    return speaking("benchmarks.load", "--markets", str(markets), "--most", str(most), *said)


@contextmanager
def database(folder: Path) -> Iterator[MariadbServer | None]:
    """Start a private MariaDB; None where it is not installed: the daemon has its embedded history then."""
    if binary() is None:
        yield None
        return
    server = MariadbServer(folder / "mariadb")
    try:
        server.start()
        yield server
    finally:
        server.close()


class Served:
    """What a database server was asked since this was made, by its own counters, without the asking of them."""

    def __init__(self, server: MariadbServer) -> None:
        self._server = server
        first, self._before = self._counters(), self._counters()
        self._asking = {name: self._before[name] - first[name] for name in first}

    def read(self) -> dict[str, int]:
        """Return `{"Connections": …, "Questions": …}`."""
        after = self._counters()
        return {name: after[name] - self._before[name] - self._asking[name] for name in after}

    def _counters(self) -> dict[str, int]:
        rows = self._server.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Questions')")
        return {name: int(count) for name, count in rows}


class House:
    """One daemon on one configuration, in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        config: str,
        addresses: Mapping[str, str],
        history: MariadbServer | None,
        environment: Mapping[str, str],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "kangbot.toml"
        path.write_text(config)
        self.state = folder / "state"
        environment = {
            **environment,
            "KANGBOT_STATE_DIR": str(self.state),
            "KANGBOT_VENUES__BYBIT__REST_URL": addresses["rest_url"],
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": addresses["ws_public_url"],
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": addresses["ws_private_url"],
        }
        if history is not None:
            environment["KANGBOT_DATABASE__URL"] = history.url(history.database())
        self.client = ControlClient(self.state / "control.sock")
        self._began_s = time.perf_counter()
        self._daemon = Daemon(config=path, state=self.state, environment=environment, log=folder / "daemon.log")
        self.process = psutil.Process(self._daemon.pid)
        try:
            wait_for(self.state / "control.sock", self._daemon)
        except BaseException:
            self.close()
            raise

    @property
    def age_s(self) -> float:
        """Seconds since the daemon was started."""
        return time.perf_counter() - self._began_s

    def until(self, holds: Callable[[Report], bool]) -> Report:
        """Return the first report for which `holds`. Asking is part of the cost, so it is seldom."""
        until_s = time.perf_counter() + _PATIENCE_S
        while time.perf_counter() < until_s:
            try:
                report = self.client.report()
            except NoDaemonError:
                if self._daemon.ended is not None:
                    raise RuntimeError(f"the daemon ended:\n{self._daemon.last_lines()}") from None
            else:
                if holds(report):
                    return report
            time.sleep(0.5)
        raise RuntimeError(f"not within {_PATIENCE_S:.0f} s:\n{self._daemon.last_lines()}")

    def close(self) -> None:
        """Stop the daemon in order."""
        self._daemon.stop()


@contextmanager
def running(
    folder: Path,
    config: str,
    addresses: Mapping[str, str],
    history: MariadbServer | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[House]:
    """Run a daemon for as long as the block lasts."""
    house = House(folder, config, addresses, history, environment)
    try:
        yield house
    finally:
        house.close()


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    with Path("/proc/cpuinfo").open() as lines:
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": models[0] if models else "unknown",
        "memory_mb": psutil.virtual_memory().total // MIB,
        "kernel": os.uname().release,
        "python": sys.version.split()[0],
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }
