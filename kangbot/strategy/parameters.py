"""A strategy's parameters: declared once as a struct, filled from a configuration.

Every mistake is found in one pass and carries the parameter's name, so that the settings can add file and line. Ranges
of integers and floats stand in `msgspec.Meta` beside the field; what involves `Decimal` or several fields is yielded by
`problems`.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite
from typing import Any, TypeVar

import msgspec

from kangbot.errors import Problem

P = TypeVar("P", bound="Parameters")
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text in quotes"}


class StrategyInvalid(ValueError):
    """Every mistake of one strategy's configuration at once; `problems` carries each with its key."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every strategy's parameters. StrategyInvalid where `problems` yields any."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield (field, what is wrong with it) for what the fields' own types cannot say."""
        yield from ()

    def __post_init__(self) -> None:
        found = tuple(Problem(key=key, message=message) for key, message in self.problems())
        if found:
            raise StrategyInvalid(found)


def parse(kind: type[P], values: Mapping[str, object]) -> P:
    """Return the parameters filled with `values` and defaults. StrategyInvalid with every mistake."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    problems = [_unknown(name, tuple(fields)) for name in values if name not in fields]
    parsed: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            try:
                parsed[name] = msgspec.convert(values[name], field.type)
            except msgspec.ValidationError as error:
                problems.append(Problem(key=name, message=f"{_worded(error)}, not {_shown(values[name])}"))
            else:
                if not _finite(parsed[name]):  # no rule could compare it
                    problems.append(Problem(key=name, message=f"must be a finite number, not {_shown(values[name])}"))
        elif field.required:
            problems.append(Problem(key=name, message="is required", remedy=f"Set {name}"))
    if problems:
        raise StrategyInvalid(tuple(problems))
    return kind(**parsed)


def _finite(value: object) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else not isinstance(value, float) or isfinite(value)


def _worded(error: msgspec.ValidationError) -> str:
    """Return what a value must be, in the words that the configuration's other mistakes have."""
    said = re.sub(r", got `.*`$", "", str(error))
    if said == "Invalid decimal string":
        return f"must be {_KINDS['float']}"
    return re.sub(r"^Expected `(\w+)(?: \| null)?`", lambda found: f"must be {_KINDS.get(found[1], found[1])}", said)


def _shown(value: object) -> str:
    """Return the value as the file has it: a fraction arrives as a Decimal."""
    return str(value) if isinstance(value, Decimal) else repr(value)


def nearest(word: str, known: tuple[str, ...]) -> str:
    """Return the remedy for an unknown word: the nearest known one, or all of them."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known are: {', '.join(known)}" if known else "There is none to set"


def _unknown(name: str, known: tuple[str, ...]) -> Problem:
    return Problem(key=name, message="is not a parameter of this strategy", remedy=nearest(name, known))
