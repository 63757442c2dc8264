"""A real Prometheus, with the configuration that ships, scrapes a real daemon of 27 markets."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from kangbot.cli.demo.processes import Sandbox
from tests.support.control_desk import free_port
from tests.support.processes import Life

pytestmark = [pytest.mark.process]
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "prometheus"
PATIENCE_S = 40


def asked(port: int, query: str) -> list[float]:
    """Return the values of a query, as soon as there are any."""
    over = time.monotonic() + PATIENCE_S
    while time.monotonic() < over:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}", timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except URLError:
            found = []
        if found:
            return [float(one["value"][1]) for one in found]
        time.sleep(0.5)
    raise AssertionError(f"{query} has no value after {PATIENCE_S} s")


def test_prometheus_scrapes_a_daemon_with_the_token_that_may_look(tmp_path: Path) -> None:
    """It is up, knows every market and the score, and takes the rules."""
    server = shutil.which("prometheus")
    if server is None:
        assert os.environ.get("CI") != "true", "there is no prometheus, and CI skips nothing"
        pytest.skip("there is no prometheus; install the package prometheus")
    sandbox, port, own = Sandbox(seed=7, log=tmp_path / "sandbox.log"), free_port(), free_port()
    environment = {
        "KANGBOT_CONTROL__PORT": str(port),
        "KANGBOT_VENUES__BYBIT__REST_URL": sandbox.rest_url,
        "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": sandbox.ws_public_url,
        "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": sandbox.ws_private_url,
    }
    life = Life(tmp_path, (ROOT / "config" / "demo.toml").read_text(), 27, environment)
    try:
        life.start()
        life.live()
        config = (CONFIG / "prometheus.yml").read_text().replace("127.0.0.1:8787", f"127.0.0.1:{port}")
        config = config.replace("/etc/prometheus/kangbot.token", str(life.state / "read.token")).replace("15s", "1s")
        (tmp_path / "prometheus.yml").write_text(config)
        shutil.copy(CONFIG / "alerts.yml", tmp_path)
        arguments = (f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}")
        with (
            (tmp_path / "prometheus.log").open("w") as log,
            subprocess.Popen([server, *arguments, f"--web.listen-address=127.0.0.1:{own}"], stderr=log) as process,
        ):
            try:
                assert asked(own, "up == 1") == [1]
                assert asked(own, "count(kangbot_market_state)") == [27]
                assert 0 < asked(own, "kangbot_health_score")[0] <= 100
                assert asked(own, "kangbot_rest_call_seconds_count > 0")
            finally:
                process.terminate()
    finally:
        life.close()
        sandbox.close()
