"""The fold of a journal that is at hand as a whole."""

from collections.abc import Iterable

from kangbot.machines.memory import Memory, Recollection
from kangbot.model.events import Record


def replayed(records: Iterable[Record]) -> Memory:
    """Return what `records`, from the first on, come to."""
    recollection = Recollection()
    for record in records:
        recollection.add(record)
    return recollection.memory()
