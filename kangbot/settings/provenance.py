"""Where each value of a configuration comes from: its line in the file, a variable, a secret's file, or the default.

For a person who wonders why a value is what it is; the daemon never asks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from kangbot.settings.environment import read_environment
from kangbot.settings.kinds import Secret
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.secrets import SECRETS, credential_file, handed_over
from kangbot.settings.sources import Origin, lines_of, read_file

DEFAULT = "default"


def leaves(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    """Yield each setting that has a value, with its key. A table's own keys come before its tables, as TOML has it."""
    match value:
        case Mapping():
            inner = [((*key, str(name)), one) for name, one in value.items()]
        case tuple() if _is_table(value):
            inner = [((*key, number), one) for number, one in enumerate(value)]
        case _ if _is_table(value):
            inner = [((*key, field.name), getattr(value, field.name)) for field in fields(value)]  # type: ignore[arg-type]  # a dataclass
        case _:
            if value is not None:
                yield key, value
            return
    for name, one in sorted(inner, key=lambda pair: _is_table(pair[1])):
        yield from leaves(one, name)


def _is_table(value: object) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_table, value))
    return isinstance(value, Mapping) or (is_dataclass(value) and not isinstance(value, Secret))


def provenance(path: Path, environ: Mapping[str, str], settings: Settings) -> Callable[[Key], str]:
    """Return who says the value of a key: "line 12", "KANGBOT_MODE", a file or "default".

    `settings` are what was loaded from the same. ConfigInvalid where the file has changed since, and cannot be read.
    """
    _, text = read_file(path)
    overlay, _ = read_environment(environ)
    lines = lines_of(text)
    origin = Origin(file=str(path), lines=lines, overlay=overlay, names=tuple(environ))
    named_by = {key: ((*key[:-1], name), credential) for key, name, credential in SECRETS}
    handed = handed_over(environ)

    def says(key: Key) -> str:
        found = origin.problem(key, "")
        if found.file == "environment":
            return found.key
        if key in lines:
            return f"line {lines[key]}"
        if key in named_by:
            namer, credential = named_by[key]
            file = _at(settings, namer)
            if file is None and handed:
                return "systemd's credentials"
            return f"the file {file or credential_file(credential, handed, str(path))}"
        return DEFAULT

    return says


def _at(settings: Settings, key: Key) -> object:
    value: object = settings
    for part in key:
        value = getattr(value, str(part))
    return value
