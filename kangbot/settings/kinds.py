"""The kinds of values a key can have, and how they are checked, without loading what checks them.

The sections are plain frozen dataclasses: the daemon holds them, and pydantic, which costs 11 MB, is loaded only in the
process that reads a file (`apart.py`). A check is therefore a note beside the type; pydantic asks it for its schema
through `__get_pydantic_core_schema__`, and only there is pydantic imported.

TOML tells a number from a boolean and from text, pydantic would take `true` for 1: a number here is a number. Numbers
with a fraction arrive as `Decimal` (the file is read so), hence an amount is exact to its last digit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from kangbot.model.market import timeframe_seconds

BUILT_TIMEFRAMES = ("1s", "2s", "3s", "5s", "10s", "15s", "20s", "30s")
KLINE_TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
TIMEFRAMES = BUILT_TIMEFRAMES + KLINE_TIMEFRAMES

SECTION = {"extra": "forbid", "allow_inf_nan": False, "str_strip_whitespace": True}
"""A section's `__pydantic_config__`: what the section does not know is a mistake."""


@dataclass(frozen=True, slots=True)
class Check:
    """The value must please `judge`, which returns it, or raises ValueError with what is wrong."""

    judge: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return the type's own schema with the check behind it."""
        from pydantic_core import core_schema  # noqa: PLC0415 -- see the module's head

        return core_schema.no_info_after_validator_function(self.judge, handler(source))


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included."""

    low: int | float | Decimal
    high: int | float | Decimal

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return the number's schema with its bounds, behind the refusal of booleans."""
        from pydantic_core import core_schema  # noqa: PLC0415 -- see the module's head

        inner = {**handler(source), "ge": self.low, "le": self.high}
        return core_schema.no_info_before_validator_function(_number, inner)


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no message, log or `repr` shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return the schema of a text that becomes a secret."""
        from pydantic_core import core_schema  # noqa: PLC0415 -- see the module's head

        del source, handler
        return core_schema.no_info_after_validator_function(_secret, core_schema.str_schema(min_length=1))


def one_line(text: str) -> bool:
    """Whether it can be a secret: what else is in it would be put into a header of HTTP, or a line of a protocol."""
    return bool(text) and text.isprintable()


def _secret(text: str) -> Secret:
    if not one_line(text):
        raise ValueError("must be one line of text, the secret and nothing else")
    return Secret(text)


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 -- pydantic collects ValueErrors
    return value


def _timeframe(text: str) -> str:
    if text not in TIMEFRAMES:
        timeframe_seconds(text)  # says what a timeframe looks like, where this does not look like one
        raise ValueError(f"{text!r} is not a timeframe a market can have: {', '.join(TIMEFRAMES)}")
    return text


def _symbol(text: str) -> str:
    pair, colon, settle = text.partition(":")
    base, _, quote = pair.partition("/")
    named = all(part.isalnum() and part.isascii() and part == part.upper() for part in (base, quote))
    if not named or (colon and settle != quote):
        raise ValueError(
            f"{text!r} is not a symbol: write BTC/USDT:USDT for a perpetual settled in USDT, BTC/USDT for spot"
        )
    return text


def _http(text: str) -> str:
    return _url(text, "http", "https")


def _websocket(text: str) -> str:
    return _url(text, "ws", "wss")


def _url(text: str, plain: str, encrypted: str) -> str:
    parts = split_url(text)
    if parts is None or parts.scheme not in (plain, encrypted):
        raise ValueError(f"must be an address such as {encrypted}://host:port/path")
    if parts.password is not None or parts.username is not None:
        raise ValueError("must not hold a user or a password")
    return text.rstrip("/")


def split_url(text: str) -> SplitResult | None:
    """Return the parts of an address; None where it is none (no host, no valid port)."""
    try:
        parts = urlsplit(text)
        valid = bool(parts.hostname) and parts.port != 0  # reading a port that is none raises
    except ValueError:
        return None
    return parts if valid else None


def password_in(text: str) -> str:
    """Return the password in an address, also in one of a Unix socket, which has no host; "" where there is none."""
    try:
        return urlsplit(text).password or ""
    except ValueError:
        return ""


def _host(text: str) -> str:
    """Return a name as it stands in an address line: an IPv6 address in brackets."""
    if (address := _ipv6(text)) is not None:
        return f"[{address.compressed}]"
    try:
        parts = urlsplit(f"//{text}")
        valid = parts.hostname is not None and parts.netloc == text and parts.port is None and parts.username is None
    except ValueError:
        valid = False
    if not valid or not text.isascii() or any(letter in text for letter in " *?#%[]"):
        raise ValueError(
            f"{text!r} is not a host name: write bot.example.org, 192.0.2.7 or 2001:db8::7, without a port"
        )
    return text.lower()


def _listened_on(text: str) -> str:
    """Return an address as the system takes it: an IPv6 address without the brackets of an address line."""
    address = _ipv6(text)
    return _host(text) if address is None else str(address)


def _ipv6(text: str) -> IPv6Address | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return IPv6Address(bare)
    except ValueError:
        return None


def _path(path: Path) -> Path:
    text = str(path)
    if not text.strip() or text == ".":  # the folder itself has been written out by now
        raise ValueError("must not be empty")
    if "\0" in text or text.startswith("~"):
        raise ValueError("must be a path written out in full: without ~ and without NUL")
    return path


def _said(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


DAY_S = 86_400
Timeframe = Annotated[str, Check(_timeframe)]
SymbolText = Annotated[str, Check(_symbol)]
HttpUrl = Annotated[str, Check(_http)]
WebsocketUrl = Annotated[str, Check(_websocket)]
HostName = Annotated[str, Check(_host)]
ListenHost = Annotated[str, Check(_listened_on)]
FilePath = Annotated[Path, Check(_path)]
Words = Annotated[str, Check(_said)]
Amount = Annotated[Decimal, Between(Decimal("0.01"), Decimal(10) ** 12)]
Limit = Annotated[Decimal, Between(Decimal(0), Decimal(10) ** 12)]
Percent = Annotated[Decimal, Between(Decimal(0), Decimal(100))]
