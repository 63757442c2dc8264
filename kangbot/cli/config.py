"""`kangbot config …`: what the file comes to, its accepted versions, what was changed since, and back to one."""

import contextlib
import difflib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import typer

from kangbot.cli import exit_codes
from kangbot.cli.answer import answer
from kangbot.cli.whereabouts import whereabouts
from kangbot.errors import ConfigInvalid, Refused
from kangbot.runtime.world import real_world
from kangbot.settings import Settings, load
from kangbot.settings.plain import read_plain
from kangbot.settings.shown import shown
from kangbot.settings.versions import Version, Versions, write_whole


def versions(config: Path, state: Path | None, *, as_json: bool = False) -> int:
    """Print every version that is kept, oldest first."""
    kept = _kept(config, state)
    rows = [{"number": one.number, "at": one.at, "cause": one.cause, "file": str(one.path)} for one in kept]
    lines = [f"{one.number:>4}  {one.at}  {one.cause}" for one in kept] or ["none is kept yet: a start keeps the first"]
    return answer({"versions": rows}, lines, as_json=as_json)


def diff(config: Path, state: Path | None, number: int | None, *, as_json: bool = False) -> int:
    """Print what the file has otherwise than a version; the newest by default."""
    version = _chosen(_kept(config, state), number)
    if version is None:
        return exit_codes.FAILURE
    before = _lines(version.path)
    after = _lines(config) if config.is_file() else []
    unified = difflib.unified_diff(before, after, f"version {version.number}", str(config))
    lines = [line.rstrip("\n") for line in unified]
    said = {"config": str(config), "version": version.number, "changed": bool(lines), "diff": lines}
    same = f"nothing differs: {config} is as version {version.number} has it"
    return answer(said, lines or (same,), as_json=as_json)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None


def show(config: Path, *, as_json: bool) -> int:
    """Print every setting that has a value, as TOML, with who says it. A secret is only said to be there."""
    from kangbot.settings.provenance import leaves, provenance  # noqa: PLC0415 -- pydantic, for this command alone
    from kangbot.settings.sources import dotted  # noqa: PLC0415 -- same

    settings = load(config, os.environ)
    says = provenance(config, os.environ, settings)
    rows = [(key, value, says(key)) for key, value in leaves(settings)]
    values = {dotted(key): {"value": shown(value), "from": source} for key, value, source in rows}
    return answer({"config": str(config), "values": values}, _tables(rows, settings), as_json=as_json)


def _tables(rows: list[tuple[tuple[str | int, ...], object, str]], settings: Settings) -> Iterator[str]:
    yield f"# mode {settings.mode} at {settings.venue}; *** is a secret"
    before: tuple[str | int, ...] = ()
    for key, value, source in rows:
        table = key[:-1]
        if table != before:
            names = ".".join(str(part) for part in table if isinstance(part, str))
            yield f"\n[[{names}]]" if isinstance(table[-1], int) else f"\n[{names}]"
        before = table
        yield f"{f'{key[-1]} = {_toml(value)}':<44} # {source}"


def _toml(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(shown(value), ensure_ascii=False)


def backup(config: Path, file: Path, *, as_json: bool = False) -> int:
    """Copy the file, where it is right, to one that is not there yet. No secret is in it."""
    load(config, os.environ)
    try:
        with file.open("xb") as copy:
            try:
                copy.write(config.read_bytes())
                copy.flush()
                os.fsync(copy.fileno())
            except OSError:
                file.unlink()  # ours, for it was not there: a part of it would look like a copy
                raise
    except OSError as error:
        why = "is there already, and is not overwritten" if isinstance(error, FileExistsError) else error.strerror
        typer.echo(f"{error.filename or file}: {why}", err=True)
        return exit_codes.FAILURE
    lines = (f"{file} is a copy of {config}; `kangbot config restore {file}` puts it back",)
    return answer({"config": str(config), "file": str(file)}, lines, as_json=as_json)


def restore(config: Path, state: Path | None, which: str, *, as_json: bool = False) -> int:
    """Put a version, by its number, or a file in the file's place. What was there is set aside, never thrown away."""
    if which.isdecimal():
        version = _chosen(_kept(config, state), int(which))
        if version is None:
            return exit_codes.FAILURE
        name, path = f"version {which}", version.path
    else:
        name, path = which, Path(which)
    try:
        with _alone(config.parent):
            aside = _put(path, config)
    except ConfigInvalid as error:
        mistakes = error.message.replace(str(_trial(config)), name)  # a file that is gone by now
        typer.echo(f"{name} is not right, or no longer:\n{mistakes}", err=True)
        return exit_codes.CONFIG
    except OSError as error:
        typer.echo(f"{error.filename or path}: {error.strerror}", err=True)
        return exit_codes.FAILURE
    lines = (
        *((f"what was there is {aside}",) if aside else ()),
        f"{config} is {name} again; a running daemon takes it on by itself",
    )
    said = {"config": str(config), "from": str(path), "aside": str(aside) if aside else None}
    return answer(said, lines, as_json=as_json)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who puts a file in place there; another waits. OSError where there is no such folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _trial(config: Path) -> Path:
    """Return where a text is tried out: beside the file, for its paths are taken from there."""
    return config.with_name(f".{config.name}.trial")


def _put(path: Path, config: Path) -> Path | None:
    """Put the file's text in the configuration's place, where it is right; return where what was there is now."""
    trial = _trial(config)
    text = read_plain(path)  # a backup of all, named by mistake, may be larger than the memory
    try:
        write_whole(trial, text)
        load(trial, os.environ)
    finally:
        trial.unlink(missing_ok=True)
    aside = config.with_name(f"{config.name}.{_kind(config)}.{_now()}") if config.exists() else None
    if aside:  # a copy, so that a file is there at every moment: a daemon may be looking
        shutil.copy2(config, aside)  # with its mode: what is wrong with it may be a secret in it
    write_whole(config.resolve(), text)  # a link stays one
    return aside


def _kind(config: Path) -> str:
    try:
        load(config, os.environ)
    except ConfigInvalid:
        return "corrupted"
    return "replaced"


def _now() -> str:
    return datetime.fromtimestamp(real_world().clock.now_ns() / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _kept(config: Path, state: Path | None) -> list[Version]:
    """Return the versions; the file itself may be the one that is broken, so the folder can be named."""
    folder = state or whereabouts(config).state
    try:
        return Versions(folder).all()
    except OSError as error:
        raise Refused(f"the versions in {folder} cannot be read: {error.strerror}") from None


def _chosen(kept: list[Version], number: int | None) -> Version | None:
    found = [version for version in kept if number in (None, version.number)]
    if not found:
        typer.echo("there is no such version; `kangbot config versions` names them", err=True)
        return None
    return found[-1]
