"""The adapters of the journal port that the suite runs on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kangbot.journal.writer import JournalWriter
from kangbot.ports import Journal
from kangbot.runtime.world import Clock, World


@pytest.fixture(params=["sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    async with await JournalWriter.open(tmp_path, World(clock=Clock(), seed=b"conformance")) as one:
        yield one
