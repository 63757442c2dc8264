"""The kinds of values a key can have, where pydantic's own are too lenient for money.

TOML tells a number from a boolean and from text; pydantic would take `true` for 1. Numbers with a fraction arrive as
`Decimal` (the file is read so), hence an amount is exact to its last digit.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kangbot.model.market import timeframe_seconds

T = TypeVar("T")

DAY_S = 86_400
KLINE_TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
BUILT_TIMEFRAMES = ("1s", "2s", "3s", "5s", "10s", "15s", "20s", "30s")
TIMEFRAMES = BUILT_TIMEFRAMES + KLINE_TIMEFRAMES


class Section(BaseModel):
    """A table of the file: frozen, and any key it does not know is a mistake."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # an error of ours never echoes what could be a secret
        defer_build=True,  # only the root is ever validated; the parts need no validator of their own
        validate_default=False,
        str_strip_whitespace=True,
    )


def _not_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 -- pydantic collects ValueErrors
    return value


def _timeframe(text: str) -> str:
    if text not in TIMEFRAMES:
        timeframe_seconds(text)  # says what a timeframe looks like, where it does not look like one
        raise ValueError(f"{text!r} is not a timeframe a market can have: {', '.join(TIMEFRAMES)}")
    return text


def _symbol(text: str) -> str:
    pair, colon, settle = text.partition(":")
    base, slash, quote = pair.partition("/")
    named = all(part.isalnum() and part.isascii() and part == part.upper() for part in (base, quote))
    if not slash or not named or (colon and settle != quote):
        raise ValueError(
            f"{text!r} is not a symbol: write BTC/USDT:USDT for a perpetual settled in USDT, BTC/USDT for spot"
        )
    return text


def _http(text: str) -> str:
    return _url(text, ("http", "https"))


def _websocket(text: str) -> str:
    return _url(text, ("ws", "wss"))


def _url(text: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname or not port_is_valid(parts):
        raise ValueError(f"must be an address such as {schemes[-1]}://host:port/path")
    if parts.password is not None or parts.username is not None:
        raise ValueError("must not hold a user or a password")
    return text.rstrip("/")


def port_is_valid(parts: SplitResult) -> bool:
    """Tell whether the port of a split URL is absent or a number that can be one."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _path(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("must be a path; it holds a NUL character")
    return path


Whole = Annotated[int, BeforeValidator(_not_boolean)]
Seconds = Annotated[float, BeforeValidator(_not_boolean), Field(ge=0, le=DAY_S)]
Amount = Annotated[Decimal, BeforeValidator(_not_boolean), Field(gt=0, le=Decimal(10) ** 12)]
Share = Annotated[Decimal, BeforeValidator(_not_boolean), Field(gt=0, le=1)]
Timeframe = Annotated[str, AfterValidator(_timeframe)]
SymbolText = Annotated[str, AfterValidator(_symbol)]
HttpUrl = Annotated[str, AfterValidator(_http)]
WebsocketUrl = Annotated[str, AfterValidator(_websocket)]
FilePath = Annotated[Path, AfterValidator(_path)]
