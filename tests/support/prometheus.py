"""Prometheus for the tests: its tool that judges, a server that scrapes, and a reader of its format.

The reader is not ours: what it understands is what any scraper does.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.ports import own_port

CONFIG = Path(__file__).parents[2] / "config"
_PATIENCE_S = 120


def tool(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; without it the test is skipped, but not where CI=true."""
    found = shutil.which(name)
    if found is None:
        assert os.environ.get("CI") != "true", f"there is no {name}, and CI skips nothing"
        pytest.skip(f"there is no {name}; install the package prometheus")
    return found


def promtool(*arguments: str, given: str | None = None) -> None:
    """Have Prometheus' own tool judge."""
    judged = subprocess.run(
        [tool("promtool"), *arguments], input=given, capture_output=True, text=True, check=False, timeout=60
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def families(text: str) -> dict[str, Metric]:
    """Return what a scraper understands of the text, by the name in its TYPE line."""
    read = text_string_to_metric_families(text)
    return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in read}


def scrape(port: int, token: Path) -> str:
    """Return what a daemon on the loopback serves at `/metrics` for the token in the file."""
    headers = {"Authorization": f"Bearer {token.read_text().strip()}"}
    with urlopen(Request(f"http://127.0.0.1:{port}/metrics", headers=headers), timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
        return str(answer.read().decode())


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server that scrapes."""

    url: str

    def once(self, query: str) -> list[float]:
        """Return the values of a query now; none where the server is not ready. AssertionError where it is no query."""
        try:
            with urlopen(f"{self.url}/api/v1/query?query={quote(query)}", timeout=60) as answer:
                said = json.load(answer)["data"]
        except HTTPError as error:
            if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
                return []
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        if said["resultType"] == "scalar":
            return [float(said["result"][1])]
        return [float(one["value"][1]) for one in said["result"]]

    def asked(self, query: str) -> list[float]:
        """Return the values of a query, as soon as there are any."""
        over = time.monotonic() + _PATIENCE_S
        while time.monotonic() < over:
            with suppress(URLError):  # nobody listens yet
                if found := self.once(query):
                    return found
            time.sleep(0.5)
        raise AssertionError(f"{query} has no value after {_PATIENCE_S} s")


@contextmanager
def scraping(folder: Path, port: int, token: Path) -> Iterator[Prometheus]:
    """Run a server with the configuration that ships, every second, on a daemon of the loopback."""
    config = (CONFIG / "prometheus" / "prometheus.yml").read_text().replace("127.0.0.1:8787", f"127.0.0.1:{port}")
    config = config.replace("/etc/prometheus/kangbot.token", str(token)).replace("15s", "1s")
    (folder / "prometheus.yml").write_text(config)
    shutil.copy(CONFIG / "prometheus" / "alerts.yml", folder)
    own = own_port()
    arguments = (
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{own}",
    )
    with (
        (folder / "prometheus.log").open("w") as log,
        subprocess.Popen([tool("prometheus"), *arguments], stderr=log) as process,
    ):
        try:
            yield Prometheus(f"http://127.0.0.1:{own}")
        finally:
            process.terminate()
