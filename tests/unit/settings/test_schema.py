"""The settings tell a reader what they mean where they are declared."""

import ast
import inspect
from dataclasses import fields
from textwrap import dedent
from typing import Any, get_args, get_type_hints

import pytest

from kangbot.settings.schema import Settings
from kangbot.settings.trading import Defaults, Market


def sections(kind: Any) -> set[type]:
    """Return the section and every section below it."""
    if kind is not Settings and not hasattr(kind, "__pydantic_config__"):
        return set().union(*(sections(part) for part in get_args(kind)))
    hints = get_type_hints(kind)
    return {kind}.union(*(sections(hints[field.name]) for field in fields(kind)))


def documented(section: type) -> set[str]:
    """Return the keys with a text behind their declaration."""
    (body,) = ast.parse(dedent(inspect.getsource(section))).body
    assert isinstance(body, ast.ClassDef)
    return {
        declared.target.id
        for declared, behind in zip(body.body, body.body[1:], strict=False)
        if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name)
        if isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant)
    }


SECTIONS = sorted(sections(Settings), key=lambda section: section.__name__)


def test_every_section_is_found() -> None:
    """Else the test of their keys would be of nothing."""
    assert {"Settings", "Bybit", "Risk", "Market", "HealthSettings", "ErrorRule"} <= {one.__name__ for one in SECTIONS}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_is_documented_where_it_is_declared(section: type) -> None:
    """By a text behind it; a key of a market where `[defaults]` has it, a section by its own first line."""
    said = documented(section) | (documented(Defaults) if section is Market else set())
    hints = get_type_hints(section)
    silent = [field.name for field in fields(section) if field.name not in said and not sections(hints[field.name])]
    assert not silent
    assert section.__doc__
