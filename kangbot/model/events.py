"""Everything that can stand in the journal.

The journal is the daemon's memory: whatever must survive a crash, or must reach the history database, is one of these.
The order of the union is no matter; the tags are for ever (they are on our users' disks).
"""

from enum import StrEnum

import msgspec

from kangbot.model.data import Bar
from kangbot.model.ids import ClientId, MarketId, VenueOrderId
from kangbot.model.money import Money, Price, Quantity
from kangbot.model.orders import CashFlow, Evidence, Fill, Intent, OrderStatus, Transfer
from kangbot.model.position import RoundTrip
from kangbot.model.written import Written


class OrderIntended(Written, frozen=True, kw_only=True, gc=False, tag="order_intended"):
    """An order will leave now. On disk before a byte does."""

    intent: Intent
    at_ns: int


class OrderChanged(Written, frozen=True, kw_only=True, gc=False, tag="order_changed"):
    """An order moved along the table of `machines/order_table.py`."""

    market: MarketId
    client_id: ClientId
    status: OrderStatus
    evidence: Evidence
    filled: Quantity
    average: Price | None = None
    venue_order_id: VenueOrderId | None = None
    code: str = ""
    message: str = ""
    at_ns: int


class FillApplied(Written, frozen=True, kw_only=True, gc=False, tag="fill_applied"):
    """A fill entered the position: the only thing that changes a position."""

    fill: Fill
    net: Quantity  # the position after it
    entry: Price | None = None  # the position's average entry after it; None when flat
    at_ns: int


class CashFlowApplied(Written, frozen=True, kw_only=True, gc=False, tag="cash_flow_applied"):
    """Funding or settlement entered the account."""

    flow: CashFlow
    at_ns: int


class RoundTripClosed(Written, frozen=True, kw_only=True, gc=False, tag="round_trip_closed"):
    """A position came back to flat."""

    trip: RoundTrip
    strategy: str
    at_ns: int


class StopSet(Written, frozen=True, kw_only=True, gc=False, tag="stop_set"):
    """The position's stop rests at the venue at `price` (None: removed)."""

    market: MarketId
    price: Price | None
    at_ns: int


class RunState(StrEnum):
    """Where a market's task stands; the table is in `machines/runstate.py`."""

    STOPPED = "stopped"
    STARTING = "starting"
    WARMING = "warming"
    LIVE = "live"
    PAUSED = "paused"  # data flows, positions are managed, no entries
    DRAINING = "draining"  # entries closed, what is in flight is being settled
    FAILED = "failed"


class RunStateChanged(Written, frozen=True, kw_only=True, gc=False, tag="run_state_changed"):
    """A market's task moved to another run state."""

    market: MarketId
    before: RunState
    after: RunState
    reason: str
    at_ns: int


class Desired(StrEnum):
    """What the operator wants of a market; a restart resumes it."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class DesiredChanged(Written, frozen=True, kw_only=True, gc=False, tag="desired_changed"):
    """The operator asked for another state; `caller` is who."""

    market: MarketId
    desired: Desired
    caller: str
    at_ns: int


class BarStored(Written, frozen=True, kw_only=True, gc=False, tag="bar_stored"):
    """A closed bar of a running market, on its way to the history."""

    bar: Bar
    at_ns: int


class Severity(StrEnum):
    """How loud."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Noted(Written, frozen=True, kw_only=True, tag="noted"):
    """Something an operator will want to find later: a reconnect, a refusal, a repair, a breaker's transition."""

    kind: str  # dotted, as in the log: "feed.silent"
    severity: Severity
    market: MarketId | None
    message: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    at_ns: int


class KillSwitchSet(Written, frozen=True, kw_only=True, tag="kill_switch_set"):
    """No market enters any more, until a person releases the switch; a restart changes nothing about it."""

    reason: str
    flatten: bool  # every position is closed as well
    caller: str  # who set it: "control socket", "file"
    at_ns: int


class KillSwitchReleased(Written, frozen=True, kw_only=True, tag="kill_switch_released"):
    """A person let entries through again."""

    caller: str
    at_ns: int


class DrawdownReset(Written, frozen=True, kw_only=True, tag="drawdown_reset"):
    """A person accepted what was lost: the drawdown is counted anew, from the equity of then."""

    currency: str
    highest: Money  # what it was counted from
    equity: Money  # what it is counted from now
    equity_ns: int = 0  # when that was stated: a full disk may have refused the statement; 0 in older journals
    caller: str
    at_ns: int


class Lane(StrEnum):
    """What a market asks of its venue, as far as one can fail without the others."""

    DATA = "data"
    ENTRY = "entry"
    EXIT = "exit"  # exits, cancellations, stops


class BreakerState(StrEnum):
    """Where a circuit breaker stands; the picture is in `machines/breaker.py`."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    ISOLATED = "isolated"  # by hand, until a person resets it


class BreakerChanged(Written, frozen=True, kw_only=True, gc=False, tag="breaker_changed"):
    """A market's breaker moved; a restart goes on from here."""

    market: MarketId
    lane: Lane
    before: BreakerState
    after: BreakerState
    until_ns: int  # OPEN: no probe before; else 0
    trips: int
    cause: str
    caller: str = ""  # who did it by hand
    at_ns: int


class RequestsPaused(Written, frozen=True, kw_only=True, gc=False, tag="requests_paused"):
    """A venue asked to be left alone for a while; a restart goes on obeying."""

    budget: str  # whose requests: "bybit account"
    until_ns: int
    at_ns: int


class EntriesPaused(Written, frozen=True, kw_only=True, gc=False, tag="entries_paused"):
    """An error keeps the entries of a market back for a while, or a person ended that; a restart goes on from here."""

    market: MarketId | None  # None: of every market
    until_ns: int  # 0: ended by hand
    cause: str
    caller: str = ""  # who ended it
    at_ns: int


class EquityMarked(Written, frozen=True, kw_only=True, gc=False, tag="equity_marked"):
    """The account's equity as the venue states it, and what our spot markets hold, valued in their currency."""

    venue: str
    currency: str
    equity: Money
    at_ns: int
    venue_ns: int = 0  # the same by the venue's clock, which nobody sets; 0: not known


class Transferred(Written, frozen=True, kw_only=True, gc=False, tag="transferred"):
    """Money was moved into the account or out of it, past all trading."""

    venue: str
    transfer: Transfer
    moved_ns: int  # when, by our clock: what the equity was before and after it is known by that one
    at_ns: int


Event = (
    OrderIntended
    | OrderChanged
    | FillApplied
    | CashFlowApplied
    | RoundTripClosed
    | StopSet
    | RunStateChanged
    | DesiredChanged
    | BarStored
    | Noted
    | EquityMarked
    | KillSwitchSet
    | KillSwitchReleased
    | DrawdownReset
    | BreakerChanged
    | RequestsPaused
    | EntriesPaused
    | Transferred
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the journal. `(journal, sequence)` is the event id, unique for ever."""

    journal: str  # 8 characters [a-z0-9], drawn once when the journal file was made
    sequence: int  # 1, 2, 3, … without a gap
    event: Event
