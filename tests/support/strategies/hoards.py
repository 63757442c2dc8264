"""A strategy that trades like `ema_cross` and holds as much memory as a file `hoard` beside it says, in MB.

`litter` beside it is another amount: so much is taken in small pieces and let go of again, but for one piece at the
end, as a burst of work leaves it. The C library keeps what lies below that piece.
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
PINS: list[bytes] = []


def _hoard(mb: int) -> None:
    while len(KEPT) < mb:
        KEPT.append(mmap.mmap(-1, MIB))
        KEPT[-1].write(b"x" * MIB)
    while len(KEPT) > mb:
        KEPT.pop().close()


def _litter(mb: int) -> None:
    pieces = [b"x" * PIECE for _ in range(mb * MIB // PIECE)]
    PINS.append(b"x" * PIECE)
    del pieces


class Hoards(EmaCross):
    """What a strategy that keeps what it should not looks like to the machine."""

    def decide(self, view: View[EmaCrossIndicators]) -> Target | None:
        """Decide, and keep."""
        if HOARD.exists():
            _hoard(int(HOARD.read_text() or 0))
        if LITTER.exists():
            _litter(int(LITTER.read_text()))
            LITTER.unlink()  # afterwards: a call that is too slow for the loop is interrupted, and made again aside
        return super().decide(view)
