"""One request budget a venue account: everyone who calls the venue waits here first, the urgent before the rest.

Shell around `machines/priority.py`: a heap of waiters and one timer for the next moment somebody may go; nothing polls.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog

from kangbot.errors import KangbotError, RateLimited
from kangbot.machines.limiter import Window
from kangbot.machines.pauses import Pauses
from kangbot.machines.priority import Allowance, Priority
from kangbot.model.events import RequestsPaused
from kangbot.ports import Journal
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

# Limits of an account or an endpoint reset within seconds, at both venues. Who asks for longer bans the address, and
# with it whatever else we ask from there.
_ADDRESS_NS = 10 * SECOND_NS
_KEPT_NS = 2 * SECOND_NS  # a shorter pause is over before a restart could make a request
# A pause that begins sooner after another is the same trouble: many tell no time, and mean a second.
_OVER_NS = 10 * SECOND_NS
_SAME_NS = SECOND_NS  # many requests hear of one ban, each with a little less of it left

# How long a request may be on its way that nobody has answered: dialling and the TLS handshake, three times across the
# world and back, on a busy machine. Longer, and a venue that hangs would hold back the exits of those that it forgot.
TRANSIT_NS = SECOND_NS

# How long a place is kept for what follows a request, from its answer: the news of a fill has as long to come. Where
# there is no answer, it is from when that had been due.
_FOLLOWS_S = 1.0


class Budget:
    """Requests to one venue account. `windows` are strict: at most so many requests in any span.

    `transit_ns` is how long a request counts as being on its way to the venue, unless `under_way` hears of its answer;
    0 where it counts as it leaves, which is enough where the venue allows more than the windows do. `paused_ns` is how
    long it still has to rest for an earlier life of the process; `keep(until_ns)` is told of each pause that a later
    life must know of.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        venue: str,
        windows: tuple[Window, ...],
        transit_ns: int = 0,
        paused_ns: int = 0,
        keep: Callable[[int], None] = lambda _until_ns: None,
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._kept_ns = 0  # the pause that `keep` was told of last ends then
        self._venue = venue
        self._transit_ns = transit_ns
        self._allowance = Allowance(windows=windows)
        self._waiting: list[tuple[Priority, bool, int, asyncio.Future[int], str]] = []
        self._kept: dict[str, asyncio.TimerHandle] = {}  # the places, and when they are free again
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._beside: list[Budget] = []
        self._tell_ban: Callable[[int], None] = lambda _for_ns: None
        self._pauses = 0  # since the venue was last well
        self._since_ns = self._said_ns = 0  # when the first of them began, and the longest that was logged
        self._banned_ns = 0  # until when the address is
        if paused_ns > 0:
            self._kept_ns = self._banned_ns = clock.now_ns() + paused_ns
            self._allowance = self._allowance.pause(self._kept_ns)
            log.warning("budget.still_paused", venue=venue, for_s=paused_ns / SECOND_NS)

    def stand_beside(self, other: "Budget") -> None:
        """Share bans with another budget of the same address: what either is told holds for both."""
        self._beside.append(other)
        other._beside.append(self)  # noqa: SLF001 -- of the same class

    def on_ban(self, tell: Callable[[int], None]) -> None:
        """Have `tell` told for how long the address is banned: whoever else dials from it is to keep still.

        At once, where it was banned in an earlier life and still is.
        """
        self._tell_ban = tell
        left_ns = self._banned_ns - self._clock.now_ns()
        if left_ns > 0:
            tell(left_ns)

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return sum(not turn.done() for *_, turn, _ in self._waiting)

    @property
    def paused_until_ns(self) -> int:
        """Until when the venue asked to be left alone; in the past where it did not."""
        return self._allowance.paused_until_ns

    @property
    def banned(self) -> str:
        """Until when the venue wants nothing from this address, in words; "" where it takes requests, or soon does."""
        if self._banned_ns <= self._clock.now_ns():
            return ""
        until = datetime.fromtimestamp(-(-self._banned_ns // SECOND_NS), UTC)
        return f"it wants to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC, and a restart does not shorten that"

    async def acquire(self, priority: Priority, *, keep: str = "", begun: bool = False) -> int:
        """Wait until one request may leave; returns without a turn of the loop where it may leave now.

        Among equals what goes on with a call that has `begun` goes first, then the first come: what many markets begin
        together (their settings) would be many requests to one endpoint, by which venues count too, and then to the
        next. A cancelled wait gives its place back. The turn that is returned is for
        `under_way`. With `keep` it waits for two places, and the second is kept under that name for a more urgent one
        that follows: until it is `freed`, or nothing has followed for a second. A window of one has none to keep.
        """
        now_ns = self._clock.now_ns()
        self._drop_canceled()
        ahead = bool(self._waiting) and self._waiting[0][:2] <= (priority, not begun)
        if not ahead and not self._allowance.wait_ns(priority, now_ns, keeps=bool(keep)):
            return self._admit(now_ns, keep)
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, not begun, next(self._order), turn, keep))
        self._grant()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came in the very moment of the cancellation
                self._allowance = self._allowance.give_back(turn.result())
                self.freed(keep)
            self._grant()
            raise

    @contextlib.contextmanager
    def under_way(self, turn: int) -> Iterator[None]:
        """Hold the turn's request; an answer that ends it, a refusal too, says that it has arrived.

        Whatever else ends it says nothing, and what asks for a pause is followed by one.
        """
        try:
            yield
        except KangbotError as error:
            self.answered(turn, error)
            raise
        else:
            self.answered(turn)

    def answered(self, turn: int, error: KangbotError | None = None) -> None:
        """Learn how the turn's request ended: as in `under_way`."""
        if error is None or (error.code is not None and not isinstance(error, RateLimited)):
            self._arrived(turn)

    def not_sent(self, turn: int) -> None:
        """Give the turn back: its request stays here."""
        self._allowance = self._allowance.give_back(turn)
        self._grant()

    def follows(self, name: str) -> None:
        """Learn that the request has its answer: what is kept under that name is kept for a second from now."""
        if name in self._kept:
            self._keep_place(name, _FOLLOWS_S)

    def freed(self, name: str) -> None:
        """Keep nothing under that name any longer: what was to follow has a turn, or will not come."""
        if name in self._kept:
            self._kept.pop(name).cancel()
            self._allowance = self._allowance.keep(len(self._kept))
            self._grant()

    def pause(self, retry_after_ns: int) -> None:
        """Obey the venue: nothing leaves for `retry_after_ns` from now, whoever asks."""
        if retry_after_ns <= 0:
            return
        until_ns = self._clock.now_ns() + retry_after_ns
        self._pause_until(until_ns)
        if retry_after_ns >= _ADDRESS_NS:
            self._banned_ns = max(self._banned_ns, until_ns)
            for other in self._beside:
                other._banned_ns = max(other._banned_ns, until_ns)  # noqa: SLF001 -- of the same class
                other._pause_until(until_ns)  # noqa: SLF001 -- same
            self._tell_ban(retry_after_ns)

    def _pause_until(self, until_ns: int) -> None:
        now_ns = self._clock.now_ns()
        self._allowance = self._allowance.pause(until_ns)
        self._say(now_ns, until_ns - now_ns)
        if until_ns - now_ns >= _KEPT_NS and until_ns > self._kept_ns + _SAME_NS:
            self._kept_ns = until_ns
            self._keep(until_ns)
        self._grant()

    def _say(self, now_ns: int, for_ns: int) -> None:
        """Log a pause: the first one, then one that is twice as long as what was said, and that they are over."""
        self._pauses += 1
        if for_ns >= 2 * self._said_ns:
            self._said_ns = for_ns
            log.warning("budget.paused", venue=self._venue, for_s=for_ns / SECOND_NS)
        if self._pauses == 1:
            self._since_ns = now_ns
            self._say_over()

    def _say_over(self) -> None:
        """Log that the venue may be asked again, once it has not said otherwise for a while."""
        left_ns = self.paused_until_ns + _OVER_NS - self._clock.now_ns()
        if left_ns > 0:
            asyncio.get_running_loop().call_later(left_ns / SECOND_NS, self._say_over)
            return
        lasted_s = (self.paused_until_ns - self._since_ns) / SECOND_NS
        log.info("budget.resumed", venue=self._venue, pauses=self._pauses, lasted_s=lasted_s)
        self._pauses = self._said_ns = 0

    def _admit(self, now_ns: int, keep: str) -> int:
        turn = now_ns + self._transit_ns
        self._allowance = self._allowance.admit(turn)
        if keep and self._allowance.follows:
            self._keep_place(keep, self._transit_ns / SECOND_NS + _FOLLOWS_S)
        return turn

    def _keep_place(self, name: str, for_s: float) -> None:
        if name in self._kept:
            self._kept[name].cancel()
        self._kept[name] = asyncio.get_running_loop().call_later(for_s, self.freed, name)
        self._allowance = self._allowance.keep(len(self._kept))

    def _arrived(self, turn: int) -> None:
        self._allowance = self._allowance.arrived(turn, self._clock.now_ns())
        if self._waiting:
            self._grant()

    def _grant(self) -> None:
        """Give turns to whoever may go now, and arm the timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._drop_canceled()
        while self._waiting:
            now_ns = self._clock.now_ns()
            priority, _, _, turn, keep = self._waiting[0]
            if wait_ns := self._allowance.wait_ns(priority, now_ns, keeps=bool(keep)):
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(wait_ns / SECOND_NS, self._grant)
                return
            heapq.heappop(self._waiting)
            turn.set_result(self._admit(now_ns, keep))
            self._drop_canceled()

    def _drop_canceled(self) -> None:
        while self._waiting and self._waiting[0][3].done():
            heapq.heappop(self._waiting)


def remembered_budget(
    *, clock: Clock, venue: str, windows: tuple[Window, ...], transit_ns: int = 0, journal: Journal, pauses: Pauses
) -> Budget:
    """Return a budget whose pauses outlive the process: the journal gets them, and `pauses` has what it remembers."""

    def keep(until_ns: int) -> None:
        journal.append(RequestsPaused(budget=venue, until_ns=until_ns, at_ns=clock.now_ns()), reserve=True)

    paused_ns = pauses.left_ns(venue, clock.now_ns())
    return Budget(clock=clock, venue=venue, windows=windows, transit_ns=transit_ns, paused_ns=paused_ns, keep=keep)
