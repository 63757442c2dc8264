"""One compose project for the whole run: built, up, and taken down with its volumes."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy, copytree, ignore_patterns, rmtree

import pytest

from tests.support.engine import ROOT, House, busy_config, docker, missing

IMAGE = "kangbot"


BUILT_FROM = ("docker", "requirements", "kangbot", "migrations", "config")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built from a checkout that is its owner's alone, as a server with a umask of 077 has it."""
    if reason := missing():
        pytest.skip(reason)
    checkout = tmp_path_factory.mktemp("checkout")
    for name in BUILT_FROM:
        copytree(ROOT / name, checkout / name, ignore=ignore_patterns("__pycache__"))
    for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / name, checkout)
    for path in checkout.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    docker("build", "--tag", IMAGE, str(checkout), timeout_s=1800)
    rmtree(checkout)
    return IMAGE


@pytest.fixture(scope="session")
def house(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Everything up, with a configuration of the test's own."""
    del image
    folder = tmp_path_factory.mktemp("config")
    for above in (folder, *folder.parents[:3]):
        above.chmod(0o755)  # the daemon's user reads it from within
    (folder / "kangbot.toml").write_text(busy_config())
    copy(ROOT / "tests" / "support" / "strategies" / "hangs.py", folder)
    made = House(folder)
    made.compose("down", "--volumes", "--timeout", "60")
    made.compose("up", "--detach")
    yield made
    made.compose("down", "--volumes", "--timeout", "60")
    rmtree(folder)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where a state folder is copied to."""
    return tmp_path / "state"
