"""Where values come from: the file, and the environment laid over it. Each value's origin is kept for messages.

It needs no pydantic, so a command that only asks where a credential is costs nothing of it; `environment` does.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings.lines import Key, locate
from kangbot.settings.paths import SERVICE
from kangbot.settings.plain import read_plain

Table = dict[str, object]
ENV_PREFIX = "KANGBOT_"
ENV_DELIMITER = "__"
LARGEST_EXPONENT = 1000  # of a number in the file

# What a beginner writes, by the first words of what tomllib says to it.
_TOML_REMEDIES = {
    "Invalid value": 'A text stands between straight quotes: key = "text"; true and false have none.',
    "Invalid statement": "A line is key = value or [section]; a remark begins with #.",
    "Expected '=' after a key": "A line is key = value; a remark begins with #.",
    "Expected newline or end of document": "A value ends its line; a remark begins with #, a fraction has a point.",
    "Illegal character '\\n'": "Close the text with the quote that it began with, on the same line.",
    "Unterminated string": "Close the text with the quotes that it began with.",
    'Expected "\'"': "Close the text with the quote that it began with, on the same line.",
    "Expected ']' at the end of a table": "A section stands between brackets: [name], a market's is [[markets]].",
    "Expected ']]'": "A section stands between brackets: [name], a market's is [[markets]].",
    "Unclosed array": "Close it with ].",
    "Unclosed inline table": "Close it with } on the same line.",
    "Invalid initial character for a key part": "A name has letters, digits and _; what stands in {…} is in one line.",
    "Invalid hex value": "Put a text that has a backslash between single quotes: key = 'text'.",
    "Unescaped '\\' in a string": "Put a text that has a backslash between single quotes: key = 'text'.",
    "Cannot overwrite a value": "Say each key once; what is already in the file stands further up.",
    "Cannot declare": "Write each [section] once; every market is a [[markets]] of its own.",
}
_TOML_PLACE = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Of every value, whether the file or which variable said it."""

    file: str
    lines: Mapping[Key, int] = field(default_factory=dict)
    overlay: Mapping[str, object] = field(default_factory=dict)  # what the environment says, nested like the file
    names: tuple[str, ...] = ()  # of the variables, as they are written
    shut: Path | None = None  # the service's credentials, where this user may not look into their folder
    kept: tuple[int, ...] | None = None  # the markets' numbers in the file, where some were taken out

    def problem(self, key: Key, message: str, remedy: str = "") -> Problem:
        """Return the mistake with the place of `key`: the variable that gave it, or the file with its line."""
        key = self._in_file(key)
        if variable := self._variable(key):
            return Problem(message=message, key=variable, file="environment", remedy=remedy)
        return Problem(message=message, key=dotted(key), file=self.file, line=self._line(key), remedy=remedy)

    def in_file(self, key: Key, message: str, remedy: str = "") -> Problem:
        """Return the mistake with its line in the file, whatever the environment says."""
        return Problem(message=message, key=dotted(key), file=self.file, line=self._line(key), remedy=remedy)

    def line(self, key: Key) -> int:
        """Return the line of `key`, or of the closest table around it; 0 where the file has neither."""
        return self._line(self._in_file(key))

    def _line(self, key: Key) -> int:
        return next((self.lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.lines), 0)

    def _in_file(self, key: Key) -> Key:
        if self.kept is not None and len(key) > 1 and key[0] == "markets" and isinstance(key[1], int):
            return ("markets", self.kept[key[1]], *key[2:])
        return key

    def _variable(self, key: Key) -> str:
        """Return the environment variable that gave the value; "" where it was the file."""
        value: object = self.overlay
        for part in key:
            if not isinstance(value, Mapping):
                break
            if part not in value:
                return ""
            value = value[part]
        names = {name.upper(): name for name in self.names}
        written = (ENV_PREFIX + ENV_DELIMITER.join(map(str, key[:n])).upper() for n in range(len(key), 0, -1))
        return next((names[name] for name in written if name in names), "")


def dotted(key: Key) -> str:
    """Return the key as a person writes it: `markets[3].symbol`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" for a misspelt name; "" where nothing is near."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""


def read_file(path: Path) -> tuple[Table, str]:
    """Return the table that the file holds, and its text. ConfigInvalid where it cannot be read or is not TOML.

    Numbers with a fraction are `Decimal`: an amount must not pass through a float.
    """
    try:
        raw = read_plain(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigInvalid(
            (Problem(message=f"cannot be read: {reason}", file=str(path), remedy=_remedy(error)),)
        ) from None
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: byte 0x{raw[error.start]:02x}"
        raise ConfigInvalid(
            (Problem(message=message, file=str(path), line=line, remedy="Save the file as UTF-8."),)
        ) from None
    return parse(text, str(path)), text


def _remedy(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            service = f"; the service's is {SERVICE}" if os.access(SERVICE, os.R_OK) else ""
            return f"Put it there, write one with `kangbot init`, or name another with --config{service}."
        case PermissionError():
            return "Give the user that runs kangbot the right to read it."
        case IsADirectoryError():
            return "Name the file in it."
        case _:
            return ""


def parse(text: str, name: str) -> Table:
    """Return the table of a TOML text; ConfigInvalid with its line where it is not TOML."""
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.match(str(error))
        what = found["what"] if found else str(error)
        line = int(found["line"]) if found and found["line"] else text.count("\n") + 1
        column = f" at column {found['column']}" if found and found["column"] else " at the end of the file"
        message = f"is not TOML: {what[:1].lower()}{what[1:]}{column}"
        remedy = next((words for begins, words in _TOML_REMEDIES.items() if what.startswith(begins)), "")
        remedy = _unseen(text.split("\n")[line - 1]) or remedy
        raise ConfigInvalid((Problem(message=message, file=name, line=line, remedy=remedy),)) from None
    except RecursionError:
        raise ConfigInvalid((Problem(message="is nested too deeply", file=name),)) from None
    except (ValueError, ArithmeticError):  # an integer of thousands of digits; an exponent beyond every decimal
        raise ConfigInvalid((Problem(message="holds a number too large to be one", file=name),)) from None


def _unseen(line: str) -> str:
    """Return what to do about a sign that nobody sees; "" where there is none before the line's remark.

    A line that was copied from a page may have one, such as a space that does not break.
    """
    for column, sign in enumerate(line.partition("#")[0], start=1):
        if not (sign.isascii() or sign.isprintable()):
            return f"Type the sign at column {column} again: it is not seen, and no space (U+{ord(sign):04X})."
    return ""


def _decimal(text: str) -> Decimal:
    """Return the number. ValueError for an exponent that no amount has: made an integer, it would never end."""
    value = Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(text)
    return value


def lines_of(text: str) -> dict[Key, int]:
    """Return the line of each key; nothing where the text nests deeper than can be followed."""
    try:
        return locate(text)
    except RecursionError:
        return {}


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> Table:
    """Return `below` with `above` laid over it, table by table."""
    out: Table = dict(below)
    for key, value in above.items():
        under = out.get(key)
        out[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return out


def value_at(table: Mapping[str, object], key: Key) -> object:
    """Return the value at a path of tables; None where there is none."""
    value: object = table
    for part in key:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def nested(key: Key, value: object) -> Table:
    """Return the tables that hold `value` at a path, to be laid over others."""
    return {str(key[0]): nested(key[1:], value) if len(key) > 1 else value}
