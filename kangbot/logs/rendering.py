"""Two ways of writing one event: a line that a person reads, a JSON object that a machine reads.

Both get plain data (`masking`), and both write exactly one line an event; only a traceback at debug level adds more.
"""

from collections.abc import Mapping

import msgspec

from kangbot.logs.masking import Plain
from kangbot.model.printable import printable

EVENT_WIDTH = 26
MARKET_WIDTH = 20
_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_BOLD = "\x1b[1m"
_COLOURS = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[1;31m",
}

Fields = Mapping[str, Plain]


def render_json(fields: Fields) -> str:
    """Return the event as one JSON object: `at`, `level`, `event` first, then the fields in their order."""
    return msgspec.json.encode(_ordered(fields)).decode()


class Console:
    """The event as an aligned line: time, level, market, event, fields. Colours where `colours` is True."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, fields: Fields) -> str:
        """Return the line, and the traceback below it where there is one."""
        rest = dict(_ordered(fields))
        at, level, event = (printable(str(rest.pop(name, ""))) for name in ("at", "level", "event"))
        market = printable(str(rest.pop("market", None) or ""))  # None: of every market, which is said by no name
        traceback = rest.pop("traceback", None)
        pairs = " ".join(f"{self._dim(printable(name) + '=')}{_word(value)}" for name, value in rest.items())
        head = f"{self._dim(at)} {self._paint(f'{level:<8}', level)} {market:<{MARKET_WIDTH}} "
        line = f"{head}{self._bold(f'{event:<{EVENT_WIDTH}}')} {pairs}".rstrip()
        return f"{line}\n{_indented(str(traceback))}" if traceback else line

    def _paint(self, text: str, level: str) -> str:
        return f"{_COLOURS.get(level, '')}{text}{_RESET}" if self._colours else text

    def _dim(self, text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if self._colours else text

    def _bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_RESET}" if self._colours else text


def _ordered(fields: Fields) -> dict[str, Plain]:
    first = {name: fields[name] for name in ("at", "level", "event", "market") if name in fields}
    return {**first, **fields}


def _word(value: Plain) -> str:
    """Return a value as it stands in a line: what has spaces in it, or nothing, is quoted."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = printable(str(value))
    return f'"{text}"' if isinstance(value, str) and (not text or " " in text) else text


def _indented(text: str) -> str:
    lines = text.rstrip().split("\n")
    return "\n".join(f"    {printable(line)}" for line in lines)
