"""`kangbot restore`: a backup back into an empty state folder, and its history where the configuration has it.

It is unpacked in the state folder, which may be written where nothing else may: a container mounts its configuration to
be read. Where there is no configuration, only the backup says where that folder is, and is unpacked beside its place.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from kangbot.cli.ages import lasted
from kangbot.cli.answer import answer
from kangbot.cli.archive import CONFIG, HISTORY, ROWS, Manifest, beside, checksum, clear, must_be_there, unpacked
from kangbot.cli.database import filled, must_be_empty, refill
from kangbot.cli.offline import given_to_its_owner, settings_of
from kangbot.errors import ConfigInvalid, NeedsHuman, Problem, Refused
from kangbot.journal.folder import RESTORING
from kangbot.journal.leap import leap
from kangbot.journal.lock import FolderLock
from kangbot.journal.writer import FILE as JOURNAL
from kangbot.machines.killswitch import FILE as KILL
from kangbot.runtime.there import there
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.settings.versions import FOLDER, copy_whole, write_whole
from kangbot.storage import migrate
from kangbot.storage.dump import revision_of
from kangbot.storage.room import lacking
from kangbot.storage.url import DatabaseUrl, MysqlUrl, SqliteUrl, parse

_SCRATCH = ".kangbot-restore-"
_OWNER_ALONE = 0o600  # as the daemon makes its files


def restore(config: Path, source: Path, *, as_json: bool = False) -> int:
    """Put the backup in the state folder of `config` and return the exit code.

    Where `config` is not there, it is restored as well. NeedsHuman: a daemon runs, the folder is not empty, the backup
    is damaged, or of a later kangbot. Refused: a disk has no room for it.
    """
    must_be_there(source)
    fresh = not there(config)
    if fresh:
        with beside(config, _SCRATCH) as folder:
            manifest = unpacked(source, folder)
            settings = _drafted(config, (folder / CONFIG).read_bytes())
            with _held(settings.state_dir):
                tag, last, rows = _placed(settings, manifest, folder, checksum(source), config)
    else:
        settings = settings_of(config)
        clear(config.absolute().parent, _SCRATCH)  # of a restore that had put the configuration there, and was killed
        with _held(settings.state_dir), beside(settings.state_dir / JOURNAL, _SCRATCH) as folder:
            manifest = unpacked(source, folder)
            tag, last, rows = _placed(settings, manifest, folder, checksum(source), None)
    said = {
        "journal": tag,
        "last_sequence": last,
        "taken_at_ns": manifest.at_ns,
        "config": str(config),
        "config_restored": fresh,
        "history_rows": rows,  # that a server got
    }
    kept = "left as it is; `kangbot config versions` lists those of the backup"
    lines = (
        *((f"history {parse(settings.history_url)}: {rows} rows restored",) if rows is not None else ()),
        f"journal {tag} is restored up to record {last}, as it was {_ago(manifest)} ago",
        f"configuration {config}: {'restored' if fresh else kept}",
        "At its start the daemon asks the exchange for what came after, and cancels orders that nobody knows.",
    )
    return answer(said, lines, as_json=as_json)


@contextlib.contextmanager
def _held(state: Path) -> Iterator[None]:
    """Keep every daemon out of the folder meanwhile, and leave what was put there to whom it belongs."""
    with given_to_its_owner(state):
        lock = FolderLock(state)
        try:
            yield
        finally:
            lock.release()


def _drafted(config: Path, text: bytes) -> Settings:
    """Load the configuration, whose `text` is not in its place yet.

    There with no journal beside it, a daemon would begin without its memory: it comes after the mark.
    """
    draft = config.with_name(f".{config.name}.new")  # its paths are taken from the same folder
    try:
        draft.write_bytes(text)
        return settings_of(draft)
    except ConfigInvalid:
        write_whole(config, text)  # no daemon begins with it either, and it must be somewhere to be put right
        try:
            return settings_of(config)
        except ConfigInvalid as error:
            raise ConfigInvalid((*error.problems, _alone(config))) from error
    finally:
        draft.unlink(missing_ok=True)


def _alone(config: Path) -> Problem:
    return Problem(
        file=str(config),
        message="is put there from the backup, and nothing else yet",
        remedy="A backup has neither your own strategies' files nor secrets: put those in their places, and restore "
        "it again",
    )


def _placed(
    settings: Settings, manifest: Manifest, folder: Path, backup: str, config: Path | None
) -> tuple[str, int, int | None]:
    """Put all of it there; `backup` is the file's checksum. Killed on the way, the next call goes on with the same.

    `config` is None where the configuration is not the backup's.
    """
    state, url = settings.state_dir, parse(settings.history_url)
    begun = _begun(state, backup)
    if (settings.mode, settings.venue) != (manifest.mode, manifest.venue):
        raise NeedsHuman(
            f"the backup is of mode {manifest.mode} at {manifest.venue}, the configuration of {settings.mode} at "
            f"{settings.venue}",
            remedy="restore it with the configuration that it has, into a folder of its own",
        )
    tag, last = leap(folder / JOURNAL)  # beside its place: what is put there is fit to be gone on with, or nothing is
    _fits(url, manifest, folder, begun=begun)
    _must_fit(url, state, folder)
    write_whole(state / RESTORING, backup.encode())
    if config is not None:
        copy_whole(folder / CONFIG, config)
    rows = _history(url, manifest, folder, begun=begun)
    for name in manifest.files:
        if name == KILL or name.startswith(f"{FOLDER}/"):
            (state / name).parent.mkdir(mode=0o700, exist_ok=True)
            copy_whole(folder / name, state / name, mode=_OWNER_ALONE)
    copy_whole(folder / JOURNAL, state / JOURNAL, mode=_OWNER_ALONE)
    (state / RESTORING).unlink()
    return tag, last, rows


def _begun(state: Path, backup: str) -> bool:
    """Return whether this backup was being restored there. NeedsHuman where anything else is."""
    ours = ("lock", f".{RESTORING}.new")
    there = sorted(
        path.name for path in state.iterdir() if path.name not in ours and not path.name.startswith(_SCRATCH)
    )
    if not there:
        return False
    if RESTORING not in there:
        what = f"is not empty: it has {', '.join(there[:5])}"
    elif (state / RESTORING).read_text() != backup:
        what = "has parts of another backup, whose restore did not come to its end"
    else:
        return True
    raise NeedsHuman(f"the state folder {state} {what}", remedy="move it away, or name another; nothing is overwritten")


def _fits(url: DatabaseUrl, manifest: Manifest, folder: Path, *, begun: bool) -> None:
    """NeedsHuman where the history is of another kind than the configuration's, or where another one is already."""
    if isinstance(url, SqliteUrl) and HISTORY in manifest.files:
        if there(url.path) and not (begun and checksum(url.path) == manifest.files[HISTORY]):
            raise NeedsHuman(f"the history {url.path} is there already", remedy="move it away; nothing is overwritten")
    elif isinstance(url, MysqlUrl) and ROWS in manifest.files:
        if not (begun and filled(url, folder / ROWS)):
            must_be_empty(url)
    elif {HISTORY, ROWS} & manifest.files.keys():
        has, wants = ("an SQLite file", "a server") if HISTORY in manifest.files else ("a server's", "an SQLite file")
        raise NeedsHuman(
            f"the history in the backup is {has}, and that of the configuration is {wants}",
            remedy="restore it with database.url, or without it, as it was when the backup was taken",
        )


def _must_fit(url: DatabaseUrl, state: Path, folder: Path) -> None:
    """Refuse what the disks have no room for beside what is unpacked, before anything is placed."""
    places = {folder / JOURNAL: state}
    if isinstance(url, SqliteUrl) and there(folder / HISTORY) and not there(url.path):
        url.path.parent.mkdir(parents=True, exist_ok=True)
        places[folder / HISTORY] = url.path.parent
    for place in places.values():
        disk = place.stat().st_dev
        need = sum(file.stat().st_size for file, there in places.items() if there.stat().st_dev == disk)
        if why := lacking(place, need):
            raise Refused(f"the backup cannot be restored: {why}; make room there, nothing was placed")


def _history(url: DatabaseUrl, manifest: Manifest, folder: Path, *, begun: bool) -> int | None:
    """Put the history where the configuration has it, and return the rows that a server got by this call."""
    if isinstance(url, MysqlUrl) and ROWS in manifest.files:
        if begun and filled(url, folder / ROWS):
            migrate.upgrade(url)
            return None
        return _onto_server(url, folder / ROWS)
    if HISTORY in manifest.files and isinstance(url, SqliteUrl):
        copy_whole(folder / HISTORY, url.path, mode=_OWNER_ALONE)
    return None


def _onto_server(url: MysqlUrl, rows: Path) -> int:
    """Make the tables as they were, fill them, and bring both to this version; return how many rows there are."""
    try:
        revision = revision_of(rows)
    except ValueError as error:
        raise NeedsHuman(f"the history cannot be restored: {error}", remedy="take another backup") from error
    count = refill(url, rows, revision)
    migrate.upgrade(url)
    return count


def _ago(manifest: Manifest) -> str:
    return lasted(real_world().clock.now_ns() - manifest.at_ns)
