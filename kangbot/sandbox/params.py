"""Reading a request's parameters: what is missing or malformed is refused with code 10001."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from kangbot.model.money import BEYOND
from kangbot.sandbox.errors import PARAMS, ApiError

Params = Mapping[str, Any]


def text(params: Params, name: str, default: str | None = None) -> str:
    """Return a parameter as text; refuse where it is missing and has no default."""
    value = params.get(name)
    if value is None or value == "":
        if default is None:
            raise ApiError(PARAMS, f"params error: {name} is required")
        return default
    return str(value)


def decimal(params: Params, name: str) -> Decimal | None:
    """Return a number; None where it is absent or empty. One beyond any price is none: no rule could be held to it."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= BEYOND:
        raise ApiError(PARAMS, f"params error: {name} invalid")
    return number


def price(params: Params, name: str) -> Decimal | None:
    """Return a price; None where it is absent, empty or 0, which the venue reads as "none"."""
    return decimal(params, name) or None


def whole(params: Params, name: str, default: int, *, low: int = 1, high: int = 1000) -> int:
    """Return a whole number, held between its bounds as the venue does with page sizes."""
    value = params.get(name)
    if value is None or value == "":
        return default
    try:
        return min(high, max(low, int(str(value))))
    except ValueError:
        raise ApiError(PARAMS, f"params error: {name} invalid") from None


def millis(params: Params, name: str) -> int | None:
    """Return a time in milliseconds as nanoseconds; None where it is absent."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        return int(str(value)) * 1_000_000
    except ValueError:
        raise ApiError(PARAMS, f"params error: {name} invalid") from None


def until(params: Params, name: str) -> int | None:
    """Return the last nanosecond of a time in milliseconds: what is told to have happened then is in the span."""
    began_ns = millis(params, name)
    return None if began_ns is None else began_ns + 999_999


def flag(params: Params, name: str) -> bool:
    """Return a boolean; absent is False."""
    return str(params.get(name, "")).lower() in {"true", "1"}
