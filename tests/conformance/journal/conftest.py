"""The adapters of the journal port that the suite runs on."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from kangbot.journal.announce import AnnouncedJournal
from kangbot.journal.writer import JournalWriter
from kangbot.ports import Journal
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.disk import Disk, SimJournal
from kangbot.sim.world.faults import Faults
from kangbot.sim.world.process import Process
from tests.support.trade_words import TAG


@asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[Journal]:
    async with await JournalWriter.open(folder, World(clock=Clock(), seed=b"conformance")) as one:
        yield one


@asynccontextmanager
async def _announced(folder: Path) -> AsyncIterator[Journal]:
    """What the daemon writes to: somebody listens."""
    async with _sqlite(folder) as one:
        announced = AnnouncedJournal(one)
        announced.listen(lambda _: None)
        yield announced


@asynccontextmanager
async def _simulation(folder: Path) -> AsyncIterator[Journal]:
    del folder
    disk = Disk(tag=TAG, faults=Faults(random.Random(1)), synced=lambda *_: None)
    yield SimJournal(disk, Process(lambda _: None))


REAL: dict[str, Callable[[Path], AbstractAsyncContextManager[Journal]]] = {"announced": _announced, "sqlite": _sqlite}
VIRTUAL: dict[str, Callable[[Path], AbstractAsyncContextManager[Journal]]] = {"simulation": _simulation}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the suite the adapters of its module's time."""
    if "journal" in metafunc.fixturenames:
        virtual = metafunc.definition.get_closest_marker("virtual_time")
        metafunc.parametrize("journal", sorted(VIRTUAL if virtual else REAL), indirect=True)


@pytest.fixture
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    async with (REAL | VIRTUAL)[request.param](tmp_path) as one:
        yield one
