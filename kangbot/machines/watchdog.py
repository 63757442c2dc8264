"""Silence, topic by topic: who was last seen when, and whose silence lasts longer than is usual for it.

One scan over last-seen times costs a tenth of a timer a topic, and `scan` says when the next one can find anything.
What a topic's silence means, and what heals it, is left to `machines/session.py`.

How much silence is too much is learned: `factor` times the longest gap of the last one to two `memory_ns`, between
`least_ns` and `most_ns`. Before `enough` gaps have been seen it is the same, but at least `early_ns`: what a channel of
that kind is worth before anything is known of the market. A topic that proves quieter than that is suspected wrongly
once: from then on it has `most_ns` until enough gaps are known.
"""

from collections.abc import Sequence

import msgspec

_NEVER = 1 << 62  # later than any time there is


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How much silence a topic is allowed, in nanoseconds; `early_ns` while little is known, None for `most_ns`."""

    least_ns: int
    most_ns: int
    early_ns: int | None = None
    factor: int = 4
    enough: int = 20
    memory_ns: int = 120_000_000_000

    def budget_ns(self, gaps: int, longest_ns: int) -> int:
        """Return the silence allowed to a topic whose longest of `gaps` gaps was `longest_ns`."""
        least_ns = self.least_ns
        if gaps < self.enough:
            least_ns = self.most_ns if self.early_ns is None else self.early_ns
        return min(max(longest_ns * self.factor, least_ns), self.most_ns)


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """A topic that is silent beyond its budget. `stuck`: data came, but its time stood still."""

    topic: str
    silent_ns: int
    stuck: bool


class _Seen:
    """What is known of one topic."""

    __slots__ = ("before_ns", "epoch_ns", "gaps", "last_ns", "longest_ns", "patience", "quiet", "repeated_ns", "stamp")

    def __init__(self, patience: Patience, now_ns: int) -> None:
        self.patience = patience
        self.last_ns = now_ns  # when data last moved on
        self.stamp = 0  # the newest venue time of its data
        self.repeated_ns = now_ns  # when data last came whose venue time did not move on
        self.gaps = 0
        self.longest_ns = 0  # of this epoch
        self.before_ns = 0  # longest of the epoch before
        self.epoch_ns = now_ns
        self.quiet = False  # it was overdue before its usual gap was known

    def budget_ns(self) -> int:
        if self.quiet and self.gaps < self.patience.enough:
            return self.patience.most_ns
        return self.patience.budget_ns(self.gaps, max(self.longest_ns, self.before_ns))

    def turn(self, now_ns: int) -> None:
        """Begin a new epoch where the old one has lasted long enough: what was usual is forgotten after two.

        Not while the topic is silent: what it is judged by does not change under it.
        """
        patience = self.patience
        if now_ns - self.epoch_ns >= patience.memory_ns and now_ns - self.last_ns < patience.least_ns:
            self.before_ns, self.longest_ns, self.epoch_ns = self.longest_ns, 0, now_ns


class Watchdog:
    """Last-seen times of many topics. Large state with one writer: mutable."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def watch(self, topic: str, patience: Patience, now_ns: int, stamp: int = 0) -> None:
        """Begin to watch, or begin anew with what was learned: the silence of an outage is not a usual gap.

        `stamp` is the venue time of the data that it begins with, 0 where there are none or they have none.
        """
        seen = self._seen.get(topic)
        if seen is None:
            seen = self._seen[topic] = _Seen(patience, now_ns)
        else:
            seen.quiet = seen.quiet or now_ns - seen.last_ns >= seen.budget_ns()
            seen.patience, seen.last_ns, seen.repeated_ns = patience, now_ns, now_ns
        seen.stamp = stamp

    def forget(self, topic: str) -> None:
        """Watch it no longer; harmless where it was not watched."""
        self._seen.pop(topic, None)

    def seen(self, topic: str, now_ns: int, stamp: int = 0) -> bool:
        """Take note of data; False where that is no sign of life: not watched, or its venue time stands still.

        `stamp` is the data's venue time, 0 where it has none.
        """
        seen = self._seen.get(topic)
        if seen is None:
            return False
        if stamp:
            if stamp <= seen.stamp:
                seen.repeated_ns = now_ns
                return False
            seen.stamp = stamp
        gap = now_ns - seen.last_ns
        seen.last_ns = now_ns
        seen.gaps += 1
        if gap > seen.longest_ns:  # noqa: PLR1730 -- the hot path: calling max costs more than all the rest
            seen.longest_ns = gap
        return True

    def budget_ns(self, topic: str) -> int | None:
        """Return the silence the topic is allowed at present; None where it is not watched."""
        seen = self._seen.get(topic)
        return None if seen is None else seen.budget_ns()

    def slept(self, for_ns: int, now_ns: int) -> None:
        """Learn that we ourselves were away for so long until now: nobody's silence, and no usual gap."""
        for seen in self._seen.values():
            seen.last_ns = min(seen.last_ns + for_ns, now_ns)
            seen.repeated_ns = min(seen.repeated_ns + for_ns, now_ns)

    def scan(self, now_ns: int) -> tuple[Sequence[Overdue], int | None]:
        """Return the topics that are overdue, in the order in which they were first watched, and the next deadline.

        An overdue topic stays overdue until it is seen, watched anew or forgotten. No topic can become overdue before
        the deadline; None where nothing is watched that is not overdue already.
        """
        overdue: list[Overdue] = []
        next_ns = _NEVER
        for topic, seen in self._seen.items():
            seen.turn(now_ns)
            deadline_ns = seen.last_ns + seen.budget_ns()
            if deadline_ns <= now_ns:
                silent_ns = now_ns - seen.last_ns
                stuck = 2 * (seen.repeated_ns - seen.last_ns) > silent_ns  # it came all the while, not just once more
                overdue.append(Overdue(topic=topic, silent_ns=silent_ns, stuck=stuck))
            else:
                if seen.gaps < seen.patience.enough:  # its budget may shrink once enough gaps are seen
                    deadline_ns = min(deadline_ns, now_ns + seen.patience.least_ns)
                next_ns = min(next_ns, deadline_ns)
        return overdue, (None if next_ns == _NEVER else next_ns)
