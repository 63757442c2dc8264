"""Prometheus and Grafana of docker-compose.yml: what they may, what they are given, and that it is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.grafana import FOLDER, dashboard
from tests.support.prometheus import CONFIG, promtool

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
MONITORING = [name for name, service in SERVICES.items() if service.get("profiles") == ["monitoring"]]


def mounted(service: str) -> dict[str, str]:
    """Return what is mounted where: path within, as it is named outside."""
    parts = (volume.split(":") for volume in SERVICES[service]["volumes"])
    return {part[1]: part[0] for part in parts}


def provisioned(kind: str) -> Any:
    """Return what Grafana is given of that kind."""
    (file,) = (FOLDER / "provisioning" / kind).glob("*.yml")
    return yaml.safe_load(file.read_text())[{"dashboards": "providers"}.get(kind, kind)]


def test_the_profile_has_three_services() -> None:
    """None of them comes up without being asked for."""
    assert sorted(MONITORING) == ["grafana", "grafana-secrets", "prometheus"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_sealed_off(service: str) -> None:
    """Read-only, no capabilities, no new privileges, bounds for memory, processes and logs."""
    found = SERVICES[service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["mem_limit"]
    assert found["pids_limit"] <= 256
    assert found["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert "privileged" not in found


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_published_is_on_the_loopback(service: str) -> None:
    """Of the machine itself."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", MONITORING)
def test_who_watches_sees_neither_state_nor_database_nor_keys(service: str) -> None:
    """Not their volumes, not their network, not the token that may command."""
    volumes = set(mounted(service).values())
    assert not volumes & {"state", "database", "database-secrets"}
    assert "secrets" not in SERVICES[service]
    assert "inside" not in SERVICES[service].get("networks", [])


def test_prometheus_scrapes_the_daemon_by_the_name_and_the_token_that_it_has() -> None:
    """The compose file says both, to the one and to the other."""
    daemon, config = SERVICES["kangbot"]["environment"], yaml.safe_load((CONFIG / "prometheus/compose.yml").read_text())
    (job,) = config["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    token = job["authorization"]["credentials_file"]
    assert target == "kangbot:8787"
    assert daemon["KANGBOT_CONTROL__HOSTS"] == "${KANGBOT_HOSTS:-kangbot}"
    assert daemon["KANGBOT_CONTROL__READ_TOKEN_FILE"] == token
    folder = str(Path(token).parent)
    assert mounted("kangbot")[folder] == mounted("prometheus")[folder] == "read-token"
    assert mounted("prometheus")["/etc/prometheus"] == "./config/prometheus"
    assert SERVICES["prometheus"]["user"].startswith("10001:")  # whom the token's file belongs to


def test_promtool_takes_the_configuration_of_the_container() -> None:
    """Its syntax, and the alerts beside it."""
    promtool("check", "config", "--syntax-only", str(CONFIG / "prometheus" / "compose.yml"))


def test_both_configurations_ask_alike() -> None:
    """But for where the daemon and its token are."""
    alone, beside = (
        yaml.safe_load((CONFIG / "prometheus" / name).read_text()) for name in ("prometheus.yml", "compose.yml")
    )
    for config in (alone, beside):
        (job,) = config["scrape_configs"]
        assert job["authorization"].pop("credentials_file")
        assert job.pop("static_configs")
    assert alone == beside


def test_grafana_asks_the_prometheus_beside_it_and_shows_the_dashboard_that_ships() -> None:
    """By the paths that are mounted, at the pace at which it is scraped."""
    (datasource,), (provider,) = provisioned("datasources"), provisioned("dashboards")
    scraped = yaml.safe_load((CONFIG / "prometheus" / "compose.yml").read_text())["global"]["scrape_interval"]
    assert datasource["url"] == "http://prometheus:9090"
    assert datasource["jsonData"]["timeInterval"] == scraped
    paths = mounted("grafana")
    for kind in ("datasources", "dashboards"):
        assert paths[f"/etc/grafana/provisioning/{kind}"] == f"./config/grafana/provisioning/{kind}"
    assert paths[provider["options"]["path"]] == "./config/grafana/dashboards"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/{dashboard()['uid']}.json"


def test_grafana_has_a_password_of_its_own_and_lets_nobody_else_in() -> None:
    """It is drawn before Grafana begins, into the file that it is told of: without one it would take its default."""
    grafana, path = SERVICES["grafana"], "/run/secrets/grafana/admin_password"
    environment = grafana["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == path
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert grafana["depends_on"] == {"grafana-secrets": {"condition": "service_completed_successfully"}}
    script = (ROOT / "docker" / "grafana-secrets.sh").read_text()
    assert f"folder={Path(path).parent}\n" in script
    assert '"$folder/admin_password"' in script
