"""JSON as other programs read it: amounts are text in plain digits, however small they are.

`str` of a decimal has an exponent from 0.0000009 down, and so has what msgspec makes of it. That is exact, but a script
in another language may find no number in the text. The journal's records stay as they are: they are read both ways.
"""

import re
from decimal import Decimal

import msgspec

_WITH_EXPONENT = re.compile(rb'"(-?\d(?:\.\d+)?E[+-]\d{1,2})"')


def plain_json(value: object) -> bytes:
    """Return the value as JSON, no decimal in it with an exponent."""
    said = msgspec.json.encode(value)
    return _WITH_EXPONENT.sub(_plain, said) if b"E-" in said or b"E+" in said else said


def _plain(found: re.Match[bytes]) -> bytes:
    return f'"{Decimal(found[1].decode()):f}"'.encode()
