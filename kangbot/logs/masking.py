"""Take secrets out of what is about to be written, wherever they stand in it.

Three nets, since one always has a hole: the values that are known to be secret, in the forms in which they travel;
fields whose name says that they hold one; and text that looks like `signature=…`, `"apiKey": "…"` or
`mysql://user:password@host`. What comes out is plain data: text, numbers, lists and tables, ready for any renderer.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4  # characters: masking a shorter "secret" would blot out ordinary words, and it would protect nothing
DEEPEST = 6  # levels of nesting that are shown
LONGEST = 4000  # characters of one text: a venue's error page is cut, a traceback is not

_NAMES = (
    r"token|secret|password|passwd|passphrase|signature|api[_-]?key|api[_-]?secret|authorization|cookie|"
    r"x-bapi-sign|x-bapi-api-key|x-mbx-apikey"
)
_FIELD = re.compile(rf"(?:^|.*[_.-])(?:{_NAMES}|sign)$", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(
    rf"""((?:{_NAMES}|\bsign)["']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?["']?)([^\s"'&,;}})\]]+)""", re.IGNORECASE
)
_URL = re.compile(r"(://[^\s/:@\"']*:)[^\s/\"']+(?=@)")

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None


class Masker:
    """Turns what an event holds into plain data without secrets. Secrets can be added while it is in use."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Register secrets: from now on they are masked, also percent-encoded, quoted and in base64."""
        for secret in secrets:
            if len(secret) >= SHORTEST:
                self._forms |= {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
                self._forms.add(b64encode(secret.encode(errors="replace")).decode().rstrip("="))
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return the text without secrets, and without what no encoder takes (lone surrogates)."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = _URL.sub(rf"\g<1>{MASK}", text)
        text = _PAIR.sub(rf"\g<1>{MASK}", text)
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()

    def value(self, value: object, depth: int = 0) -> Plain:
        """Return any value as plain data without secrets. Never raises."""
        match value:
            case None | bool():
                return value
            case Enum():
                return self.value(value.value, depth)
            case int():
                return value if -(2**63) <= value < 2**63 else self._said(value, str)[:LONGEST]
            case float():
                return value
            case str():
                return self._cut(value)
            case Decimal() if abs(value.adjusted()) < LONGEST:
                return self._cut(f"{value:f}")  # `str` writes what is small with an exponent
            case Decimal() | PurePath():
                return self._cut(str(value))
            case BaseException():
                return self._cut(f"{type(value).__name__}: {self._said(value, str)}")
            case Mapping() if depth < DEEPEST:
                return {
                    self._name(key): self.field(key if isinstance(key, str) else "", inner, depth + 1)
                    for key, inner in value.items()
                }
            case list() | tuple() | set() | frozenset() if depth < DEEPEST:
                return [self.value(inner, depth + 1) for inner in value]
            case _:
                return self._cut(self._said(value, repr))

    def field(self, name: str, value: object, depth: int = 0) -> Plain:
        """Return the value of a field: nothing of it where the field's name says that it is a secret."""
        return MASK if value is not None and _FIELD.fullmatch(name) else self.value(value, depth)

    def _name(self, key: object) -> str:
        return self._cut(key if isinstance(key, str) else self._said(key, repr))

    def _cut(self, text: str) -> str:
        shown = self.text(text)
        return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}… ({len(shown)} characters)"

    @staticmethod
    def _said(value: object, form: type[str] | object) -> str:
        try:
            return str(value) if form is str else repr(value)
        except Exception as error:  # noqa: BLE001 -- an object that cannot be shown must not stop who logs it
            return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
