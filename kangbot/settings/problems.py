"""Turn pydantic's findings into mistakes a person can act on: place, key, what is wrong, the nearest right word."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kangbot.errors import Problem
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.sources import Origin, nearest

SECRET_KEYS = frozenset({"key", "secret", "url", "password", "token"})  # their values are never echoed
LONGEST_ECHO = 60  # characters of a wrong value in a message


def explain(error: ValidationError, origin: Origin) -> tuple[Problem, ...]:
    """Return one mistake for each of pydantic's findings."""
    return tuple(_explain(detail, origin) for detail in error.errors(include_url=False))


def _explain(detail: ErrorDetails, origin: Origin) -> Problem:
    key: Key = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            return origin.problem(key, "is no setting", nearest(str(key[-1]), known_keys(key[:-1])))
        case "missing":
            return origin.problem(key, "is missing")
        case "value_error":
            return origin.problem(key, str(detail["ctx"]["error"]))
        case "literal_error":
            remedy = nearest(str(detail["input"]), _choices(detail))
            return origin.problem(key, f"must be {detail['ctx']['expected']}{_echo(detail)}", remedy)
        case _:
            message = detail["msg"]
            for before, after in (("Input should be", "must be"), ("Decimal input should be", "must be")):
                message = message.replace(before, after)
            return origin.problem(key, f"{message[:1].lower()}{message[1:]}{_echo(detail)}")


def _choices(detail: ErrorDetails) -> list[str]:
    return [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def _echo(detail: ErrorDetails) -> str:
    value = detail["input"]
    if detail["loc"][-1] in SECRET_KEYS or isinstance(value, Mapping):
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ""
    text = repr(value) if isinstance(value, str) else str(value)
    return f", not {text[:LONGEST_ECHO]}{'…' if len(text) > LONGEST_ECHO else ''}"


def known_keys(table: Key) -> tuple[str, ...]:
    """Return the names that may stand in a table of the file; nothing for a table that is free."""
    model: type[BaseModel] | None = Settings
    for part in table:
        if model is None:
            return ()
        if isinstance(part, str):
            known = model.model_fields.get(part)
            model = _model_in(known.annotation) if known else None
    return tuple(model.model_fields) if model else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
