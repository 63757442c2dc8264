"""From where the configuration's paths are taken, and where a daemon is to be found by two of them.

It needs no pydantic, so a command that only asks a daemon costs nothing of it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kangbot.errors import ConfigInvalid
from kangbot.settings.daemon import CONTROL_SOCKET, DEFAULT_STATE_DIR
from kangbot.settings.lines import Key
from kangbot.settings.sources import Table, merged, nested, read_file, value_at

PATHS: tuple[Key, ...] = (
    ("state_dir",),
    ("venues", "bybit", "key_file"),
    ("venues", "bybit", "secret_file"),
    ("database", "url_file"),
    ("control", "socket"),
    ("control", "control_token_file"),
    ("control", "read_token_file"),
    ("notify", "addresses_file"),
    ("telegram", "token_file"),
)
_STATE, _SOCKET = PATHS[0], PATHS[4]
_VARIABLES = {"KANGBOT_STATE_DIR": _STATE, "KANGBOT_CONTROL__SOCKET": _SOCKET}
_BY_PYDANTIC = {*_VARIABLES, "KANGBOT_CONTROL"}  # in whatever case, and a section as JSON


class Whereabouts(NamedTuple):
    """Where a daemon is: its socket, and its state folder."""

    socket: Path
    state: Path


def whereabouts(config: Path, environ: Mapping[str, str]) -> Whereabouts | None:
    """Return them, as `load` would; None where they are not said so plainly that this can be told without it.

    The rest of the file is not looked at: a mistake there hides no daemon.
    """
    if any(name.upper() in _BY_PYDANTIC and name not in _VARIABLES for name in environ):
        return None
    try:
        table, _ = read_file(config)
    except ConfigInvalid:
        return None
    for name, key in _VARIABLES.items():
        if name in environ:
            table = merged(table, nested(key, environ[name]))
    table = anchored(table, config.parent, environ)
    state, socket = value_at(table, _STATE), value_at(table, _SOCKET)
    if not _plain(state) or not (socket is None or _plain(socket)):
        return None
    folder = Path(str(state))
    return Whereabouts(Path(str(socket)) if socket else folder / CONTROL_SOCKET, folder)


def _plain(path: object) -> bool:
    return isinstance(path, str) and path == path.strip() and Path(path).is_absolute()


def anchored(table: Table, folder: Path, environ: Mapping[str, str]) -> Table:
    """Return the table with its paths taken from the file's folder; the state folder is systemd's, if it made one."""
    if "state_dir" not in table:
        given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
        table = {**table, "state_dir": given or str(DEFAULT_STATE_DIR)}
    for key in PATHS:
        value = value_at(table, key)
        if isinstance(value, str) and value.strip() and not value.startswith("~"):
            table = merged(table, nested(key, os.path.abspath(folder / value)))  # noqa: PTH100 -- links stay as they are
    return table
