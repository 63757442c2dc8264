"""Every key of the configuration as a page, `docs/settings.md`: `python -m tests.support.settings_page` writes it.

What a key means stands where it is declared, and nowhere else. The page is made of that, so it cannot be out of date.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from kangbot.machines.faults import DEFAULTS
from kangbot.settings import Settings
from kangbot.settings.errors import ErrorRule, ErrorSettings
from kangbot.settings.trading import Market

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
_HEAD = """# Every key of the configuration

This page is made of the declarations in `kangbot/settings/`. The shipped [kangbot.toml](../config/kangbot.toml) has the
keys that are changed most; `kangbot config show` says which value each key has now, and where it comes from. What an
edit does to a running daemon is in [configuration.md](configuration.md).

Each key can also be set from the environment: `KANGBOT_RISK__DAILY_LOSS=50` stands above `daily_loss` in `[risk]`. An
empty cell under "default" means that nothing is set.

## At the top of the file
"""
_KEYS = "| key | default | what it is |\n| --- | --- | --- |"
_KINDS = "| kind | severity | action | wait_s |\n| --- | --- | --- | --- |"


def page() -> str:
    """Return the whole page."""
    parts = [_HEAD, _table(Settings)]
    for title, kind in _sections(Settings, ""):
        parts += [f"## `{title}`\n", _about(kind), _table(kind)]
        if kind is ErrorRule:
            parts += ["By default:\n", _defaults_of_kinds()]
    return "\n".join(parts)


def _sections(kind: type, above: str) -> Iterator[tuple[str, type]]:
    """Yield the tables that the file may have, with their names, in the order of the declarations."""
    for field in dataclasses.fields(kind):
        inner = Market if field.name == "markets" else _section(kind, field.name)
        if inner is Market:
            yield "[[markets]]", Market
        elif inner is ErrorSettings:
            yield "[errors.<kind>]", ErrorRule
        elif inner is not None:
            if any(_section(inner, one.name) is None for one in dataclasses.fields(inner)):
                yield f"[{above}{field.name}]", inner
            yield from _sections(inner, f"{above}{field.name}.")


def _section(kind: type, name: str) -> type | None:
    """Return what a key's table is declared by; None for a plain value."""
    hint = get_type_hints(kind)[name]
    return hint if isinstance(hint, type) and dataclasses.is_dataclass(hint) else None


def _about(kind: type) -> str:
    """Return what a table is for; its own name, which is the heading, comes before the colon."""
    said = _flowing(inspect.getdoc(kind) or "")
    if said.startswith("`["):
        said = said.partition(": ")[2]
    return f"{said[:1].upper()}{said[1:]}\n"


def _table(kind: type) -> str:
    said = _said(kind)
    fields = [one for one in dataclasses.fields(kind) if _section(kind, one.name) is None and one.name != "markets"]
    absent = "As in `[defaults]`." if kind is Market else ""
    rows = [
        f"| `{one.name}` | {_default(one)} | {said.get(one.name) or absent}{_words(kind, one.name)} |" for one in fields
    ]
    return "\n".join([_KEYS, *rows, ""])


def _said(kind: type) -> dict[str, str]:
    """Return what is said below each key where it is declared."""
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for line, below in zip(declared.body, declared.body[1:], strict=False):
        if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[line.target.id] = _flowing(str(below.value.value)).replace("|", "\\|")
    return found


def _words(kind: type, name: str) -> str:
    """Return the words that a key may have, where these are all."""
    hint = get_type_hints(kind)[name]
    choices = next((one for one in (hint, *get_args(hint)) if get_origin(one) is Literal), None)
    if choices is None or kind is Market:
        return ""
    return f" One of {', '.join(f'`{word}`' for word in get_args(choices))}."


def _default(field: "dataclasses.Field[Any]") -> str:
    value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    if value is dataclasses.MISSING:
        return "must be there"
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, int | float | Decimal) else f'`"{value}"`'


def _defaults_of_kinds() -> str:
    rows = [
        f"| `{kind.value}` | `{rule.severity.value}` | `{rule.action.value}` | {rule.wait_ns / 1e9:g} |"
        for kind, rule in DEFAULTS.items()
    ]
    return "\n".join([_KINDS, *rows, ""])


def _flowing(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
