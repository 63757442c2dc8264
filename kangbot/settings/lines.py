"""On which line of a TOML file each key stands. `tomllib` reads values and forgets where they were.

The text given here has been accepted by `tomllib`, so this scanner need not judge it: it only has to find its way over
strings, arrays and inline tables without being misled by what stands inside them.
"""

import re
import tomllib

Key = tuple[str | int, ...]

_PART = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_BLANK = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'{3}.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_BARE = re.compile(r"[^,\]}#\r\n]*")


def locate(text: str) -> dict[Key, int]:
    """Return the 1-based line of every key, table and array element of valid TOML; the first where there are several.

    A key is its path: `("markets", 3, "symbol")`.
    """
    return _Scanner(text).scan()


class _Scanner:
    """Walks once over the text; `_at` is where it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Key, int] = {}
        self._counts: dict[Key, int] = {}
        self._line_at, self._line = 0, 1

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        self._skip(_FILLER)
        while self._at < len(self._text):
            table = self._header() if self._text[self._at] == "[" else self._pair(table)
            self._skip(_FILLER)
        return self._lines

    def _header(self) -> Key:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path = self._inside(self._dotted())
        if many:
            self._counts[path] = self._counts.get(path, 0) + 1
            path = (*path, self._counts[path] - 1)
        self._note(path)
        self._at += 2 if many else 1
        return path

    def _pair(self, table: Key) -> Key:
        path = (*table, *self._dotted())
        self._note(path)
        self._at += 1  # the equals sign
        self._value(path)
        return table

    def _value(self, path: Key) -> None:
        self._skip(_FILLER)
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline(path)
        else:
            self._skip(_STRING if opening in ('"', "'") else _BARE)

    def _elements(self, path: Key) -> None:
        self._at += 1
        number = 0
        while self._more("]"):
            self._note((*path, number))
            self._value((*path, number))
            number += 1

    def _inline(self, path: Key) -> None:
        self._at += 1
        while self._more("}"):
            self._pair(path)

    def _more(self, closing: str) -> bool:
        """Step over fillers and a comma; False behind the closing bracket, or at the end of the text."""
        self._skip(_FILLER)
        if self._text[self._at : self._at + 1] == ",":
            self._at += 1
            self._skip(_FILLER)
        if self._text[self._at : self._at + 1] in (closing, ""):
            self._at += 1
            return False
        return True

    def _dotted(self) -> Key:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            match = _PART.match(self._text, self._at)
            if match is None:
                raise ValueError(f"no key at character {self._at}")
            self._at = match.end()
            parts.append(_unquoted(match[0]))
            self._skip(_BLANK)
            if self._text[self._at : self._at + 1] != ".":
                return tuple(parts)
            self._at += 1

    def _inside(self, path: Key) -> Key:
        """Return the path with the newest element put in behind every array of tables on the way."""
        real: Key = ()
        for number, part in enumerate(path, start=1):
            real = (*real, part)
            if number < len(path) and real in self._counts:
                real = (*real, self._counts[real] - 1)
        return real

    def _note(self, path: Key) -> None:
        self._line += self._text.count("\n", self._line_at, self._at)
        self._line_at = self._at
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], self._line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    return str(next(iter(tomllib.loads(f"{part} = 0"))))
