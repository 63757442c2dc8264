"""`kangbot config …`: the accepted versions of the configuration's file, what was changed since, and back to one."""

import difflib
import os
from datetime import UTC, datetime
from pathlib import Path

import typer

from kangbot.cli import exit_codes
from kangbot.errors import ConfigInvalid
from kangbot.runtime.world import real_world
from kangbot.settings import load
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


def restore(config: Path, state: Path | None, number: int) -> int:
    """Put a version in the file's place. What was there is set aside, never thrown away."""
    version = _chosen(_kept(config, state), number)
    if version is None:
        return exit_codes.FAILURE
    trial = config.with_name(f".{config.name}.trial")  # beside the file: its paths are taken from there
    try:
        write_whole(trial, version.path.read_bytes())
        load(trial, os.environ)
    except ConfigInvalid as error:
        typer.echo(f"version {number} is no longer right:\n{error.message}", err=True)
        return exit_codes.CONFIG
    finally:
        trial.unlink(missing_ok=True)
    if config.exists():
        aside = config.with_name(f"{config.name}.{_kind(config)}.{_now()}")
        config.rename(aside)
        typer.echo(f"what was there is {aside}")
    write_whole(config, version.path.read_bytes())
    typer.echo(f"{config} is version {number} again; a running daemon takes it on by itself")
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
