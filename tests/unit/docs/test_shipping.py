"""What is shipped beside the package: scripts that a shell understands, and bounds that hold each other."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from kangbot.runtime.hang import HANG_S
from kangbot.settings.daemon import Shutdown

ROOT = Path(__file__).parents[3]
UNIT = (ROOT / "config" / "systemd" / "kangbot.service").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()


def seconds(text: str, key: str) -> float:
    """Return what stands behind the key, in seconds; the first one where there are several."""
    found = re.search(rf"^\s*{key}[:=]\s*(\d+)s?\b", text, re.MULTILINE)
    assert found is not None, key
    return float(found[1])


def test_every_script_is_clean_to_shellcheck() -> None:
    """All of its rules."""
    scripts = [ROOT / ".ci" / "run", *(path for folder in ("docker", "tests") for path in (ROOT / folder).glob("*.sh"))]
    assert len(scripts) == 8
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run((shellcheck, *scripts), capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_whoever_stops_the_daemon_waits_longer_than_its_own_bound() -> None:
    """Else an orderly end is cut short."""
    service = COMPOSE[COMPOSE.index("\n  kangbot:") :]
    assert seconds(service, "stop_grace_period") > Shutdown().grace_s + 10
    assert seconds(UNIT, "TimeoutStopSec") > Shutdown().grace_s + 10


def test_systemds_watchdog_is_before_our_own() -> None:
    """Its stacks are in its journal, and it knows that it was the watchdog."""
    assert seconds(UNIT, "WatchdogSec") < HANG_S


def test_what_only_a_person_can_put_right_is_not_tried_again() -> None:
    """Exit code 78; everything else is, with limits."""
    assert "RestartPreventExitStatus=78\n" in UNIT
    assert "Restart=on-failure\n" in UNIT
    assert "StartLimitBurst=" in UNIT


def test_no_secret_is_a_default() -> None:
    """Passwords come from files; the compose file names files, and no value."""
    assert "PASSWORD_FILE:" in COMPOSE
    assert re.search(r"PASSWORD: ", COMPOSE) is None
    assert re.search(r"^ +- \"?0\.0\.0\.0:", COMPOSE, re.MULTILINE) is None


def test_one_service_builds_the_image_and_the_others_of_it_wait_for_that_one() -> None:
    """Several that build one name at once fail at a first start: "image already exists". No registry has it either."""
    services = yaml.safe_load(COMPOSE)["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "kangbot"}
    (builder,) = (name for name, service in services.items() if "build" in service)
    assert builder in ours
    for name, service in ours.items():
        assert service["pull_policy"] == "never"
        assert name == builder or builder in _before(services, name)


def _before(services: dict[str, Any], name: str) -> set[str]:
    """Return the services that are started before this one."""
    direct = set(services[name].get("depends_on", ()))
    return direct.union(*(_before(services, other) for other in direct))
