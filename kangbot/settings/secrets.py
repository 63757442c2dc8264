"""Secrets: where they may come from, and where they may not.

In this order: the environment (`KANGBOT_VENUES__BYBIT__KEY`), the file that the configuration names, systemd's
credentials folder (`LoadCredential=bybit_key:…`). Never the configuration file itself: it is copied, committed and
shown.

A command that a person types beside an installed service has no such folder. It looks where the unit takes its
credentials from: the folder `credentials` beside the configuration, which is root's alone.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kangbot.errors import Problem
from kangbot.runtime.there import there
from kangbot.settings.kinds import one_line
from kangbot.settings.lines import Key
from kangbot.settings.plain import opened
from kangbot.settings.sources import Origin, Table, merged, nested, value_at

SECRETS: tuple[tuple[Key, str, str], ...] = (
    # the setting; the key that names its file; its name in systemd's credentials folder
    (("venues", "bybit", "key"), "key_file", "bybit_key"),
    (("venues", "bybit", "secret"), "secret_file", "bybit_secret"),
    (("database", "url"), "url_file", "database_url"),
    (("notify", "addresses"), "addresses_file", "notify_addresses"),
    (("telegram", "token"), "token_file", "telegram_token"),
)
PRIVATE_MOUNTS = (Path("/run/secrets"),)  # what a container runtime mounts there is world-readable, in a private tree
CREDENTIALS = "credentials"  # beside the configuration, as LoadCredential= of config/systemd/kangbot.service has it
_REMEDY = "Name a file that the daemon's user can read. The secret itself stands in that file."
LONGEST_SECRET = 4096  # bytes; an API secret has 36, a private key in PEM under 3300


class Vault:
    """Finds the secrets of one configuration; `found` are those to lay over it, `problems` what is wrong."""

    def __init__(self, *, environ: Mapping[str, str], origin: Origin) -> None:
        self._credentials = handed_over(environ)
        self._origin = origin
        self.found: Table = {}
        self.problems: list[Problem] = []

    def open(self, file: Table, table: Table) -> None:
        """Look for every secret. `file` is what the file says, `table` the same with the environment laid over it."""
        for key, named_by, credential in SECRETS:
            self._refuse_in_file(file, key)
            if value_at(table, key):
                continue
            namer = (*key[:-1], named_by)
            path = value_at(table, namer)
            if isinstance(path, str) and path.strip():
                self._take(key, namer, Path(path))
            elif path is None and _is_file(kept := credential_file(credential, self._credentials, self._origin.file)):
                self._take(key, namer, kept)

    def _refuse_in_file(self, file: Table, key: Key) -> None:
        value = value_at(file, key)
        if not isinstance(value, str) or not (key[-1] != "url" or has_password(value)):
            return
        variable = "KANGBOT_" + "__".join(str(part) for part in key).upper()
        self.problems.append(
            self._origin.in_file(
                key,
                f"{'holds a password' if key[-1] == 'url' else 'is a secret'} and does not belong in this file",
                f"Put it into a file of its own and name that with {key[-1]}_file, or set {variable}.",
            )
        )

    def _take(self, key: Key, namer: Key, path: Path) -> None:
        try:
            with opened(path) as (file, mode):
                raw = file.read(LONGEST_SECRET + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "no path"
            self._wrong(namer, f"{self._told(path)} cannot be read: {reason}", _REMEDY)
            return
        if problem := self._too_open(path, mode):
            self._wrong(namer, problem, f"chmod 600 {path}")
            return
        try:
            text = raw.decode("utf-8-sig").strip()  # an editor of Windows begins it with a mark that nobody sees
        except UnicodeDecodeError:
            text = ""
        if len(raw) > LONGEST_SECRET or not one_line(text):
            self._wrong(namer, f"{path} must hold one line of text, the secret and nothing else", "")
            return
        self.found = merged(self.found, nested(key, text))

    def _told(self, path: Path) -> str:
        """Name a file. One that would be beside the configuration, and is not, may be the secret itself, pasted."""
        beside = path.is_relative_to(Path(self._origin.file).parent)
        return "the file that it names, beside the configuration," if beside and not _is_there(path) else str(path)

    def _too_open(self, path: Path, mode: int) -> str:
        """Say why the file's permissions are a mistake: an error, since nobody reads the warnings of a server.

        A group may read it, which is how a service account is usually let in; a container's mount may be what it is.
        """
        private = (*PRIVATE_MOUNTS, *([self._credentials] if self._credentials else []))
        if any(path.is_relative_to(mount) for mount in private) or not mode & 0o027:
            return ""
        who = "everybody can use it" if mode & 0o007 else "its group can change it"
        return f"{path} is not private: {who} (mode {mode:04o})"

    def _wrong(self, key: Key, message: str, remedy: str) -> None:
        self.problems.append(self._origin.problem(key, message, remedy))


def _is_there(path: Path) -> bool:
    try:
        return there(path)
    except (OSError, ValueError):  # longer than any name, or with a zero in it: nor is there a file that has it
        return False


def handed_over(environ: Mapping[str, str]) -> Path | None:
    """Return the folder in which systemd hands a service its credentials; None for whoever is no service."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def credential_file(name: str, handed: Path | None, config: str) -> Path:
    """Return where a credential is: handed over as `bybit_key`, else `credentials/bybit/key` beside the configuration.

    systemd names each file of a folder `bybit` that it loads by the folder, an underscore and the file.
    """
    return handed / name if handed else Path(config).parent / CREDENTIALS / Path(*name.split("_", 1))


def shut_credentials(config: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the service's credentials, where this user may not look into it."""
    folder = config.parent / CREDENTIALS
    if handed_over(environ):
        return None
    try:
        os.stat(folder / "database" / "url")  # noqa: PTH116 -- Path's questions answer False where they are refused
    except PermissionError:
        return folder
    except (OSError, ValueError):
        return None
    return None


def has_password(url: str) -> bool:
    """Tell whether an address holds a password. What cannot be parsed may hold one."""
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return True


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
