"""What is told of a session, and of many."""

import msgspec

from kangbot.sim.proof.invariants import Violation
from kangbot.sim.world.faults import Kind


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One session. `timeline` is empty where nothing was violated."""

    seed: int
    digest: str
    virtual_seconds: float
    violation: Violation | None = None
    timeline: tuple[str, ...] = ()
    faults: dict[str, int] = {}  # that struck, by kind
    deeds: dict[str, int] = {}  # what else happened, by name
    orders: int = 0  # at the venue, ours
    fills: int = 0
    records: int = 0  # in the journal
    lives: int = 1
    crashes: int = 0


class Summary(msgspec.Struct, kw_only=True):
    """Many sessions. Grows by `add`."""

    seeds: int = 0
    virtual_seconds: float = 0.0
    violations: list[dict[str, object]] = []
    faults: dict[str, int] = {}
    deeds: dict[str, int] = {}
    orders: int = 0
    fills: int = 0
    records: int = 0
    crashes: int = 0
    seeds_per_second: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Take in one session."""
        self.seeds += 1
        self.virtual_seconds += outcome.virtual_seconds
        self.orders += outcome.orders
        self.fills += outcome.fills
        self.records += outcome.records
        self.crashes += outcome.crashes
        for kind, count in outcome.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + count
        for deed, count in outcome.deeds.items():
            self.deeds[deed] = self.deeds.get(deed, 0) + count
        if (violation := outcome.violation) is not None:
            self.violations.append(
                {"seed": outcome.seed, "invariant": violation.invariant, "message": violation.message}
            )


def empty_summary() -> Summary:
    """Return a summary in which every kind of fault stands, with 0 where it never struck."""
    return Summary(faults={kind.value: 0 for kind in Kind}, deeds={}, violations=[])
