"""Read, merge, validate, compare: one pass that tells every mistake, or a frozen `Settings`."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings import rules
from kangbot.settings.anchors import anchored
from kangbot.settings.document import validated
from kangbot.settings.environment import read_environment
from kangbot.settings.lines import Key
from kangbot.settings.partial import without
from kangbot.settings.problems import explain
from kangbot.settings.schema import Settings
from kangbot.settings.secrets import Vault, shut_credentials
from kangbot.settings.sources import Origin, Table, lines_of, merged, read_file
from kangbot.settings.versions import Versions, state_of
from kangbot.strategy.loader import split


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the configuration in `path` with the environment laid over it.

    ConfigInvalid with every mistake at once, in the order of the file. Reads the file and those with secrets; changes
    nothing.
    """
    file, text = read_file(path)
    overlay, strangers = read_environment(environ)
    shut = shut_credentials(path, environ)
    origin = Origin(file=str(path), lines=lines_of(text), overlay=overlay, names=tuple(environ), shut=shut)
    table = _anchored(merged(file, overlay), path.parent, environ)
    vault = Vault(environ=environ, origin=origin)
    vault.open(file, table)
    settings, mistakes = _validated(merged(table, vault.found), origin)
    problems = (*strangers, *vault.problems, *mistakes)
    if settings is None or problems:
        raise ConfigInvalid(tuple(sorted(dict.fromkeys(problems), key=_place)))
    return settings


def reachable(config: Path, environ: Mapping[str, str]) -> Settings | None:
    """Return whom the last accepted version of a file that is wrong by now had people told by: its mode and `[notify]`.

    All else is as by default, but for the state folder. None where none was accepted yet, or nothing of it holds. A
    secret is looked for where it is now.
    """
    state = state_of(config, environ)
    try:
        file, _ = read_file(Versions(state).all()[-1].path)
    except (OSError, IndexError, ConfigInvalid):
        return None
    overlay, _ = read_environment(environ)
    table = _anchored(merged(file, overlay), config.parent, environ)
    vault = Vault(environ=environ, origin=Origin(file=str(config)))
    vault.open({}, table)
    whole = merged(table, vault.found)
    left: Table = {"state_dir": str(state), **{name: whole[name] for name in ("mode", "notify") if name in whole}}
    for _ in range(2):
        try:
            return validated(left)
        except ValidationError as error:  # a variable that says no mode, say: without it
            left, _ = without(left, tuple(detail["loc"] for detail in error.errors(include_url=False)))
    return None


def _place(problem: Problem) -> tuple[str, bool, int]:
    """Return the order of messages: as in the file, and what concerns all of it last."""
    return problem.file, problem.line == 0, problem.line


def _anchored(table: Table, folder: Path, environ: Mapping[str, str]) -> Table:
    return _with_strategy_files(anchored(table, folder, environ), folder)


def _with_strategy_files(table: Table, folder: Path) -> Table:
    """Return the table with the files of the user's own strategies taken from the configuration's folder."""
    out = dict(table)
    markets = table.get("markets")
    if isinstance(markets, list):
        out["markets"] = [_with_strategy_file(market, folder) for market in markets]
    if "defaults" in table:
        out["defaults"] = _with_strategy_file(table["defaults"], folder)
    return out


def _with_strategy_file(section: object, folder: Path) -> object:
    strategy = section.get("strategy") if isinstance(section, dict) else None
    if not isinstance(section, dict) or not isinstance(strategy, str) or split(strategy) is None:
        return section
    return {**section, "strategy": os.path.abspath(folder / strategy)}  # noqa: PTH100 -- as above


def _validated(table: Table, origin: Origin) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Return the settings and every mistake in them; None where they cannot be built."""
    try:
        settings = validated(table)
    except ValidationError as error:
        wrong = tuple(detail["loc"] for detail in error.errors(include_url=False))
        return None, (*explain(error, origin), *_elsewhere(table, wrong, origin))
    return settings, tuple(rules.check(settings, origin))


def _elsewhere(table: Table, wrong: tuple[Key, ...], origin: Origin) -> tuple[Problem, ...]:
    """Return the mistakes that can be seen beside the wrong keys; see `partial`."""
    rest, kept = without(table, wrong)
    try:
        settings = validated(rest)
    except ValidationError:  # what is left makes no sense without them
        return ()
    return tuple(rules.check(settings, replace(origin, kept=kept), unread=wrong))
