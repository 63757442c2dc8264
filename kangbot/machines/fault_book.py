"""Every error that was met: what is due because of it, how often each kind came of late, and who may not enter.

The same error again says nothing new. So an operation of a market that fails is one episode: each kind is told once in
it, and one line with the count when the operation works again. All of it is bounded: by kinds, operations and markets.

A pause of entries runs out, and the next try may end in the same one, for weeks. To people that is one pause: it is
over once the operation works again and nothing holds the entries, or somebody says so.

What counts as one error, where it is asked how many there were of late::

    a kind of error in an operation of a market   one, for as long as it is met again without a success in between, and
                                                  without two minutes in which it is not met
    the same kind elsewhere within 10 seconds     the same one; each that joins has it grow by 10 seconds more
    a timeout, a connection or a feed             one kind: a way that is shut is met as any of them

So a cable that is pulled is one error and not one for each try of each market, and is one for as long as it lasts; a
call that fails every other time is many.
"""

from collections import deque
from collections.abc import Sequence
from typing import assert_never

import msgspec

from kangbot.machines.entry_holds import Hold
from kangbot.machines.faults import Action, Gravity, Kind, Operation, Policy, Rule
from kangbot.model.ids import MarketId

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
WINDOW_MINUTES = 15
QUIET_NS = 2 * _MINUTE_NS  # longer than a question waits that is asked again and again
TOGETHER_NS = 10 * _SECOND_NS  # as `machines/local_fault.py` has it
MOST_ERRORS = 100  # of late that are told apart; more are as bad
_SHUT = frozenset({Kind.CONNECTION, Kind.TIMEOUT, Kind.FEED})
LONGEST = 200  # characters of a message that is kept


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One error where it was met; `market` None for the account or the daemon as a whole."""

    kind: Kind
    operation: Operation
    market: MarketId | None
    message: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is due now. `action` None: nothing that was not done before."""

    rule: Rule
    told: bool  # the kind was told in this episode
    count: int  # errors of this episode
    action: Action | None


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """An operation works again."""

    count: int
    since_ns: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How often a kind was met in a market: within the last 15 minutes, to the minute, and in all."""

    kind: Kind
    severity: Gravity
    market: MarketId | None
    recent: int
    total: int
    message: str  # the last


class _Error(msgspec.Struct, kw_only=True):
    """One error, wherever it was met."""

    kind: Kind  # that it was met as first
    grown_ns: int  # when it was last met where it had not been
    met_ns: int


class _Episode(msgspec.Struct, kw_only=True):
    since_ns: int
    count: int = 0
    told: dict[Kind, tuple[_Error, int]] = msgspec.field(default_factory=dict)  # and when the kind was last met here


class _Counted(msgspec.Struct, kw_only=True):
    total: int = 0
    message: str = ""
    minutes: deque[tuple[int, int]] = msgspec.field(default_factory=lambda: deque(maxlen=WINDOW_MINUTES))

    def add(self, minute: int, message: str) -> None:
        self.total += 1
        self.message = message[:LONGEST]
        if self.minutes and self.minutes[-1][0] == minute:
            self.minutes[-1] = (minute, self.minutes[-1][1] + 1)
        else:
            self.minutes.append((minute, 1))

    def recent(self, minute: int) -> int:
        return sum(count for at, count in self.minutes if at > minute - WINDOW_MINUTES)


class FaultBook:
    """Large, hence mutable; one writer, its shell."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._counted: dict[tuple[Kind, MarketId | None], _Counted] = {}
        self._episodes: dict[tuple[MarketId | None, Operation], _Episode] = {}
        self._holds: dict[MarketId | None, Hold] = {}
        self._pauses: dict[tuple[MarketId | None, Operation, Kind], None] = {}  # that are not over
        self._reset_ns: dict[MarketId | None, int] = {}
        self._errors: deque[_Error] = deque(maxlen=MOST_ERRORS)

    def met(self, fault: Fault, now_ns: int) -> Verdict:
        """Learn of an error; return what is due."""
        rule = self._policy[fault.kind]
        counted = self._counted.setdefault((fault.kind, fault.market), _Counted())
        counted.add(now_ns // _MINUTE_NS, fault.message)
        episode = self._episodes.setdefault((fault.market, fault.operation), _Episode(since_ns=now_ns))
        episode.count += 1
        told = fault.kind in episode.told
        episode.told[fault.kind] = self._error(fault.kind, episode, now_ns), now_ns
        action = self._due(rule, fault, now_ns, told=told, count=episode.count)
        return Verdict(rule=rule, told=told, count=episode.count, action=action)

    def well(self, market: MarketId | None, operation: Operation) -> Over | None:
        """Learn that an operation succeeded; what is over by that, None where nothing was wrong."""
        episode = self._episodes.pop((market, operation), None)
        return None if episode is None else Over(count=episode.count, since_ns=episode.since_ns)

    def _error(self, kind: Kind, episode: _Episode, now_ns: int) -> _Error:
        """Return which error it is that was met in that episode."""
        known = episode.told.get(kind)
        if known is not None and now_ns - known[1] <= QUIET_NS:
            error = known[0]
        else:
            alike = (one for one in reversed(self._errors) if one.kind is kind or {one.kind, kind} <= _SHUT)
            latest = next(alike, None)
            if latest is None or now_ns - latest.grown_ns > TOGETHER_NS:
                latest = _Error(kind=kind, grown_ns=now_ns, met_ns=now_ns)
                self._errors.append(latest)
            error = latest
            error.grown_ns = now_ns
        error.met_ns = now_ns
        return error

    def _due(self, rule: Rule, fault: Fault, now_ns: int, *, told: bool, count: int) -> Action | None:
        match rule.action:
            case Action.RETRY:
                return Action.ALERT if count == rule.tries + 1 else None
            case Action.RESET:
                return self._reset(fault.market, rule.wait_ns, now_ns)
            case Action.BACKOFF | Action.PAUSE:
                return self._hold(rule, fault, now_ns)
            case Action.ALERT | Action.SHUTDOWN:
                return None if told else rule.action
            case _:
                assert_never(rule.action)

    def _reset(self, market: MarketId | None, wait_ns: int, now_ns: int) -> Action | None:
        last_ns = self._reset_ns.get(market)
        if last_ns is not None and now_ns - last_ns < wait_ns:
            return None
        self._reset_ns[market] = now_ns
        return Action.RESET

    def _hold(self, rule: Rule, fault: Fault, now_ns: int) -> Action | None:
        """Hold entries back from now on; what is longer stays.

        The action is due where nothing held them; that of a pause also where another kind did, for less long.
        """
        before, until_ns = self._holds.get(fault.market), now_ns + rule.wait_ns
        if before is not None and until_ns <= before.until_ns:
            return None if before.until_ns > now_ns else rule.action
        self._holds[fault.market] = Hold(
            market=fault.market, until_ns=until_ns, why=f"{fault.kind}: {fault.message[:LONGEST]}"
        )
        if before is None or before.until_ns <= now_ns:
            return rule.action
        news = rule.action is Action.PAUSE and not before.why.startswith(f"{fault.kind}: ")
        return rule.action if news else None

    # ---------------------------------------------------------------------------------------------------------- holds
    def hold(self, market: MarketId | None, now_ns: int) -> Hold | None:
        """Return what keeps the market from entering, its own before the account's; None where nothing does."""
        for hold in (self._holds.get(market), self._holds.get(None)):
            if hold is not None and hold.until_ns > now_ns:
                return hold
        return None

    def held(self, market: MarketId, now_ns: int) -> str:
        """Return why the market may not enter; "" where it may."""
        hold = self.hold(market, now_ns)
        return "" if hold is None else hold.why

    def restore(self, hold: Hold) -> None:
        """Go on with a hold of an earlier life."""
        self._holds[hold.market] = hold

    def until_ns(self) -> int | None:
        """Return when the next hold ends; None where nothing is held."""
        return min((hold.until_ns for hold in self._holds.values()), default=None)

    def released(self, now_ns: int) -> Sequence[MarketId | None]:
        """Return who may enter again, and forget why they could not; None stands for all."""
        over = [market for market, hold in self._holds.items() if hold.until_ns <= now_ns]
        for market in over:
            del self._holds[market]
        return over

    def forgive(self, market: MarketId | None) -> bool:
        """End a market's hold (None: the account's) because somebody says so; False where there is none of its own."""
        return self._holds.pop(market, None) is not None

    # --------------------------------------------------------------------------------------------------------- pauses
    def pauses(self, fault: Fault) -> bool:
        """Learn that a fault pauses entries; whether that is news, and not one that is not over."""
        known = len(self._pauses)
        self._pauses[fault.market, fault.operation, fault.kind] = None
        return len(self._pauses) > known

    def pauses_over(self, market: MarketId | None, now_ns: int) -> Sequence[Kind]:
        """Return by what the market's entries were paused and are no more, once."""
        hold = self._holds.get(market)
        if hold is not None and hold.until_ns > now_ns:
            return ()
        return self._end([one for one in self._pauses if one[0] == market and one[:2] not in self._episodes])

    def pardon(self, market: MarketId | None) -> Sequence[Kind]:
        """Return by what the market's entries are paused, and end that because somebody says so."""
        return self._end([one for one in self._pauses if one[0] == market])

    def _end(self, over: Sequence[tuple[MarketId | None, Operation, Kind]]) -> Sequence[Kind]:
        for one in over:
            del self._pauses[one]
        return tuple(dict.fromkeys(kind for _, _, kind in over))

    # --------------------------------------------------------------------------------------------------------- counts
    def errors(self, now_ns: int) -> dict[Kind, int]:
        """Return how many errors of each kind were met within the last 15 minutes: see the module for what is one."""
        counts: dict[Kind, int] = {}
        for error in self._errors:
            if now_ns - error.met_ns < WINDOW_MINUTES * _MINUTE_NS:
                counts[error.kind] = counts.get(error.kind, 0) + 1
        return counts

    def tallies(self, now_ns: int) -> list[Tally]:
        """Return every kind that was met, market by market, what came of late first."""
        minute = now_ns // _MINUTE_NS
        tallies = [
            Tally(
                kind=kind,
                severity=self._policy[kind].severity,
                market=market,
                recent=counted.recent(minute),
                total=counted.total,
                message=counted.message,
            )
            for (kind, market), counted in self._counted.items()
        ]
        return sorted(tallies, key=lambda tally: (-tally.recent, -tally.total, tally.kind, tally.market or ""))
