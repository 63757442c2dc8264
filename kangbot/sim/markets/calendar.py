"""When the venue's markets move: one frame a market at a fixed pace, the markets spread evenly over the interval."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace

from kangbot.model.ids import MarketId


class Calendar:
    """The due times of every market's frames, in order of time and then of listing."""

    def __init__(self, markets: Sequence[MarketId], start_ns: int, frame_ns: int) -> None:
        self._markets = tuple(markets)
        self._frame_ns = frame_ns
        count = len(self._markets)
        self._due = [(start_ns + frame_ns * (index + 1) // count, index) for index in range(len(self._markets))]
        heapify(self._due)

    def due(self, now_ns: int) -> Iterator[tuple[int, MarketId]]:
        """Yield each frame that is due by `now_ns`, with its time."""
        while self._due and self._due[0][0] <= now_ns:
            at_ns, index = self._due[0]
            heapreplace(self._due, (at_ns + self._frame_ns, index))
            yield at_ns, self._markets[index]

    def skip(self, now_ns: int) -> None:
        """Let the frames that are due by `now_ns` fall out: the markets stood still."""
        for _ in self.due(now_ns):
            pass

    def next_ns(self) -> int | None:
        """Return when the next frame is due; None without markets."""
        return self._due[0][0] if self._due else None
