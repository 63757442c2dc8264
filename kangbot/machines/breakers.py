"""The breakers of every market and lane, and what they mean for an entry.

Pure: results in, `BreakerChanged` out. It is also the fold of those events (`observe`, `checkpoint`, `resume`), so that
a breaker that was open is open after a restart, until the same moment. A probe that was out when the daemon died is
due again at once.

An open entry lane holds entries back, and so does an open data lane, since one would enter blind. Nothing here ever
refuses an exit, a cancellation or a stop: an open exit lane is an alarm, and slows down exits that come to nothing.
"""

from collections.abc import Iterator, Sequence

import msgspec

from kangbot.machines.breaker import DEFAULTS, Breaker, BreakerTerms
from kangbot.model.events import BreakerChanged, BreakerState, Event, Lane
from kangbot.model.ids import MarketId
from kangbot.model.written import Written

HOLDING = (Lane.ENTRY, Lane.DATA)  # lanes whose breaker holds entries back
_Key = tuple[MarketId, Lane]


class Kept(Written, frozen=True, kw_only=True):
    """A breaker as the checkpoint has it."""

    market: MarketId
    lane: Lane
    state: BreakerState
    since_ns: int
    until_ns: int
    trips: int
    cause: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a call of a lane ended; `failure` "" for well. `draw` in [0, 1) spreads the cool-down."""

    failure: str
    draw: float
    retry_after_ns: int = 0


class Breakers:
    """Large, hence mutable; one writer, the floor. `terms` may be set until the first result."""

    def __init__(self, terms: BreakerTerms = DEFAULTS) -> None:
        self._terms = terms
        self._all: dict[_Key, Breaker] = {}

    def __iter__(self) -> Iterator[tuple[MarketId, Lane, Breaker]]:
        """Every breaker that a call was ever counted in."""
        return ((market, lane, breaker) for (market, lane), breaker in self._all.items())

    def of(self, market: MarketId, lane: Lane) -> Breaker:
        """Return the market's breaker of that lane."""
        return self._all.get((market, lane)) or Breaker(terms=self._terms)

    def held(self, market: MarketId) -> str:
        """Return why the market may not enter; "" where it may."""
        for lane in HOLDING:
            breaker = self._all.get((market, lane))
            if breaker is not None and breaker.state is not BreakerState.CLOSED:
                return f"breaker: the {lane} lane is {breaker.state.value.replace('_', ' ')}: {breaker.cause}"
        return ""

    # -------------------------------------------------------------------------------------------------------- results
    def ended(self, market: MarketId, lane: Lane, result: Result, now_ns: int) -> Sequence[BreakerChanged]:
        """Learn how a call ended."""
        breaker = self.of(market, lane)
        if result.failure:
            after = breaker.failed(now_ns, result.failure, result.draw, retry_after_ns=result.retry_after_ns)
        else:
            after = breaker.succeeded() if lane in HOLDING else breaker.succeeded().proved(now_ns)
        return self._put(market, lane, after, now_ns)

    def forgive(self, since_ns: int) -> None:
        """Forget every failure since then: it was a fault of ours."""
        for key, breaker in self._all.items():
            self._all[key] = breaker.forgiven(since_ns)

    # -------------------------------------------------------------------------------------------------------- probing
    def due_ns(self) -> int | None:
        """Return when the next probe or the end of a lease is due; None where none is."""
        due = [at_ns for breaker in self._all.values() if (at_ns := breaker.deadline_ns()) is not None]
        return min(due, default=None)

    def due(self, now_ns: int) -> tuple[MarketId, Lane] | None:
        """Return whose permit is to be lent next: of those that are due, the one that has waited longest."""
        waiting = [(breaker.until_ns, key) for key, breaker in self._all.items() if breaker.lend(now_ns) is not None]
        return min(waiting, key=lambda one: one[0])[1] if waiting else None

    def lend(self, market: MarketId, lane: Lane, now_ns: int) -> tuple[int, Sequence[BreakerChanged]]:
        """Lend one permit, for a probe that is made now: its lease; 0 where there is none to lend any more.

        One at a time: a lease that runs while the probe waits for others is over before its answer comes.
        """
        lent = self.of(market, lane).lend(now_ns)
        return (0, ()) if lent is None else (lent.lease, self._put(market, lane, lent, now_ns))

    def probed(self, market: MarketId, lane: Lane, lease: int, result: Result, now_ns: int) -> Sequence[BreakerChanged]:
        """Learn how a probe ended."""
        after = self.of(market, lane).probed(
            lease, now_ns, result.failure, result.draw, retry_after_ns=result.retry_after_ns
        )
        return self._put(market, lane, after, now_ns)

    def expire(self, now_ns: int, draw: float) -> Sequence[BreakerChanged]:
        """Take back every permit whose lease is over."""
        changes: list[BreakerChanged] = []
        for (market, lane), breaker in tuple(self._all.items()):
            changes += self._put(market, lane, breaker.expired(now_ns, draw), now_ns)
        return changes

    # -------------------------------------------------------------------------------------------------------- by hand
    def isolate(
        self, market: MarketId, lane: Lane, caller: str, now_ns: int, *, again: bool = False
    ) -> Sequence[BreakerChanged]:
        """Keep a lane open until somebody resets it; `again`: the record of it may be lost, and is to be written."""
        after = self.of(market, lane).isolate(now_ns, f"isolated by {caller}")
        return self._put(market, lane, after, now_ns, caller, again=again)

    def reset(
        self, market: MarketId, lane: Lane | None, caller: str, now_ns: int, *, again: bool = False
    ) -> Sequence[BreakerChanged]:
        """Close one lane, or all of them, whatever was counted; `again` as above."""
        changes: list[BreakerChanged] = []
        for one in Lane if lane is None else (lane,):
            changes += self._put(market, one, self.of(market, one).reset(now_ns), now_ns, caller, again=again)
        return changes

    def force_retry(self, market: MarketId, now_ns: int) -> None:
        """Have every open lane of the market probed now."""
        for lane in Lane:
            if (market, lane) in self._all:
                self._all[market, lane] = self._all[market, lane].force_retry(now_ns)

    # --------------------------------------------------------------------------------------------------------- memory
    def begin(self, now_ns: int) -> None:
        """Go on in this life with what was remembered of the last one."""
        self._all = {key: breaker.begun(now_ns) for key, breaker in self._all.items()}

    def observe(self, event: Event) -> None:
        """Take an event of the journal."""
        if not isinstance(event, BreakerChanged):
            return
        self._restore(
            Kept(
                market=event.market,
                lane=event.lane,
                state=event.after,
                since_ns=event.at_ns,
                until_ns=event.until_ns,
                trips=event.trips,
                cause=event.cause,
            )
        )

    def checkpoint(self) -> bytes:
        """Return every breaker that is not as new, as JSON."""
        return msgspec.json.encode(
            [
                Kept(
                    market=market,
                    lane=lane,
                    state=breaker.state,
                    since_ns=breaker.since_ns,
                    until_ns=breaker.until_ns,
                    trips=breaker.trips,
                    cause=breaker.cause,
                )
                for market, lane, breaker in self
                if breaker.trips or breaker.state is not BreakerState.CLOSED
            ]
        )

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint."""
        self._all.clear()
        for kept in msgspec.json.decode(state, type=list[Kept]):
            self._restore(kept)

    def _restore(self, kept: Kept) -> None:
        lost = kept.state is BreakerState.HALF_OPEN  # its probe died with the process
        self._all[kept.market, kept.lane] = Breaker(
            terms=self._terms,
            state=BreakerState.OPEN if lost else kept.state,
            since_ns=kept.since_ns,
            until_ns=kept.since_ns if lost else kept.until_ns,
            trips=kept.trips,
            cause=kept.cause,
        )

    def _put(
        self, market: MarketId, lane: Lane, after: Breaker, now_ns: int, caller: str = "", *, again: bool = False
    ) -> Sequence[BreakerChanged]:
        """Keep the successor; return the change, where it is one or is told `again`."""
        before = self.of(market, lane)
        self._all[market, lane] = after
        if after.state is before.state and not again:
            return ()
        change = BreakerChanged(
            market=market,
            lane=lane,
            before=before.state,
            after=after.state,
            until_ns=after.until_ns if after.state is BreakerState.OPEN else 0,
            trips=after.trips,
            cause=after.cause if after.state is not BreakerState.CLOSED else "",
            caller=caller,
            at_ns=now_ns,
        )
        return (change,)
