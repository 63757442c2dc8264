"""Turn pydantic's findings into mistakes a person can act on: place, key, what is wrong, the nearest right word."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kangbot.errors import Problem
from kangbot.settings.kinds import Secret
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.secrets import SECRETS
from kangbot.settings.sources import Origin, nearest

SECRET_KEYS = frozenset(key[-1] for key, _, _ in SECRETS)  # their values are never echoed
LONGEST_ECHO = 60  # characters of a wrong value in a message

# What earlier versions had, and what to do in its place.
GONE: dict[Key, str] = {
    ("venues", "bybit", "mode"): "A daemon has one mode: say it as `mode` at the top of the file, and remove this.",
}


def explain(error: ValidationError, origin: Origin) -> tuple[Problem, ...]:
    """Return one mistake for each of pydantic's findings."""
    return tuple(_explain(detail, origin) for detail in error.errors(include_url=False))


def _explain(detail: ErrorDetails, origin: Origin) -> Problem:
    key: Key = detail["loc"]
    match detail["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            remedy = GONE.get(key) or nearest(str(key[-1]), known_keys(key[:-1]))
            return origin.problem(key, "is no setting", remedy)
        case "missing":
            return origin.problem(key, "is missing")
        case "dataclass_type" | "dict_type":
            return origin.problem(key, "must be a table")
        case "tuple_type" if key == ("markets",):
            return origin.problem(key, "must be [[markets]] tables")
        case "string_type":
            return origin.problem(key, f"must be a text in quotes{_echo(detail)}")
        case "string_too_short":
            return origin.problem(key, "must not be empty")
        case "literal_error":
            return origin.problem(key, wrong(detail), nearest(str(detail["input"]), _choices(detail)))
        case _:
            return origin.problem(key, wrong(detail))


def told(error: BaseException) -> str:
    """Return the first of pydantic's findings in our words; "" for another's error."""
    return wrong(error.errors(include_url=False)[0]).rstrip(".") if isinstance(error, ValidationError) else ""


def wrong(detail: ErrorDetails) -> str:
    """Return what is wrong with a value, wherever it was written: "must be a whole number, not 'x'"."""
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "int_parsing" | "int_type" | "int_from_float":
            said = "must be a whole number"
        case "float_parsing" | "float_type" | "decimal_parsing" | "decimal_type":
            said = "must be a number"
        case "literal_error":
            said = f"must be {detail['ctx']['expected']}"
        case _:
            said = detail["msg"]
            for before, after in (("Input should be", "must be"), ("Decimal input should be", "must be")):
                said = said.replace(before, after)
            said = f"{said[:1].lower()}{said[1:]}"
    return f"{said}{_echo(detail)}"


def _choices(detail: ErrorDetails) -> list[str]:
    return [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _echo(detail: ErrorDetails) -> str:
    value = detail["input"]
    if SECRET_KEYS.intersection(detail["loc"][-1:]) or isinstance(value, Mapping):
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ""
    text = repr(value) if isinstance(value, str) else str(value)
    return f", not {text[:LONGEST_ECHO]}{'…' if len(text) > LONGEST_ECHO else ''}"


def known_keys(table: Key) -> tuple[str, ...]:
    """Return the names that may stand in a table of the file; nothing for a table that is free."""
    section: Any = Settings
    for part in table:
        if section is not None and isinstance(part, str):
            known = {field.name: field.type for field in fields(section)}
            section = _section_in(known.get(part))
    return tuple(field.name for field in fields(section)) if section else ()


def _section_in(kind: Any) -> Any:
    if is_dataclass(kind) and kind is not Secret:
        return kind
    return next((found for part in get_args(kind) if (found := _section_in(part))), None)
