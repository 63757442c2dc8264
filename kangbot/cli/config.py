"""`kangbot config …`: what the file comes to, its accepted versions, what was changed since, and back to one."""

import difflib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import typer

from kangbot.cli import exit_codes
from kangbot.errors import ConfigInvalid
from kangbot.runtime.world import real_world
from kangbot.settings import Settings, load
from kangbot.settings.shown import shown
from kangbot.settings.versions import Version, Versions, write_whole


def versions(config: Path, state: Path | None, *, as_json: bool = False) -> int:
    """Print every version that is kept, oldest first."""
    kept = _kept(config, state)
    if as_json:
        rows = [{"number": one.number, "at": one.at, "cause": one.cause, "file": str(one.path)} for one in kept]
        typer.echo(msgspec.json.encode({"versions": rows}).decode())
        return exit_codes.OK
    for version in kept:
        typer.echo(f"{version.number:>4}  {version.at}  {version.cause}")
    return exit_codes.OK


def diff(config: Path, state: Path | None, number: int | None) -> int:
    """Print what the file has otherwise than a version; the newest by default."""
    version = _chosen(_kept(config, state), number)
    if version is None:
        return exit_codes.FAILURE
    before = version.path.read_text(errors="replace").splitlines(keepends=True)
    after = config.read_text(errors="replace").splitlines(keepends=True) if config.is_file() else []
    for line in difflib.unified_diff(before, after, f"version {version.number}", str(config)):
        typer.echo(line.rstrip("\n"))
    return exit_codes.OK


def show(config: Path, *, as_json: bool) -> int:
    """Print every setting that has a value, as TOML, with who says it. A secret is only said to be there."""
    from kangbot.settings.provenance import leaves, provenance  # noqa: PLC0415 -- pydantic, for this command alone
    from kangbot.settings.sources import dotted  # noqa: PLC0415 -- same

    settings = load(config, os.environ)
    says = provenance(config, os.environ, settings)
    rows = [(key, value, says(key)) for key, value in leaves(settings)]
    if as_json:
        values = {dotted(key): {"value": shown(value), "from": source} for key, value, source in rows}
        typer.echo(msgspec.json.encode({"config": str(config), "values": values}).decode())
    else:
        typer.echo("\n".join(_tables(rows, settings)))
    return exit_codes.OK


def _tables(rows: list[tuple[tuple[str | int, ...], object, str]], settings: Settings) -> Iterator[str]:
    yield f"# mode {settings.venue_mode} at {settings.venue}; *** is a secret"
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


def backup(config: Path, file: Path) -> int:
    """Copy the file, where it is right, to one that is not there yet. No secret is in it."""
    load(config, os.environ)
    try:
        with file.open("xb") as copy:
            copy.write(config.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        why = "is there already, and is not overwritten" if isinstance(error, FileExistsError) else error.strerror
        typer.echo(f"{error.filename or file}: {why}", err=True)
        return exit_codes.FAILURE
    typer.echo(f"{file} is a copy of {config}; `kangbot config restore {file}` puts it back")
    return exit_codes.OK


def restore(config: Path, state: Path | None, which: str) -> int:
    """Put a version, by its number, or a file in the file's place. What was there is set aside, never thrown away."""
    if which.isdecimal():
        version = _chosen(_kept(config, state), int(which))
        if version is None:
            return exit_codes.FAILURE
        name, path = f"version {which}", version.path
    else:
        name, path = which, Path(which)
    trial = config.with_name(f".{config.name}.trial")  # beside the file: its paths are taken from there
    try:
        text = path.read_bytes()
        write_whole(trial, text)
        load(trial, os.environ)
    except ConfigInvalid as error:
        typer.echo(f"{name} is not right, or no longer:\n{error.message}", err=True)
        return exit_codes.CONFIG
    except OSError as error:
        typer.echo(f"{error.filename or path}: {error.strerror}", err=True)
        return exit_codes.FAILURE
    finally:
        trial.unlink(missing_ok=True)
    if config.exists():
        aside = config.with_name(f"{config.name}.{_kind(config)}.{_now()}")
        config.rename(aside)
        typer.echo(f"what was there is {aside}")
    write_whole(config, text)
    typer.echo(f"{config} is {name} again; a running daemon takes it on by itself")
    return exit_codes.OK


def _kind(config: Path) -> str:
    try:
        load(config, os.environ)
    except ConfigInvalid:
        return "corrupted"
    return "replaced"


def _now() -> str:
    return datetime.fromtimestamp(real_world().clock.now_ns() / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")


def _kept(config: Path, state: Path | None) -> list[Version]:
    """Return the versions; the file itself may be the one that is broken, so the folder can be named."""
    return Versions(state or load(config, os.environ).state_dir).all()


def _chosen(kept: list[Version], number: int | None) -> Version | None:
    found = [version for version in kept if number in (None, version.number)]
    if not found:
        typer.echo("there is no such version; `kangbot config versions` names them", err=True)
        return None
    return found[-1]
