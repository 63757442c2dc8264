"""A container engine, and what the tests do with it: compose projects and the exchange beside them."""

import functools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pymysql

from kangbot.cli.demo.processes import Sandbox
from kangbot.health.report import Report
from kangbot.settings.paths import shipped_config
from tests.support.agreement import Query
from tests.support.ports import own_port

ROOT = Path(__file__).parents[2]
PROJECT = "kangbot-test"


def ran(
    command: Sequence[str], *, timeout_s: float = 600, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, whatever comes of it."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def docker(*arguments: str, timeout_s: float = 600) -> str:
    """Run docker, which must succeed, and return what it prints."""
    done = ran(("docker", *arguments), timeout_s=timeout_s)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def missing() -> str:
    """Return why there is no engine here; "" where there is one."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    done = ran(("docker", "info", "--format", "{{.ServerVersion}}"))
    return "" if done.returncode == 0 else f"no container engine answers: {done.stderr.strip()[-200:]}"


@functools.cache
def compose_command() -> tuple[str, ...]:
    """Return the command of Compose: the plugin of docker, or the older program."""
    plugin = ran(("docker", "compose", "version")).returncode == 0
    return ("docker", "compose") if plugin else ("docker-compose",)


def busy_config() -> str:
    """Return the demo's configuration with twenty markets deciding each second, within what the exchange allows.

    The others need more bars than the exchange has trades for, so they stay on its minutes: a start waits for nothing.
    """
    return (
        shipped_config("demo.toml")
        .read_text()
        .replace('strategy = "rsi_reversion"', 'strategy = "rsi_reversion"\ntimeframe = "of its own"')
        .replace('timeframe = "1m"', 'timeframe = "1s"')
        .replace('timeframe = "2s"', 'timeframe = "1s"')
        .replace('timeframe = "5s"', 'timeframe = "1s"')
        .replace('timeframe = "of its own"', 'timeframe = "1m"')
        .replace("fast = 3", "fast = 2")
        .replace("slow = 8", "slow = 5")
        .replace('"ema_cross"', '"hangs.py"')
        .replace("requests_per_second = 100", "requests_per_second = 10")
        .replace("data_requests_per_second = 40", "data_requests_per_second = 20")
    )


def inspected(name: str, template: str) -> str:
    """Return what `docker inspect` says."""
    return docker("inspect", "--format", template, name)


def until(holds: Callable[[], bool], what: str, within_s: float = 60.0) -> float:
    """Wait until it holds, and return how long that took in seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.2)
    return time.monotonic() - began


class Neighbour(Sandbox):
    """The exchange in its container, asked over the engine's own bridge."""

    def __init__(self, address: str) -> None:
        self.rest_url = f"http://{address}:8790"

    def go_on(self) -> None:
        """Let prices move again."""
        self._call("POST", "/sandbox/pause", {"paused": False})


class House:
    """The compose project of a test run, with the profile `sandbox` and those of `profiles`."""

    def __init__(
        self,
        config: Path,
        environment: Mapping[str, str] | None = None,
        *beside: str,
        project: str = PROJECT,
        profiles: Sequence[str] = (),
    ) -> None:
        self.config = config
        self._project = project
        self._profiles = tuple(part for profile in ("sandbox", *profiles) for part in ("--profile", profile))
        self._beside = ("tests/container/compose.yml", *beside)
        ports = {name: str(own_port()) for name in ("KANGBOT_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")}
        self._environment = {"KANGBOT_CONFIG_FOLDER": str(config), **ports, **(environment or {})}

    def compose(self, *arguments: str) -> str:
        """Run Compose on the shipped file with the test's own beside it; it must succeed."""
        files = ("-f", "docker-compose.yml", *(part for file in self._beside for part in ("-f", file)))
        command = (*compose_command(), "-p", self._project, *files, *self._profiles, *arguments)
        done = ran(command, environment=self._environment)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout.strip()

    def name(self, service: str) -> str:
        """Return the id of the service's container."""
        return docker(
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            f"label=com.docker.compose.project={self._project}",
            "--filter",
            f"label=com.docker.compose.service={service}",
        )

    def port(self, name: str) -> int:
        """Return the port on this machine's loopback that the variable names, such as KANGBOT_PORT."""
        return int(self._environment[name])

    def within(self, service: str, *command: str) -> str:
        """Run a command in the service's container; it must succeed."""
        return docker("exec", self.name(service), *command)

    def address(self, service: str) -> str:
        """Return the service's address on the inner network."""
        networks = json.loads(inspected(self.name(service), "{{json .NetworkSettings.Networks}}"))
        return str(networks[f"{self._project}_inside"]["IPAddress"])

    @property
    def exchange(self) -> Neighbour:
        """The exchange."""
        return Neighbour(self.address("exchange"))

    def report(self) -> Report | None:
        """Return what the daemon says of itself; None while nobody answers."""
        done = ran(("docker", "exec", self.name("kangbot"), "kangbot", "status", "--json"))
        return msgspec.json.decode(done.stdout, type=Report) if done.returncode == 0 else None

    def reported(self, holds: Callable[[Report], bool], what: str, within_s: float = 90.0) -> Report:
        """Wait for a report for which it holds, and return it."""
        found: list[Report] = []

        def look() -> bool:
            report = self.report()
            if report is not None and holds(report):
                found.append(report)
            return bool(found)

        until(look, f"{what}; the log ends with: {self.log()[-1500:]}", within_s)
        return found[0]

    def charged(self, service: str) -> str | None:
        """Return the memory that the service's container is charged, such as "64MiB".

        None where the engine has no sample of it: it says "0B / 0B" then, for the limit as well, which is no figure.
        """
        said = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self.name(service))
        used, _, limit = said.partition(" / ")
        return None if limit == "0B" else used

    def log(self, service: str = "kangbot") -> str:
        """Return what the service has said on both streams."""
        done = ran(("docker", "logs", "--tail", "400", self.name(service)))
        return done.stdout + done.stderr

    def state(self, folder: Path) -> Path:
        """Copy the daemon's state folder out of its volume, and return where it is."""
        shutil.rmtree(folder, ignore_errors=True)
        docker("cp", f"{self.name('kangbot')}:/var/lib/kangbot/.", str(folder))
        return folder

    def query(self) -> Query:
        """Return what asks the history database, as the daemon's own user."""
        password = self.within("mariadb", "cat", "/run/secrets/database/password")
        host = self.address("mariadb")

        def query(sql: str) -> Sequence[tuple[Any, ...]]:
            with pymysql.connect(host=host, user="kangbot", password=password, database="kangbot") as connection:
                cursor = connection.cursor()
                cursor.execute(sql)
                return cursor.fetchall()

        return query
