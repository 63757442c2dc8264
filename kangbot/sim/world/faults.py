"""What goes wrong in a simulated session: kinds of faults, a plan of them drawn from the seed, and what is in force.

Whoever can be struck (the network, a stream, the disk, the history) asks `strikes` at the moment when it would matter.
A fault is counted when it has struck, not when it was planned: the counters show what a session really went through.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import random  # noqa: TID251 -- the type only; the generators are forked by the caller's world

SECOND_NS = 1_000_000_000


class Kind(StrEnum):
    """A kind of fault."""

    # ---- requests and answers
    LATENCY = "latency"  # a leg takes seconds
    LOSS = "loss"  # a request vanishes: the caller waits in vain for what did not happen
    RESET = "reset"  # the connection breaks when the request is on its way: it may arrive all the same, and late
    LOST_ANSWER = "lost_answer"  # the answer vanishes: it happened
    DUPLICATION = "duplication"  # the venue works the request off twice and answers the second time
    REORDERING = "reordering"  # a request is overtaken by later ones
    PARTITION = "partition"  # nothing passes, streams included
    HALF_OPEN = "half_open"  # requests arrive, nothing comes back
    # ---- the venue
    LATE_ACCEPTANCE = "late_acceptance"  # a request waits in the venue's queue after it was let in
    LATE_REQUEST = "late_request"  # a request arrives at the end of its receive window, or after it
    OVERLOAD = "overload"  # the edge says that it gave up on a request, which reaches the engine at its last moment
    STALE_ANSWERS = "stale_answers"  # questions do not see the newest orders and executions
    SERVER_ERROR = "server_error"  # the request is worked off and answered by 502
    THROTTLE = "throttle"  # requests are refused for their rate
    BAN = "ban"  # likewise, for a long time
    MAINTENANCE = "maintenance"  # every request is answered by 503
    VENUE_CLOCK_STEP = "venue_clock_step"  # another host of the venue answers from here on: its clock is another
    # ---- streams
    MUTE = "mute"  # one market's topics fall silent and stay acknowledged
    PUBLIC_DOWN = "public_down"
    PRIVATE_DOWN = "private_down"
    PRIVATE_DROP = "private_drop"  # single private events are lost, and nobody says so
    PRIVATE_DUPLICATE = "private_duplicate"
    PRIVATE_SHUFFLE = "private_shuffle"  # private topics overtake each other by seconds
    # ---- at home
    HISTORY_AWAY = "history_away"
    DISK_SLOW = "disk_slow"
    DISK_FULL = "disk_full"
    CLOCK_STEP = "clock_step"  # the wall clock is wrong from here on; seen by the next start
    CRASH = "crash"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a plan. `share` is the part of the requests or events that are struck; times since the start."""

    kind: Kind
    at_ns: int
    for_ns: int = 0  # 0 for what happens at once
    share: float = 1.0


class _Shape(msgspec.Struct, frozen=True):
    """How long a fault lasts and how much it strikes, as ranges to draw from; `weight`: how often it is drawn."""

    shortest_s: float
    longest_s: float
    least: float = 1.0
    most: float = 1.0
    weight: int = 2


_SHAPES: dict[Kind, _Shape] = {
    Kind.LATENCY: _Shape(5, 40, 0.1, 1.0),
    Kind.LOSS: _Shape(5, 40, 0.05, 0.6, 3),
    Kind.RESET: _Shape(5, 60, 0.1, 0.8, 3),
    Kind.LOST_ANSWER: _Shape(5, 40, 0.05, 0.6, 3),
    Kind.DUPLICATION: _Shape(10, 60, 0.1, 0.8),
    Kind.REORDERING: _Shape(10, 60, 0.1, 0.5),
    Kind.PARTITION: _Shape(1, 40),
    Kind.HALF_OPEN: _Shape(1, 30),
    Kind.LATE_ACCEPTANCE: _Shape(10, 60, 0.1, 0.8, 3),
    Kind.LATE_REQUEST: _Shape(10, 60, 0.1, 0.5, 3),
    Kind.OVERLOAD: _Shape(10, 60, 0.3, 1.0, 3),
    Kind.STALE_ANSWERS: _Shape(10, 90, weight=3),
    Kind.SERVER_ERROR: _Shape(5, 40, 0.1, 0.6),
    Kind.THROTTLE: _Shape(2, 20, 0.2, 1.0),
    Kind.BAN: _Shape(1, 5, 1.0, 1.0, 1),
    Kind.MAINTENANCE: _Shape(5, 40),
    Kind.MUTE: _Shape(5, 60, 1.0, 1.0),
    Kind.PUBLIC_DOWN: _Shape(1, 30),
    Kind.PRIVATE_DOWN: _Shape(1, 30),
    Kind.PRIVATE_DROP: _Shape(10, 60, 0.1, 1.0, 3),
    Kind.PRIVATE_DUPLICATE: _Shape(10, 90, 0.1, 0.8, 3),
    Kind.PRIVATE_SHUFFLE: _Shape(10, 60, 0.2, 1.0, 3),
    Kind.HISTORY_AWAY: _Shape(5, 120, 0.3, 1.0),
    Kind.DISK_SLOW: _Shape(5, 40, 0.2, 1.0),
    Kind.DISK_FULL: _Shape(5, 30),
    Kind.CLOCK_STEP: _Shape(0, 0),
    Kind.VENUE_CLOCK_STEP: _Shape(10, 40),  # another host takes over within that time
    Kind.CRASH: _Shape(0, 0, weight=6),
}


# A venue has its answers and its private events from one place, and either alone is healed by the other. One that
# cannot keep up is behind with all it does, and one that fails over cannot keep up.
_COMPANY: dict[Kind, tuple[Kind, ...]] = {
    Kind.STALE_ANSWERS: (Kind.PRIVATE_DROP,),
    Kind.OVERLOAD: (Kind.STALE_ANSWERS, Kind.PRIVATE_DROP),
    Kind.VENUE_CLOCK_STEP: (Kind.OVERLOAD, Kind.STALE_ANSWERS, Kind.PRIVATE_DROP),
}


def planned(rng: "random.Random", *, begin_ns: int, end_ns: int, kinds: tuple[Kind, ...], most: int) -> list[Fault]:
    """Return faults of `kinds` between the two times, at most `most` of them drawn, in the order in which they begin.

    Long quiet plans and short wild ones are both of interest, so the number is drawn first. Some come in company.
    """
    weights = [_SHAPES[kind].weight for kind in kinds]
    faults = []
    for kind in rng.choices(kinds, weights, k=rng.randint(1, most)) if kinds else ():
        shape = _SHAPES[kind]
        at_ns = rng.randrange(begin_ns, end_ns)
        for_ns = min(int(rng.uniform(shape.shortest_s, shape.longest_s) * SECOND_NS), end_ns - at_ns)
        faults.append(Fault(kind=kind, at_ns=at_ns, for_ns=for_ns, share=rng.uniform(shape.least, shape.most)))
        for other in _COMPANY.get(kind, ()):
            if other in kinds:
                share = rng.uniform(_SHAPES[other].least, _SHAPES[other].most)
                faults.append(Fault(kind=other, at_ns=at_ns, for_ns=for_ns, share=share))
    return sorted(faults, key=lambda fault: fault.at_ns)


class Faults:
    """What is in force now. Large state with one writer, the session."""

    def __init__(self, rng: "random.Random") -> None:
        self.rng = rng
        self.counts: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self._shares: dict[Kind, float] = {}

    def begin(self, kind: Kind, share: float) -> None:
        """Let faults of that kind strike from now on."""
        self._shares[kind] = share

    def end(self, kind: Kind) -> None:
        """End it. Harmless when repeated."""
        self._shares.pop(kind, None)

    def on(self, kind: Kind) -> bool:
        """Whether the kind is in force; counts nothing."""
        return kind in self._shares

    def strikes(self, kind: Kind) -> bool:
        """Whether it strikes here and now; counted where it does. Draws only where the kind is in force."""
        share = self._shares.get(kind)
        if share is None or (share < 1.0 and self.rng.random() >= share):
            return False
        self.counts[kind] += 1
        return True

    def struck(self, kind: Kind) -> None:
        """Count what struck without asking."""
        self.counts[kind] += 1
