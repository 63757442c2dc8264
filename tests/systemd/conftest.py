"""A machine with systemd as process 1, kangbot installed on it as docs/install.md says, and an exchange."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.support.engine import ROOT, busy_config, docker, missing, ran
from tests.support.systemd import Machine

IMAGE = "systemd:bookworm"
NAME = "kangbot-test-systemd"
WHEELS = ROOT / "build" / "wheels"
STRATEGIES = ROOT / "tests" / "support" / "strategies"


def wheels() -> Path:
    """Return a folder with kangbot's wheel and those of everything it needs, by their hashes."""
    rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    locked = ("download", "--no-deps", "--require-hashes", "-r", "requirements/run.txt", "-d", str(WHEELS))
    subprocess.run((*pip, *locked), cwd=ROOT, check=True)
    own = ("wheel", "--no-deps", "--no-build-isolation", "-w", str(WHEELS), ".")
    subprocess.run((*pip, *own), cwd=ROOT, check=True)
    return WHEELS


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """The machine, with the daemon installed and not started."""
    if reason := missing():
        pytest.skip(reason)
    if ran(("docker", "image", "inspect", IMAGE)).returncode:
        pytest.skip(f"no image {IMAGE}: docker build --tag {IMAGE} tests/systemd")
    ran(("docker", "rm", "--force", NAME))
    options = ["--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined", "--cgroupns=host"]
    options += ["--tmpfs=/run", "--tmpfs=/run/lock", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    docker("run", "--detach", f"--name={NAME}", *options, f"--volume={wheels()}:/wheels:ro", IMAGE)
    made = Machine(NAME)
    made.prepare(
        busy_config()
        .replace('mode = "sandbox"', 'mode = "sandbox"\nstate_dir = "/var/lib/kangbot"')
        .replace(
            'symbol = "ADA/USDT:USDT"',
            'symbol = "ADA/USDT:USDT"\nstrategy = "eats.py"\nparameters = { fast = 2, slow = 5 }',
        ),
        sorted(STRATEGIES.glob("*.py")),
    )
    yield made
    docker("rm", "--force", NAME)
