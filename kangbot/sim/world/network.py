"""What lies between the daemon and the simulated venue: a way there and a way back, each with a fate of its own.

A request that has left is the network's: it arrives whether the caller still waits or not, and whether its process
still lives or not. The caller knows only what comes back. `Retryable` is raised where the request provably never left,
or where a question has no answer; `Ambiguous` where something may have happened.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from kangbot.errors import Ambiguous, KangbotError, Misstamped, RateLimited, Retryable
from kangbot.sim.world.faults import Faults, Kind

T = TypeVar("T")

_LEG_S = (0.004, 0.030)  # of one way on a good day
_SLOW_S = (0.5, 4.0)
_OVERTAKEN_S = (0.1, 1.5)
_QUEUE_S = (0.2, 1.8)  # in the venue's queue, after the receive window was checked
_STRAY_S = (0.01, 6.0)  # how long a request may wander whose connection broke
_ARRIVES = 0.6  # of them
_LAST_MOMENT = 0.5  # of those
_AT_THE_LAST = (0.8, 1.0)  # of what is left of its receive window
_LAST_NS = 1_000_000_000  # more than that is left only where the venue's clock was set back
_EDGE_S = (0.3, 2.0)  # after which the venue's edge gives up waiting for its engine
_BAN_S = 10.0
_EARLY_NS = 1_000_000_000  # by which a stamp may be ahead of the venue's clock, as at Bybit
_REFUSED = 0.5  # of the requests into a partition; the others wait in vain


class Stamp(NamedTuple):
    """What a request is signed with: the venue takes it from a second before it on, until its receive window is over.

    Both are judged by the venue's own clock.
    """

    at_ns: int
    until_ns: int


class Carrier(Protocol):
    """How a request reaches the venue and its answer the caller."""

    def carry(
        self, act: Callable[[], T], *, changes: bool, stamp: Stamp | None = None, public: bool = False
    ) -> Awaitable[T]:
        """Have the venue do `act` and return its answer.

        `changes`: it changes something there. `stamp`: of a request that is signed.
        `public`: it asks for public data, which venues count apart from an account's requests.
        """


class Network:
    """Carries over simulated time; `process.py` makes a `Carrier` of it. One for a session: it outlives processes.

    `served()` is called after the venue has worked a request off. `timeout_s` is how long a caller waits.
    """

    def __init__(
        self, *, faults: Faults, venue_now_ns: Callable[[], int], served: Callable[[], None], timeout_s: float
    ) -> None:
        self._faults = faults
        self._rng = faults.rng
        self._loop = asyncio.get_running_loop()
        self._venue_now_ns = venue_now_ns
        self._served = served
        self._timeout_s = timeout_s
        self._banned_until_ns = 0
        self.waiting = 0  # requests inside an overloaded venue

    def send(
        self,
        act: Callable[[], T],
        *,
        changes: bool,
        stamp: Stamp | None = None,
        knocks: Callable[[], None] = lambda: None,
    ) -> asyncio.Future[T]:
        """Send, and return the future of what comes back, which ends by the caller's patience at the latest.

        `knocks` is called when it is at the venue's door, which counts it.
        """
        faults, answer = self._faults, self._loop.create_future()
        patience_s = self._loop.time() + self._timeout_s
        request = _Request(act, answer, changes=changes, stamp=stamp, patience_s=patience_s, knocks=knocks)
        if faults.strikes(Kind.PARTITION):
            if self._rng.random() < _REFUSED:
                error = Retryable("the venue cannot be reached: the connection was refused")
                self._loop.call_later(self._leg_s(), _give, answer, None, error)
            else:
                self._vanish(request)
        elif faults.strikes(Kind.RESET):
            self._reset(request)
        elif faults.strikes(Kind.LOSS):
            self._vanish(request)
        else:
            self._send(request)
        return answer

    def _later(self, delay_s: float, call: Callable[..., None], request: "_Request", *arguments: object) -> None:
        """Go on with the request later. A timer for the caller's patience is made only where that is in question."""
        if self._loop.time() + delay_s >= request.patience_s:
            self._vanish(request)
        self._loop.call_later(delay_s, call, request, *arguments)

    def _vanish(self, request: "_Request") -> None:
        """Let the caller wait in vain, until it gives up."""
        self._loop.call_at(request.patience_s, _give_up, request)

    # ----------------------------------------------------------------------------------------------------------- there
    def _send(self, request: "_Request") -> None:
        way_s = self._leg_s()
        if self._faults.strikes(Kind.REORDERING):
            way_s += self._rng.uniform(*_OVERTAKEN_S)
        if request.until_ns is not None and self._faults.strikes(Kind.LATE_REQUEST):
            left_s = (request.until_ns - self._venue_now_ns()) / 1e9
            way_s = max(way_s, left_s * self._rng.uniform(0.2, 1.1))
        self._later(way_s, self._arrive, request)

    def _reset(self, request: "_Request") -> None:
        """Break the connection under a request that is on its way; what has left may arrive at any later time.

        Half of what arrives does so at the last moment, and has to queue: what breaks connections is a venue in haste.
        """
        if self._rng.random() < _ARRIVES:
            stray_s = self._rng.uniform(*_STRAY_S)
            if request.until_ns is not None and self._rng.random() < _LAST_MOMENT:
                left_s = (request.until_ns - self._venue_now_ns()) / 1e9
                stray_s = left_s * self._rng.uniform(*_AT_THE_LAST)
            self._loop.call_later(stray_s, self._straggle, request)
        error = Ambiguous("connection reset") if request.changes else Retryable("connection reset")
        self._loop.call_later(self._leg_s(), _give, request.answer, None, error)

    def _straggle(self, request: "_Request") -> None:
        if self._door(request) is None:
            self._wait_in_line(request)

    def _overload(self, request: "_Request", until_ns: int) -> None:
        """Say that nobody knows, as Binance's -1007 and Bybit's 10000 do, and let the request wait on inside.

        The receive window is checked when a request arrives and once more when it is handed to the engine, as Binance
        documents it ("Timing security"): what is handed on at the last moment is in the books later than its window.
        """
        self._loop.call_later(self._rng.uniform(*_EDGE_S), self._answer, request, None, Ambiguous("server timeout"))
        self.waiting += 1
        self._linger(request, until_ns)

    def _linger(self, request: "_Request", until_ns: int) -> None:
        left_s = (until_ns - self._venue_now_ns()) / 1e9
        self._loop.call_later(left_s * self._rng.uniform(*_AT_THE_LAST), self._hand_on, request, until_ns)

    def _hand_on(self, request: "_Request", until_ns: int) -> None:
        """Hand it on at its last moment, by the clock of the host that has it now."""
        left_ns = until_ns - self._venue_now_ns()
        if left_ns > _LAST_NS:
            self._linger(request, until_ns)
            return
        self.waiting -= 1
        if left_ns >= 0:
            self._wait_in_line(request)

    def _wait_in_line(self, request: "_Request") -> None:
        """Queue a request whose caller has had its answer."""
        self._loop.call_later(self._rng.uniform(*_QUEUE_S), self._work, request, False)  # noqa: FBT003 -- call_later takes no names

    def _leg_s(self) -> float:
        way_s = self._rng.uniform(*_LEG_S)
        return way_s + self._rng.uniform(*_SLOW_S) if self._faults.strikes(Kind.LATENCY) else way_s

    def _arrive(self, request: "_Request") -> None:
        """Knock at the venue's door: what is let in is worked off at once, or after some time in its queue."""
        if (closed := self._door(request)) is not None:
            self._answer(request, None, closed)
        elif request.until_ns is not None and self._faults.strikes(Kind.OVERLOAD):
            self._overload(request, request.until_ns)
        elif request.changes and self._faults.strikes(Kind.DUPLICATION):
            # The venue's edge lost the first answer within the house and asks again; it forwards what it gets then.
            self._queue(request, answered=False)
            self._later(self._leg_s(), self._queue, request)
        else:
            self._queue(request)

    def _queue(self, request: "_Request", answered: bool = True) -> None:
        if request.changes and self._faults.strikes(Kind.LATE_ACCEPTANCE):
            self._later(self._rng.uniform(*_QUEUE_S), self._work, request, answered)
        else:
            self._work(request, answered)

    def _door(self, request: "_Request") -> KangbotError | None:
        request.knocks()
        faults, now_ns = self._faults, self._venue_now_ns()
        if faults.strikes(Kind.BAN):
            self._banned_until_ns = now_ns + int(_BAN_S * 1e9)
        if now_ns < self._banned_until_ns:
            return RateLimited("banned", code="banned", retry_after_ns=self._banned_until_ns - now_ns)
        if faults.strikes(Kind.THROTTLE):
            return RateLimited(
                "too many requests", code="throttled", retry_after_ns=int(self._rng.uniform(0.2, 2) * 1e9)
            )
        if faults.strikes(Kind.MAINTENANCE):
            return Ambiguous("503") if request.changes else Retryable("503")
        stamp = request.stamp
        if stamp is not None and not stamp.at_ns - _EARLY_NS <= now_ns <= stamp.until_ns:
            return Misstamped("the request is outside the receive window", code="window")
        return None

    def _work(self, request: "_Request", answered: bool) -> None:
        result, failed = None, None
        try:
            result = request.act()
        except KangbotError as error:
            failed = error
        self._served()
        if self._faults.strikes(Kind.SERVER_ERROR):
            failed = Ambiguous("502") if request.changes else Retryable("502")
        if answered:
            self._answer(request, result, failed)

    # ------------------------------------------------------------------------------------------------------------ back
    def _answer(self, request: "_Request", result: object, failed: KangbotError | None) -> None:
        faults = self._faults
        if faults.strikes(Kind.HALF_OPEN) or faults.on(Kind.PARTITION) or faults.strikes(Kind.LOST_ANSWER):
            self._vanish(request)
            return
        way_s = self._leg_s()
        if self._loop.time() + way_s >= request.patience_s:
            self._vanish(request)
        self._loop.call_later(way_s, _give, request.answer, result, failed)


class _Request:
    """A request on its way. `patience_s` is the loop's time at which its caller gives up.

    `until_ns` is the end of its receive window where it changes something: what a question is told late harms nobody.
    """

    __slots__ = ("act", "answer", "changes", "knocks", "patience_s", "stamp", "until_ns")

    def __init__(
        self,
        act: Callable[[], object],
        answer: asyncio.Future[Any],
        *,
        changes: bool,
        stamp: Stamp | None,
        patience_s: float,
        knocks: Callable[[], None],
    ) -> None:
        self.act = act
        self.answer = answer
        self.changes = changes
        self.knocks = knocks
        self.stamp = stamp
        self.until_ns = stamp.until_ns if stamp is not None and changes else None
        self.patience_s = patience_s


def _give(answer: asyncio.Future[Any], result: object, failed: KangbotError | None) -> None:
    if answer.done():
        return
    if failed is None:
        answer.set_result(result)
    else:
        answer.set_exception(failed)


def _give_up(request: _Request) -> None:
    if not request.answer.done():
        error = Ambiguous("no answer in time") if request.changes else Retryable("no answer in time")
        request.answer.set_exception(error)
