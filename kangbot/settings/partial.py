"""What is left of a configuration without its wrong keys, so that one message can tell every mistake.

Rules that compare settings need a whole `Settings`. Where some keys are wrong, they are taken out and the rest is
looked at: whoever corrects a file should not meet the next mistake only after the first is gone. A rule that would
read a key that was taken out is not asked (`rules.RULES` says what each reads).
"""

from collections.abc import Sequence

from kangbot.settings.lines import Key
from kangbot.settings.sources import Table

DEFINING = frozenset({"symbol", "venue", "strategy", "parameters"})  # a market without one of these is another market


def without(table: Table, wrong: Sequence[Key]) -> tuple[Table, tuple[int, ...]]:
    """Return a copy without the keys in `wrong`, and the numbers of the markets that are still in it."""
    left = _copy(table)
    gone: set[int] = set()
    for key in wrong:
        match key:
            case ("markets", int(number)) | ("markets", int(number), *_) if _defines(key):
                gone.add(number)
            case _:
                _remove(left, key)
    markets = left.get("markets")
    if not isinstance(markets, list):
        return left, ()
    kept = tuple(number for number in range(len(markets)) if number not in gone)
    left["markets"] = [markets[number] for number in kept]
    return left, kept


def _defines(key: Key) -> bool:
    return len(key) == 2 or key[2] in DEFINING


def _remove(table: Table, key: Key) -> None:
    """Take out the value at `key`, or the closest thing around it that there is."""
    holder: object = table
    for number, part in enumerate(key):
        inner = _get(holder, part)
        last = number == len(key) - 1
        if last or not isinstance(inner, dict | list):
            if isinstance(holder, dict):
                holder.pop(part, None)
            return
        holder = inner


def _get(holder: object, part: str | int) -> object:
    if isinstance(holder, dict):
        return holder.get(part)
    if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
        return holder[part]
    return None


def _copy(value: Table) -> Table:
    return {key: _copied(inner) for key, inner in value.items()}


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return _copy(value)
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
