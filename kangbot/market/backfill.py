"""When a market's history is fetched: as it begins, where its stream has a hole, and in the stream's stead.

While the stream is down there is a hole all the time: it is closed candle by candle, each once the venue's history has
it. What is fetched, and whether it closes the hole, is the task's business and that of its bars.
"""

from collections.abc import Callable

from kangbot.machines.standin import StandIn
from kangbot.runtime.world import SECOND_NS

_AGAIN_NS = 2 * SECOND_NS  # a bar that is missing from the venue's history is on its way
_PROMPT = 5  # so often; what is missing then is missing for long, as in a market that is new at the venue
_MOST_APART_NS = 60 * SECOND_NS
_CLOSED_NS = 6 * SECOND_NS  # so long after its end a candle is in the venue's history
_LEAST_APART_NS = 10 * SECOND_NS  # between two fetches in the stream's stead


class Backfill:
    """The fetches of one market. Candles end by the venue's clock, which is `offset_ns` ahead of ours."""

    def __init__(self, offset_ns: Callable[[], int]) -> None:
        self._offset_ns = offset_ns
        self._under_way = False
        self._returns = self._asked_after = 0  # of the stream: until now, and until what is on its way was asked for
        self._not_before_ns = 0  # bars that were missing are on their way to the venue's history
        self._vain = 0  # fetches in a row that did not close the hole
        self.lacks = ""  # what the venue's history has not had for more than a moment; "" for nothing
        self._in_stead = StandIn()  # of the stream, while that is down

    def begun(self) -> None:
        """Learn that history is on its way."""
        self._under_way = True
        self._asked_after = self._returns

    def answered(self) -> bool:
        """Learn that it came; False where it closes no hole of trades: it was asked for before they flowed again.

        The venue answered as things stood then: what was traded until the stream's first trade, neither knows.
        """
        self._under_way = False
        return self._asked_after == self._returns

    def trades_are_back(self) -> None:
        """Learn that trades flow again, after they did not."""
        self._returns += 1

    def ended(self) -> None:
        """Learn that the market does not run any more: what is on its way is not needed."""
        self._under_way = False
        self._not_before_ns = 0
        self.whole()

    def missing(self, now_ns: int, words: str, *, down: bool) -> bool:
        """Learn that what came does not close the hole, and what is missing; True where that is news by now.

        `down`: the stream does not flow, and all that is asked for stands in for it.
        """
        if down:
            self._not_before_ns = now_ns + _LEAST_APART_NS
            return False
        self._vain += 1
        wait_ns = _AGAIN_NS << max(0, min(self._vain, 2 * _PROMPT) - _PROMPT)
        self._not_before_ns = now_ns + min(wait_ns, _MOST_APART_NS)
        if self._vain <= _PROMPT:
            return False
        before, self.lacks = self.lacks, words
        return not before

    def whole(self) -> None:
        """Learn that what came closes the hole."""
        self._vain, self.lacks = 0, ""

    def candle_came(self, now_ns: int, span_ns: int) -> None:
        """Learn that it closed the hole while the stream is down: the next candle, `span_ns` long, is fetched too."""
        offset_ns = self._offset_ns()
        ends_ns = ((now_ns + offset_ns) // span_ns + 1) * span_ns - offset_ns
        next_ns = max(ends_ns + _CLOSED_NS, now_ns + _LEAST_APART_NS)
        self._in_stead = self._in_stead.answered(now_ns, next_ns=next_ns)

    def stream_changed(self, now_ns: int, *, lost: bool) -> None:
        """Learn whether the stream that bars are made of flows; the same again changes nothing."""
        self._in_stead = self._in_stead.lost(now_ns) if lost else self._in_stead.back()

    def due_ns(self) -> int | None:
        """Return when to fetch, where there is a hole; None while history is on its way."""
        return None if self._under_way else max(self._not_before_ns, self._in_stead.deadline() or 0)
