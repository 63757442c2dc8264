"""A JSON file as people write it: with comments and a comma too many.

freqtrade reads its configuration so (rapidjson with PM_COMMENTS and PM_TRAILING_COMMAS). What is taken away is replaced
by blanks, so that a mistake is told with the line and column that an editor shows.
"""

import json
import re
from decimal import Decimal
from pathlib import Path

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings.plain import LARGEST
from kangbot.settings.sources import Table

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')


def read(path: Path) -> Table:
    """Return the object in the file; numbers with a fraction are Decimal. ConfigInvalid with the place of a mistake."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {(error.strerror or 'no path').lower()}") from error
    if len(raw) > LARGEST:
        raise _wrong(path, f"is larger than {LARGEST} bytes, which no configuration is")
    try:
        text = _COMMA.sub(_kept, _TOKEN.sub(_kept, raw.decode("utf-8-sig")))
        table = json.loads(text, parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise _wrong(path, f"is not UTF-8: {error.reason}", raw.count(b"\n", 0, error.start) + 1) from error
    except json.JSONDecodeError as error:
        raise _wrong(path, f"is not JSON at column {error.colno}: {error.msg}", error.lineno) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets by the thousand
        raise _wrong(path, "is not JSON that can be read: a number or a nesting is beyond all bounds") from error
    if not isinstance(table, dict):
        raise _wrong(path, "holds no JSON object", 1)
    return table


def _kept(match: re.Match[str]) -> str:
    token = match[0]
    return token if token[0] == '"' else re.sub(r"[^\n]", " ", token)


def _wrong(path: Path, message: str, line: int = 0) -> ConfigInvalid:
    return ConfigInvalid((Problem(message=message, file=str(path), line=line),))
