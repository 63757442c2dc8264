"""What the venue said of an order and cannot be, kept over restarts until a person releases the market.

A restart explains nothing, so it lifts nothing. The fold of the journal and the running market keep it by the same
step, from the notes in the journal.
"""

from kangbot.machines.hands import RELEASED
from kangbot.model.events import Noted

IMPOSSIBLE = "order.impossible"


def contradicted(before: str, note: Noted) -> str:
    """Return what cannot be and was said all the same, after a note in the journal; "" where nothing stands open."""
    if note.kind == IMPOSSIBLE:
        return note.message
    return "" if note.kind == RELEASED else before


def of_contradiction(note: Noted) -> bool:
    """Whether the note changes what stands open."""
    return note.kind in (IMPOSSIBLE, RELEASED)
