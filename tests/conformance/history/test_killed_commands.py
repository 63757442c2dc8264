"""`kangbot restore` and `backup`, killed at their steps: begun again they come to their end, and nothing is left."""

import itertools
import shutil
from functools import partial
from pathlib import Path

import pytest

from kangbot.cli.archive import beside, checksum
from kangbot.cli.backup import backup
from kangbot.cli.restore import restore
from kangbot.errors import NeedsHuman
from kangbot.journal.folder import RESTORING, admit
from kangbot.journal.writer import FILE
from tests.support.backups import configured, kept
from tests.support.databases import Database, Mariadb, Sqlite
from tests.support.killed_at import killed

pytestmark = pytest.mark.process
_MARKS = "SELECT tag, `stored`, place FROM journals"
_STRIDE = 59  # prime, so that with the number of steps in a loop it meets each kind of them


def left(folder: Path) -> list[Path]:
    """Return what a killed command has left."""
    return [path for pattern in (".kangbot-*", ".*.new", RESTORING) for path in folder.rglob(pattern)]


def another(like: Database, folder: Path) -> Database:
    """Return an empty database of the same kind."""
    return Mariadb(like.server) if isinstance(like, Mariadb) else Sqlite(folder)


@pytest.mark.parametrize("fresh", [False, True], ids=["beside its configuration", "with its configuration"])
async def test_a_restore_goes_on_after_its_kill(database: Database, tmp_path: Path, *, fresh: bool) -> None:
    """Meanwhile no daemon begins with half of it: the folder is untouched, whole, or refuses by the command to type."""
    file, config = tmp_path / "backup.zip", configured(tmp_path / "one", database)
    await kept(tmp_path / "one", database)
    assert not killed(partial(backup, config, file), at=0)
    text = config.read_text() if fresh else ""
    for step in itertools.count(2, _STRIDE):
        two = tmp_path / f"two-{step}"
        place = another(database, two / "history")
        config = configured(two, place)
        if text:
            config.unlink()
        ended = not killed(partial(restore, config, file), at=step)
        if text:  # it comes back too, and never where a daemon would begin without its memory
            assert not config.exists() or {FILE, RESTORING} & {path.name for path in (two / "state").iterdir()}
        again(config, file, two / "state")
        assert not text or config.read_text() == text
        assert left(two) == [], step
        assert place.count("events") == 10
        assert place.sql(_MARKS) == database.sql(_MARKS)
        shutil.rmtree(two)
        if ended:
            break
    assert step > _STRIDE


async def test_what_a_restore_has_begun_is_for_the_same_backup_alone(tmp_path: Path) -> None:
    """The history is there and the journal is not: the daemon and another backup are refused, the same one goes on."""
    database = Sqlite(tmp_path / "one")
    config, file, other = configured(tmp_path / "one", database), tmp_path / "backup.zip", tmp_path / "other.zip"
    await kept(tmp_path / "one", database)
    assert not killed(partial(backup, config, file), at=0)
    assert not killed(partial(backup, config, other), at=0)
    two = configured(tmp_path / "two", None)
    state = tmp_path / "two" / "state"
    assert not killed(partial(restore, two, file), at=0)
    (state / FILE).unlink()  # as it is where the kill comes before the journal's place is taken
    (state / RESTORING).write_text(checksum(file))
    with pytest.raises(NeedsHuman, match="was being restored"):
        admit(state)
    with pytest.raises(NeedsHuman, match="parts of another backup"):
        restore(two, other)
    assert restore(two, file) == 0
    assert (state / FILE).is_file()
    admit(state)
    await database.aclose()


async def test_what_a_killed_backup_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """It is as large as the history. What another backup is at work in is left alone."""
    database = Sqlite(tmp_path / "one")
    config, file = configured(tmp_path / "one", database), tmp_path / "there" / "backup.zip"
    file.parent.mkdir()
    await kept(tmp_path / "one", database)
    assert killed(partial(backup, config, file), at=20)
    assert len(left(file.parent)) == 1
    with beside(file, ".kangbot-backup-") as busy:
        assert not killed(partial(backup, config, file), at=0)
        assert left(file.parent) == [busy]
    assert list(file.parent.iterdir()) == [file]
    await database.aclose()


def again(config: Path, file: Path, state: Path) -> None:
    """Restore again; where all of it is there, that is what is said."""
    there = {path.name for path in state.iterdir()} if state.exists() else set()
    there = {name for name in there if not name.startswith(".kangbot-restore-")}  # unpacked, and nothing is placed yet
    if FILE in there and RESTORING not in there:
        with pytest.raises(NeedsHuman, match=rf"is not empty: it has .*{FILE}"):
            restore(config, file)
        return
    if there - {"lock", f".{RESTORING}.new"}:
        with pytest.raises(NeedsHuman, match="was being restored"):
            admit(state)
    assert not killed(partial(restore, config, file), at=0)
