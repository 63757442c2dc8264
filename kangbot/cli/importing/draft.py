"""What was taken, as a configuration's text. Pure."""

import json
from collections.abc import Sequence
from decimal import Decimal

from kangbot.cli.importing.taken import Taken, name_of

_ROOM = Decimal("1.1")  # a limit above the size: an entry is counted at its worst, which is above its notional


def draft(taken: Taken, sources: Sequence[str]) -> str:
    """Return the file; every note is a comment at its head."""
    lines = [
        f"# Written by `kangbot config import` from {', '.join(map(name_of, sources))}.",
        "# What is absent has its default. Relative paths are taken from this file's folder. No secret stands here.",
        "#",
        *(f"# - {note}" for note in taken.notes),
        "",
        f"mode = {_text(taken.mode)}",
        'state_dir = "state"',
        "",
        "[defaults]",
        f"venue = {_text(taken.venue)}",
        'strategy = "ema_cross"',
        *([f"timeframe = {_text(taken.timeframe)}"] if taken.timeframe else []),
        *([f"size = {taken.size:f}"] if taken.size else []),
        "leverage = 1",
        "",
        *(["[defaults.parameters]", f"stop_percent = {taken.stop_percent:f}", ""] if taken.stop_percent else []),
        *_risk(taken),
        *(["[paper]", f"balance = {taken.balance:f}", ""] if taken.balance and taken.mode == "paper" else []),
        *(["[notify]", f"name = {_text(taken.name)}", ""] if taken.name else []),
    ]
    for symbol in taken.symbols:
        lines += ["[[markets]]", f"symbol = {_text(symbol)}", ""]
    return "\n".join(lines)


def _risk(taken: Taken) -> list[str]:
    """Return limits that let in what the source would: so many positions of that size."""
    lines = []
    if taken.size:
        most = taken.size * _ROOM
        lines.append(f"market_notional = {most:f}")
        if taken.open_positions:
            lines.append(f"total_notional = {most * taken.open_positions:f}")
        else:
            lines.append(f"total_notional = {max(Decimal(2000), most):f}")
    if taken.open_positions is not None:
        lines.append(f"open_positions = {taken.open_positions}")
    return ["# what is held to before any order; 0 switches a limit off", "[risk]", *lines, ""] if lines else []


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # what JSON escapes, TOML reads
