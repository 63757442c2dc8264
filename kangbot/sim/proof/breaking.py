"""What the breakers promise: they open for failures of the venue alone, and let no entry through before they close.

The judge counts by itself how each call that changes orders ended. What the daemon may count is less than that: it
forgets at a restart, and forgives what was a fault of ours. A breaker that is open it may not forget: what is open on
disk when a life begins holds entries back until it has closed in that life.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from kangbot.errors import Misstamped, Refused
from kangbot.machines.breaker import BreakerTerms
from kangbot.machines.breakers import HOLDING, Breakers
from kangbot.model.events import BreakerChanged, BreakerState, Event, Lane
from kangbot.model.ids import MarketId
from kangbot.model.orders import Intent, Purpose

T = TypeVar("T")

_SLACK_NS = 5_000_000_000  # between a decision and its record on a slow disk


class BreakerWatch:
    """Watches one session's breakers. `fail(what)` is told of a promise that was broken; `deeds` counts."""

    def __init__(
        self, terms: BreakerTerms, now_ns: Callable[[], int], fail: Callable[[str], None], deeds: Counter[str]
    ) -> None:
        self._terms = terms
        self._now_ns = now_ns
        self._fail = fail
        self._deeds = deeds
        self._failed_ns: defaultdict[tuple[MarketId, Lane], deque[int]] = defaultdict(
            lambda: deque(maxlen=max(terms.failures, terms.in_a_row))
        )
        self._kept: dict[tuple[MarketId, Lane], BreakerState] = {}  # on disk
        self._left: dict[tuple[MarketId, Lane], None] = {}  # open when this life began, and not closed since

    def begins(self) -> None:
        """Learn that a life begins, which knows what is on disk."""
        self._left = {key: None for key, state in self._kept.items() if state is not BreakerState.CLOSED}
        self._deeds["breaker_open_at_start"] += len(self._left)

    def announced(self, event: Event) -> None:
        """Learn of an event as it is made."""
        if isinstance(event, BreakerChanged) and event.after is BreakerState.CLOSED:
            self._left.pop((event.market, event.lane), None)

    async def watch(self, market: MarketId, lane: Lane, call: Coroutine[Any, Any, T]) -> T:
        """Make the call and learn how it ended."""
        try:
            return await call
        except (Refused, Misstamped):
            self._deeds["venue_refused"] += 1
            raise
        except Exception:
            self._failed_ns[market, lane].append(self._now_ns())
            raise

    def sends(self, intent: Intent, breakers: Breakers) -> None:
        """Learn that an order leaves for the first time."""
        if intent.purpose is not Purpose.ENTRY:
            return
        for lane in HOLDING:
            state = breakers.of(intent.market, lane).state
            if state is not BreakerState.CLOSED:
                self._fail(f"entry {intent.client_id} leaves while the {lane} lane is {state.value}")
            if (intent.market, lane) in self._left:
                self._fail(
                    f"entry {intent.client_id} leaves, and a restart has forgotten that the {lane} lane was open"
                )

    def changed(self, change: BreakerChanged) -> None:
        """Learn of a transition that is on disk."""
        self._kept[change.market, change.lane] = change.after
        self._deeds[f"breaker_{change.after.value}"] += 1
        opens = change.before is BreakerState.CLOSED and change.after is BreakerState.OPEN
        if not opens or change.lane is Lane.DATA:  # what befalls streams is no call
            return
        failed_ns, terms = self._failed_ns[change.market, change.lane], self._terms
        row = self._within(failed_ns, terms.row_within_ns)
        if row < terms.in_a_row and self._within(failed_ns, terms.within_ns) < terms.failures:
            words = f"the {change.lane} lane of {change.market} opens: {change.cause}"
            self._fail(f"{words}; of its calls {row} failed of late, and refusals are no failures")

    def _within(self, failed_ns: deque[int], within_ns: int) -> int:
        since_ns = self._now_ns() - within_ns - _SLACK_NS
        return sum(at_ns >= since_ns for at_ns in failed_ns)
