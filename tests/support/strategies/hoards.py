"""A strategy that trades like `ema_cross` and holds as much memory as a file `hoard` beside it says, in MB.

`litter` beside it is another amount: so much is taken in small pieces and let go of again, but for a piece here and
there, as a burst of work leaves it. The C library keeps what lies below each of them. It is taken bit by bit, a bit a
bar: a call that takes long is interrupted and made again in a thread of its own, and would take all of it twice.
"""

import mmap
from pathlib import Path

from kangbot.model.target import Target
from kangbot.strategy.base import View
from kangbot.strategy.ema_cross import EmaCross, EmaCrossIndicators

HOARD, LITTER = Path(__file__).with_name("hoard"), Path(__file__).with_name("litter")
MIB = 1 << 20
PIECE = 64 << 10  # of the heap, and not a mapping of its own
KEPT: list[mmap.mmap] = []
LITTERED: list[bytes] = []
PINS: list[bytes] = []
AT_ONCE = 8 * MIB // PIECE


def _hoard(mb: int) -> None:
    while len(KEPT) < mb:
        KEPT.append(mmap.mmap(-1, MIB))
        KEPT[-1].write(b"x" * MIB)
    while len(KEPT) > mb:
        KEPT.pop().close()


def _litter(mb: int) -> None:
    wanted = mb * MIB // PIECE
    LITTERED.extend(b"x" * PIECE for _ in range(min(AT_ONCE, wanted - len(LITTERED))))
    PINS.append(b"x" * PIECE)
    if len(LITTERED) >= wanted:
        LITTERED.clear()
        LITTER.unlink()


class Hoards(EmaCross):
    """What a strategy that keeps what it should not looks like to the machine."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, and keep."""
        if HOARD.exists():
            _hoard(int(HOARD.read_text() or 0))
        if LITTER.exists():
            _litter(int(LITTER.read_text()))
        return super().decide(view)
