"""What the daemon says of itself: one value, for the command line, the summary of a run and the dashboard alike."""

from decimal import Decimal

import msgspec

from kangbot.model.ids import MarketId, Symbol
from kangbot.model.money import Money, Price, Quantity

LAST_RUN = "last_run.json"  # the last report of a run, in the state folder


class OrderCounts(msgspec.Struct, kw_only=True):
    """Orders of this run, by what became of them; `unknown` are those that are unresolved now."""

    sent: int = 0
    resent: int = 0  # copies of these under the same id
    acked: int = 0
    filled: int = 0
    rejected: int = 0
    withheld: int = 0  # intents that never left
    not_accepted: int = 0  # proved absent at the venue
    unknown: int = 0

    def add(self, other: "OrderCounts") -> None:
        """Add another market's counts to these."""
        self.sent += other.sent
        self.resent += other.resent
        self.acked += other.acked
        self.filled += other.filled
        self.rejected += other.rejected
        self.withheld += other.withheld
        self.not_accepted += other.not_accepted
        self.unknown += other.unknown


class MarketReport(msgspec.Struct, frozen=True, kw_only=True):
    """One market at this moment."""

    market: MarketId
    symbol: Symbol
    strategy: str
    timeframe: str
    state: str
    reason: str
    desired: str
    since_ns: int
    price: Price | None
    feed_age_s: float | None  # since the last quote, by our clock
    net: Quantity
    entry: Price | None
    stop: Price | None
    unrealised: Money  # of what is open, at `price`
    realised: Money  # of all that was ever closed, parts of an open position among it; before fees and funding
    fees: Money  # ever paid, less those received
    profit: Money  # realised, less the fees
    funding: Money = Decimal(0)  # ever received, less what was paid; not part of the profit
    target: Decimal | None
    signal: str  # the reason of the last target
    blocked: str  # why the last proposal did not leave; "" where it did
    unprotected: str = ""  # why the position has no stop at the venue; "" where it has, or none is held
    quarantine: str = ""  # why nothing is entered before a person has released it; "" where nobody needs to
    by_hand: str = ""  # what somebody holds or has resting here past us; "" for nothing
    stale: str = ""  # which of its streams are down, and why: nothing is entered; "" where each flows
    paused: str = ""  # which error keeps its entries back; "" for none
    paused_until_ns: int = 0  # until then, or until somebody resumes it
    troubles: dict[str, int] = {}  # how often its topics were in trouble, by kind; kinds without any are absent
    longest_call_ms: float = 0.0  # that its strategy took since the market was started
    aside: bool = False  # its strategy is slow: it is asked in a thread of its own
    ticks: int
    bars: int
    decisions: int
    orders: OrderCounts
    falls: int  # restarts of the market's task
    dropped: int = 0  # events that did not fit into its inbox: each was asked for again
    unknown_s: float = 0.0  # for how long its oldest UNKNOWN order has been that


class LatencyReport(msgspec.Struct, frozen=True, kw_only=True):
    """From a market's frames to its decisions, since start."""

    market: MarketId
    bounds_ms: list[float]  # what the durations of each bucket but the last are below
    counts: list[int]  # how many fell into each; one more than there are bounds
    longest_ms: float


class BreakerReport(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit breaker that has counted something."""

    market: MarketId
    lane: str  # data, entry, exit
    state: str  # closed, open, half_open, isolated
    since_ns: int
    until_ns: int  # open: no probe before
    failures: int  # within its window
    trips: int  # one after another
    cause: str


class MemoryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the process may take, and how it grows; in MB."""

    limit_mb: float
    limit_source: str  # cgroup, machine, or a limit of the process and the ulimit that shows it
    available_mb: float | None  # that the machine could still give to anybody; None where it does not tell
    growth_mb_h: float | None  # over the last hour; None before ten minutes are over
    reliefs: int  # how often memory was given back


class PoolReport(msgspec.Struct, frozen=True, kw_only=True):
    """The connections to the history database."""

    size: int  # at most so many
    open: int
    busy: int  # of these: in a transaction


class RestReport(msgspec.Struct, frozen=True, kw_only=True):
    """The calls to one endpoint of the venue."""

    endpoint: str
    calls: int  # since start
    recent: int  # within the last quarter of an hour
    mean_ms: float | None  # of these
    p50_ms: float | None  # since start
    p99_ms: float | None


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of error that was met in a market."""

    kind: str
    severity: str  # low, medium, high, critical
    market: MarketId | None  # None: of the account, or of the daemon as a whole
    recent: int  # within the last 15 minutes
    total: int  # since start
    message: str  # the last


class EventReport(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of event that was written to the journal."""

    kind: str
    recent: int  # within the last 15 minutes
    total: int  # since start


class StreamReport(msgspec.Struct, frozen=True, kw_only=True):
    """One websocket stream, over all its connections."""

    name: str
    state: str  # idle, waiting, dialing, open, closed
    topics: int
    live: int  # of them: acknowledged, and data flow
    dials: int
    reconnects: int
    frames: int
    private: bool = False  # the account's
    down: str = ""  # why it is down: what the last dial met; "" while data flow
    silent_s: float | None = None  # since data came last, readable or not; None where none ever did
    garbled: int  # frames that could not be decoded
    troubles: dict[str, int]  # of its topics: unacknowledged, denied, mute, silent, stuck, gap; absent where none


class ConfigReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the configuration's file stands."""

    accepted_ns: int  # when what runs was read
    version: int  # of those that are kept; 0 before the first
    problem: str = ""  # what is wrong with the file now, a line each; "" where nothing is
    restart: list[str] = []  # what it says and only a restart can take
    unlisted: list[Symbol] = []  # its markets that the venue does not list, or not now: no order is taken there


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an edit. With problems nothing was changed; where it is `waiting`, nothing yet."""

    applied: list[str] = []
    restart: list[str] = []  # what waits for a restart
    problems: list[str] = []
    waiting: str = ""  # what it still waits for, and where to look for the rest


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole daemon at this moment."""

    version: str
    mode: str
    pid: int
    started_ns: int
    at_ns: int
    markets: list[MarketReport]
    total: int
    live: int
    waiting: str = ""  # why no market could begin yet: what the venue answers, or that it does not
    banned: str = ""  # until when the venue wants to be left alone; "" where it may be asked
    margin: str = ""  # the account's margin mode at the venue: cross, isolated, portfolio; "" where it is not known
    frames: int
    bars: int
    decisions: int
    orders: OrderCounts
    reconnects: int
    frame_to_decision_ms: dict[str, float | None]  # p50, p99
    frame_to_order_ms: dict[str, float | None]
    loop_lag_ms: dict[str, float | None]  # since start, start-up included
    loop_lag_recent_ms: dict[str, float | None]  # of the last half minute
    loop: str  # "uvloop" or "asyncio"
    rss_mb: float
    rss_peak_mb: float
    cpu_percent: float  # of one core, since start; what the start took is in it
    cpu_recent_percent: float | None = None  # of one core, over the last minute; None in its first second
    cpu_s: float = 0.0  # that the process has used
    handles: int
    task_falls: dict[str, int] = {}  # restarts of what runs beside trading, by task
    clock: dict[str, float | None] = {}  # offset: the venue's clock is ahead of ours by so many ms; and its uncertainty
    unprotected: int = 0  # markets whose position has no stop at the venue
    left_behind: dict[MarketId, str] = {}  # what is left in markets that do not run here, and what to do about it
    killed: str = ""  # why the kill switch is set; "" where it is not
    flatten: bool = False  # and it wants every position closed
    unflattened: dict[MarketId, Quantity] = {}  # what it has yet to close, signed; by the journal before markets begin
    losses: list[str] = []  # which limits of loss keep every market from entering
    streams: list[StreamReport] = []
    config: ConfigReport = ConfigReport(accepted_ns=0, version=0)
    breakers: list[BreakerReport] = []  # a lane that is not in it is closed
    errors: list[ErrorReport] = []  # what came of late first
    errors_of_late: dict[str, int] = {}  # within 15 minutes, by kind: what many markets meet at once is one error
    events: list[EventReport] = []  # what came most of late first
    local_fault_ns: int = 0  # since when most markets fail together; 0 where they do not
    stuck: str = ""  # which vital part has work and does none; "" where none is stuck
    recovered: bool = True  # the venue has answered for all that the last run left open
    decision_recent_s: float | None = None  # frame to decision, the mean of the last quarter of an hour
    memory: MemoryReport | None = None  # None before it was measured
    disk_free_mb: float | None = None  # of the state folder
    disk_files_left: int | None = None  # that can still be made there; None where its file system does not count them
    rest: list[RestReport] = []
    equity: dict[str, Money]  # by currency, as known last: what the venue states, and the coins of our spot markets
    equity_ns: int = 0  # when the oldest of these was known; 0: before this start
    journal_sequence: int
    journal_hindered: str = ""  # what it takes still, at most exits, and why no more; "" where it takes all
    journal_waiting: int = 0  # groups of records that are not on disk yet
    journal_bytes: int | None = None  # of its file and of that file's log; None where that cannot be told
    history: str  # "sqlite" or "mysql"
    history_backlog: int
    history_away: str  # why it is away; "" where it is not
    pool: PoolReport | None = None  # None: an embedded history has none

    @property
    def core_percent(self) -> float:
        """How much of a core it takes now: over the last minute, or since the start where that is shorter."""
        return self.cpu_percent if self.cpu_recent_percent is None else self.cpu_recent_percent
