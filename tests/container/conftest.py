"""One compose project for the whole run: built, up, and taken down with its volumes."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy, rmtree

import pytest

from tests.support.engine import ROOT, House, busy_config, docker, missing

IMAGE = "kangbot"


@pytest.fixture(scope="session")
def image() -> str:
    """The image, built from this checkout."""
    if reason := missing():
        pytest.skip(reason)
    docker("build", "--tag", IMAGE, ".", timeout_s=1800)
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
