"""The embedded history's file is removed or moved while the daemon writes to it: said once, and nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from tests.support.databases import Sqlite
from tests.support.records import TAG, noted, records

GONE = "was removed, or another file stands in its place"


@pytest.fixture
async def embedded(tmp_path: Path, template_file: Path) -> AsyncIterator[Sqlite]:
    """A migrated file."""
    one = Sqlite(tmp_path, template_file)
    yield one
    await one.aclose()


async def test_a_file_that_was_removed_is_not_written_to(embedded: Sqlite) -> None:
    """What it took nobody would find again. The next call makes a new one, which has nothing and is offered all."""
    history = embedded.history()
    await history.store(records([noted(1)]))
    for path in embedded.url.path.parent.iterdir():
        path.unlink()
    with pytest.raises(NeedsHuman, match=GONE):
        await history.store(records([noted(2)], after=1))
    assert await history.stored(TAG) == 0
    await history.store(records([noted(1), noted(2)]))
    assert embedded.count("events") == 2


async def test_another_file_in_its_place_is_the_history(embedded: Sqlite, template_file: Path) -> None:
    """A person puts a copy there: it says itself what it has."""
    history = embedded.history()
    await history.store(records([noted(1)]))
    folder = embedded.url.path.parent
    folder.rename(folder.with_name("kept"))
    folder.mkdir()
    embedded.url.path.write_bytes(template_file.read_bytes())
    with pytest.raises(NeedsHuman, match=GONE):
        await history.stored(TAG)
    assert await history.stored(TAG) == 0
    await history.store(records([noted(1)]))
    assert embedded.count("events") == 1


async def test_a_folder_that_was_moved_away_is_not_made_anew(embedded: Sqlite) -> None:
    """Else it could not be moved back, and another history would begin meanwhile."""
    history = embedded.history()
    await history.store(records([noted(1)]))
    folder = embedded.url.path.parent
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(NeedsHuman, match=GONE):
        await history.store(records([noted(2)], after=1))
    with pytest.raises(NeedsHuman, match="unable to open"):
        await history.stored(TAG)
    assert not folder.exists()
    away.rename(folder)
    assert await history.stored(TAG) == 1
    await history.store(records([noted(2)], after=1))
    assert embedded.count("events") == 2
