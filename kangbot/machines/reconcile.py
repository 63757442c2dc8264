"""What the venue says against what we believe: one comparison, and what follows from each difference.

A snapshot is made of answers only; a question that failed is no snapshot at all. Executions repair silently, for they
are facts. An order that is not where we believe it to be is doubted and asked for by name, never judged from a list. A
position that disagrees is suspected twice, then explained by executions from further back, then given to a person.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto

import msgspec

from kangbot.machines.order import Order
from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId, MarketId
from kangbot.model.money import ZERO, Quantity
from kangbot.model.orders import CashFlow, Fill, OrderReport, OrderStatus, VenuePosition

QUIET_NS = 5_000_000_000  # a mismatch counts only so long after our own last activity
STEADY_NS = 30_000_000_000  # or once it has been the same for so long: what is under way does not stay as it is


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue said of one market, on its bulk endpoints. Times are of our clock."""

    market: MarketId
    open_orders: Sequence[OrderReport]
    executions: Sequence[Fill | CashFlow]  # since at most `executions_since_ns`, oldest first
    executions_since_ns: int
    position: VenuePosition  # flat where the venue keeps none (spot)
    coins: Quantity | None = None  # of a spot market, in the account and not counted by another; None: nobody asked
    asked_ns: int  # before the first question
    answered_ns: int  # after the last answer


# ----------------------------------------------------------------------------------------------------------- findings
class Missing(msgspec.Struct, frozen=True):
    """We believe the order rests, and the venue's list does not have it: ask for it by name."""

    client_id: ClientId


class Orphan(msgspec.Struct, frozen=True):
    """A resting order that bears our prefix, and our journal does not know it."""

    report: OrderReport


class Foreign(msgspec.Struct, frozen=True):
    """A resting order that is not ours. Left alone."""

    report: OrderReport


Finding = Missing | Orphan | Foreign


def compare(
    snapshot: Reconciled, orders: Iterable[Order], find: Callable[[OrderReport], Order | None]
) -> tuple[Sequence[tuple[ClientId, OrderReport]], Sequence[Finding]]:
    """Return the reports of orders that we know, and what does not fit. `find` tells whose order a report is of."""
    known: list[tuple[ClientId, OrderReport]] = []
    strangers: list[Finding] = []
    for report in snapshot.open_orders:
        order = find(report)
        if order is not None:
            known.append((order.client_id, report))
        elif not report.protective:
            strangers.append(stranger(report))
    listed = {client_id for client_id, _ in known}
    missing = [
        Missing(order.client_id)
        for order in orders
        if order.status in (OrderStatus.ACKED, OrderStatus.PARTIAL)
        and order.changed_ns < snapshot.asked_ns  # a younger one may be younger than the answer
        and order.client_id not in listed
    ]
    return known, [*missing, *strangers]


def stranger(report: OrderReport) -> Orphan | Foreign:
    """Return what a resting order means that we do not know."""
    ours = report.client_id is not None and report.client_id.startswith(CLIENT_ID_PREFIX)
    return Orphan(report) if ours else Foreign(report)


# -------------------------------------------------------------------------------------------------------------- drift
class Verdict(Enum):
    """What a comparison of positions comes to."""

    AGREED = auto()
    TOO_SOON = auto()  # something of ours moved a moment ago: this says nothing
    SUSPECTED = auto()  # look again soon
    ASK_EXECUTIONS = auto()  # twice: look for what we missed, from further back
    QUARANTINE = auto()  # executions do not explain it: a person must


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How long our position and the venue's have disagreed; returns its successor."""

    mismatches: int = 0
    since_ns: int = 0  # our clock, the first of them; 0 where they agree
    from_ns: int = 0  # executions from then on explain it, or none do
    asked: bool = False  # they have been asked for
    apart: Quantity = ZERO  # by how much they differ
    steady_ns: int = 0  # our clock: since when by exactly that

    def seen(
        self,
        ours: Quantity,
        theirs: Quantity,
        *,
        active_ns: int,
        asked_ns: int,
        executions_since_ns: int,
        last_execution_ns: int = 0,
    ) -> tuple["Drift", Verdict]:
        """Return the successor and the verdict.

        `active_ns` is our last activity in the market, `asked_ns` when the venue was asked for its position, and
        `executions_since_ns` from when on its executions came with it, all of which are in `ours`. The newest of those
        is of `last_execution_ns`; 0 where there is none.

        A market may never rest, as where an entry is placed anew every few seconds. There a difference counts once it
        has stayed the same, to the last digit, over so many looks that nothing on its way can have made it.
        """
        if ours == theirs:
            return Drift(), Verdict.AGREED
        after = self if self.since_ns else Drift(since_ns=asked_ns, from_ns=look_back(asked_ns, last_execution_ns))
        if after.apart != theirs - ours:
            after = msgspec.structs.replace(after, apart=theirs - ours, steady_ns=asked_ns)
        if asked_ns < min(active_ns + QUIET_NS, after.steady_ns + STEADY_NS):
            return after, Verdict.TOO_SOON
        after = msgspec.structs.replace(after, mismatches=after.mismatches + 1)
        if after.mismatches < 2:
            return after, Verdict.SUSPECTED
        if not after.asked:
            return msgspec.structs.replace(after, asked=True), Verdict.ASK_EXECUTIONS
        if executions_since_ns > after.from_ns:
            return after, Verdict.ASK_EXECUTIONS  # the deep question has not been answered yet
        return after, Verdict.QUARANTINE


EXPLAIN_NS = 3600 * 1_000_000_000  # how far back executions are asked for to explain what differs, at least
FARTHEST_NS = 30 * 24 * EXPLAIN_NS  # and at most: a market may have been left to its stop for weeks


def look_back(at_ns: int, last_execution_ns: int) -> int:
    """Return from when on executions are wanted to explain what differs at `at_ns`: from before the last one we know.

    A market that did not run here for weeks has not been asked for meanwhile.
    """
    since_ns = at_ns - EXPLAIN_NS
    if last_execution_ns:
        since_ns = min(since_ns, last_execution_ns - EXPLAIN_NS)
    return max(since_ns, at_ns - FARTHEST_NS)
