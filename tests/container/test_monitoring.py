"""The profile `monitoring` for real: Prometheus in its container scrapes the daemon, and may do nothing else.

Where Prometheus' published image is not at hand, the server of this machine's own package runs in its place, with the
user, the folder and the health check that the published one would have. Grafana is not started here.
"""

import json
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.support.engine import ROOT, House, busy_config, docker, inspected, ran, until
from tests.support.prometheus import Prometheus, tool

pytestmark = pytest.mark.engine

MARKETS = 27
PUBLISHED = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["image"]
STAND_IN = "kangbot-prometheus"
DOCKERFILE = """
FROM python:3.11-slim-bookworm
COPY prometheus /bin/prometheus
COPY wget /usr/bin/wget
WORKDIR /prometheus
RUN chown -R nobody:nogroup /prometheus && chmod g+w /prometheus && chmod +x /usr/bin/wget
USER nobody
VOLUME ["/prometheus"]
ENTRYPOINT ["/bin/prometheus"]
"""
WGET = "#!/usr/bin/env python\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[-1], timeout=3)\n"


@pytest.fixture(scope="module")
def server(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the compose file needs beside it: the image of Prometheus that there is."""
    folder = tmp_path_factory.mktemp("server")
    name = PUBLISHED
    if ran(("docker", "image", "inspect", PUBLISHED)).returncode:
        shutil.copy(tool("prometheus"), folder / "prometheus")
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "wget").write_text(WGET)
        docker("build", "--tag", STAND_IN, str(folder))
        name = STAND_IN
    beside = folder / "compose.yml"
    beside.write_text(yaml.safe_dump({"services": {"prometheus": {"image": name}}}))
    return beside


@pytest.fixture(scope="module")
def house(server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The daemon with its database and exchange, watched."""
    folder = tmp_path_factory.mktemp("config")
    for above in (folder, *folder.parents[:3]):
        above.chmod(0o755)  # the daemon's user reads it from within
    (folder / "kangbot.toml").write_text(busy_config())
    shutil.copy(ROOT / "tests" / "support" / "strategies" / "hangs.py", folder)
    made = House(folder, None, str(server), project="kangbot-watched", profiles=["monitoring"])
    made.compose("down", "--volumes", "--timeout", "60")
    try:
        made.compose("up", "--detach", "kangbot", "exchange", "prometheus", "grafana-secrets")
        made.reported(lambda r: r.live == MARKETS and r.orders.filled > 0, "all live and trading", 120)
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "60")


@pytest.fixture(scope="module")
def prometheus(house: House) -> Prometheus:
    """The server, over this machine's loopback."""
    return Prometheus(f"http://127.0.0.1:{house.port('PROMETHEUS_PORT')}")


def status(url: str, *, token: str = "", method: str = "GET", host: str = "") -> int:
    """Return the status of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Host": host} if host else {}
    try:
        with urlopen(Request(url, method=method, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_prometheus_scrapes_the_daemon_beside_it(house: House, prometheus: Prometheus) -> None:
    """By its name within, with the token in a file, and it has the alerts."""
    assert prometheus.asked("up == 1") == [1]
    assert prometheus.asked("count(kangbot_market_state)") == [MARKETS]
    assert prometheus.asked("kangbot_history_connections > 0")  # MariaDB's pool
    with urlopen(f"{prometheus.url}/api/v1/rules", timeout=10) as answer:
        (group,) = json.load(answer)["data"]["groups"]
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
    until(lambda: inspected(house.name("prometheus"), "{{.State.Health.Status}}") == "healthy", "healthy", 90)


def test_prometheus_can_look_and_nothing_else(house: House) -> None:
    """One token on a read-only file system, no capability, no way to the database."""
    name = house.name("prometheus")
    assert house.within("prometheus", "ls", "-A", "/run/secrets/control") == "read.token"
    refused = ran(("docker", "exec", name, "touch", "/run/secrets/control/here"))
    assert "Read-only file system" in refused.stderr
    fields = dict(
        line.split(":", 1) for line in house.within("prometheus", "cat", "/proc/1/status").splitlines() if ":" in line
    )
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Uid"].split() == ["10001"] * 4
    networks = json.loads(inspected(name, "{{json .NetworkSettings.Networks}}"))
    assert list(networks) == ["kangbot-watched_monitoring"]
    token = house.within("prometheus", "cat", "/run/secrets/control/read.token")
    url = f"http://127.0.0.1:{house.port('KANGBOT_PORT')}"
    assert status(f"{url}/metrics", token=token) == HTTPStatus.OK
    assert status(f"{url}/stop-all", token=token, method="POST") == HTTPStatus.FORBIDDEN


def test_the_control_api_is_on_the_loopback_of_this_machine_by_token(house: House) -> None:
    """And under the names that it was given, whoever asks."""
    bound = json.loads(inspected(house.name("kangbot"), "{{json .NetworkSettings.Ports}}"))
    assert [one["HostIp"] for ports in bound.values() for one in ports or []] == ["127.0.0.1"]
    url = f"http://127.0.0.1:{house.port('KANGBOT_PORT')}"
    assert status(f"{url}/live") == HTTPStatus.OK
    assert status(f"{url}/metrics") == HTTPStatus.UNAUTHORIZED
    assert status(f"{url}/live", host="kangbot:8787") == HTTPStatus.OK
    assert status(f"{url}/live", host="rebound.example:8787") == HTTPStatus.FORBIDDEN
    token = house.within("kangbot", "cat", "/var/lib/kangbot/control.token")
    assert status(f"{url}/report", token=token) == HTTPStatus.OK


def test_grafanas_password_is_drawn_once(house: House, image: str) -> None:
    """A second start leaves it alone."""

    def drawn() -> str:
        volume = "kangbot-watched_grafana-secrets:/run/secrets/grafana:ro"
        return docker("run", "--rm", "-v", volume, "--entrypoint", "cat", image, "/run/secrets/grafana/admin_password")

    until(lambda: inspected(house.name("grafana-secrets"), "{{.State.Status}}") == "exited", "the end of the draw")
    before = drawn()
    assert len(before) == 48
    assert before not in house.log("grafana-secrets")
    house.compose("up", "--detach", "grafana-secrets")
    until(lambda: inspected(house.name("grafana-secrets"), "{{.State.Status}}") == "exited", "the end of the draw")
    assert drawn() == before
