"""A history of trades to report on."""

from pathlib import Path

import pytest

from tests.support.twelve_days import configured, twelve_days


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of twelve days."""
    return twelve_days(tmp_path_factory.mktemp("twelve"))


@pytest.fixture
def config(tmp_path: Path, history: Path) -> Path:
    """A configuration whose history is a copy of that."""
    return configured(tmp_path, history)
