"""A configuration to look at, and an exchange to look for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.looks import CONFIG
from tests.support.sandbox_process import Running, sandbox_process


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that needs a key, as one for money would."""
    path = tmp_path / "kangbot.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def exchange() -> Iterator[Running]:
    """An exchange whose key may trade and not withdraw."""
    with sandbox_process() as it:
        yield it
