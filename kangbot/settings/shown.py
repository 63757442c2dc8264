"""The configuration as a caller may see it: plain data, and of a secret only whether there is one."""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import PurePath

from kangbot.settings.kinds import Secret

HIDDEN = "***"


def shown(value: object) -> object:
    """Return settings, or a part of them, as tables, lists, text, numbers and booleans."""
    match value:
        case Secret():
            return HIDDEN
        case None | bool() | int() | float() | str():
            return value
        case Decimal() | PurePath():
            return str(value)
        case dict():
            return {str(key): shown(inner) for key, inner in value.items()}
        case list() | tuple():
            return [shown(inner) for inner in value]
        case _ if is_dataclass(value):
            return {field.name: shown(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)
