"""What the trading core asks of the outside, and what each side promises on cancel and on failure.

An adapter translates every error at its edge into `kangbot.errors`. A coroutine here may be cancelled at any await;
what that means for the outside is said with each.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Protocol

import msgspec

from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.events import Event, Record
from kangbot.model.ids import ClientId, MarketId, Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import AccountEvent, Balance, Intent, OrderReport, Transfer, Unclear, VenuePosition


# ------------------------------------------------------------------------------------------------------------ journal
class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal's oldest records came to, which are no longer in it."""

    sequence: int  # of the newest of them
    states: Mapping[str, msgspec.Raw]  # JSON, by the name of who remembers: see `journal/replay.py`


class Journal(Protocol):
    """The daemon's memory on the local disk."""

    @property
    def tag(self) -> str:
        """The journal's name, 8 characters of [a-z0-9], drawn once when the file was made."""

    @property
    def last(self) -> int:
        """The sequence of the newest record that is on disk; 0 when empty."""

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        """Queue `events` as one atomic group and return an awaitable of the last one's sequence.

        `reserve` allows the group the room that is kept on a full disk for exits and for what is learnt of orders.
        `later` is for what nobody waits for (a closed bar): it goes with the next group that somebody may wait for, or
        by itself within 50 ms, so that no order waits behind a commit of its own.
        `again`: they were given before, and the disk did not take them; whoever listens has heard of them then.
        It resolves when the group is on disk (fsync returned). Not awaiting it is allowed; cancelling the await does
        not cancel the write. Order of calls is the order on disk. Raises NeedsHuman from the awaitable when the disk
        takes no more; the group is then not in the journal at all.
        """

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` records with sequence > `after`, in order. Only what is on disk is seen."""

    async def checkpoint(self) -> Checkpoint | None:
        """Return what the records came to that were removed; None where none was. The first one left comes next."""

    async def beyond(self, sequence: int) -> int:
        """Wait until `last` > `sequence`, and return `last`."""


class History(Protocol):
    """The database a trader queries: fed from the journal, never asked by the order path."""

    async def stored(self, journal: str) -> int:
        """Return the highest sequence of that journal that is stored; 0 when none.

        Retryable: it is away. NeedsHuman: the schema is not ours, or another daemon writes there.
        """

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` of its records with sequence > `after`, in order; bars are not among them.

        Retryable: it is away. NeedsHuman: as in `stored`, or one of them cannot be understood.
        """

    async def store(self, records: Sequence[Record]) -> None:
        """Store the records in one transaction, idempotently by event id.

        Retryable: nothing is certain, send the same records again. NeedsHuman: as in `stored`, or it has others in
        their place. A cancelled call may have stored them: sending them again is harmless.
        """

    async def aclose(self) -> None:
        """Close for good; bounded in time."""


class Listing(Enum):
    """What can be looked through in the history."""

    ORDERS = "orders"
    FILLS = "fills"
    ROUND_TRIPS = "round-trips"
    CASH_FLOWS = "cash-flows"
    TRANSFERS = "transfers"
    DRAWDOWN_RESETS = "drawdown-resets"
    EQUITY = "equity"
    EVENTS = "events"
    BARS = "bars"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a listing, newest first: at most `limit` of them, after the first `offset`."""

    listing: Listing
    market: MarketId | None = None  # of this market only; None for all
    timeframe_s: int | None = None  # bars of this length only
    since_ns: int | None = None  # not before
    until_ns: int | None = None  # before
    limit: int = 100
    offset: int = 0


Row = Mapping[str, str | int | None]  # amounts as exact text, times as ISO 8601 in UTC


class Shelf(Protocol):
    """The history as somebody looks through it."""

    async def page(self, page: Page) -> Sequence[Row]:
        """Return the page. Retryable: the history is away, or its tables are not made yet. NeedsHuman: it is newer."""


# -------------------------------------------------------------------------------------------------------------- venue
class IdRule(Enum):
    """For how long a venue refuses a second order under the same client id."""

    FOR_EVER = "for ever"  # Bybit, OKX: the same id may be sent again safely
    WHILE_OPEN = "while open"  # Binance: never send again; ask until the deadline


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answered when asked for one order on every authoritative endpoint.

    `report` None means that each of them answered, and each of them answered "not found".
    """

    report: OrderReport | None
    at_ns: int  # our clock, when the last endpoint answered
    venue_ns: int | None = None  # the venue's clock in these answers, the earliest of them; None where they tell none


# What an adapter holds each of its requests under, before it stamps and signs it: it waits until the caller's budget
# lets one more leave. A call may take several requests. What ends it with a code has reached the venue.
Turn = Callable[[], AbstractAsyncContextManager[None]]


class Venue(Protocol):
    """Orders and questions, over REST. Budgets are the caller's, and each request has its `Turn` of them.

    Every method raises Retryable (nothing happened), Ambiguous (may have happened: only from those that change
    something), Refused (definitive), NotFound, NeedsHuman (keys, permissions, bans). A cancelled `submit`, `cancel`,
    `protect` or `cover` may have happened.
    """

    @property
    def name(self) -> VenueName:
        """The venue's name in the configuration: "bybit"."""

    @property
    def id_rule(self) -> IdRule:
        """How long client ids stay unique here."""

    @property
    def tells_mark(self) -> bool:
        """Whether `mark` may be asked."""

    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        """Return the rules of the markets asked for; symbols the venue does not trade are absent."""

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        """Return at most `limit` newest closed bars, oldest first. Refused where the venue has no such timeframe."""

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        """Return the newest public trades, oldest first."""

    async def quote(self, instrument: Instrument) -> Quote:
        """Return the top of the book as it is now. Retryable while a side of it is empty."""

    async def mark(self, instrument: Instrument) -> Price | None:
        """Return the price at which positions are valued, where `tells_mark`; None where none are (spot)."""

    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        """Place the order under the intent's client id with its stop. DuplicateId proves that it exists.

        `sent_ns` is when it was noted, by our clock, that the request leaves; None: at its deadline. Where the venue
        judges a request by a stamp, that is no later: until when the order may still be taken in is counted from it.
        """

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        """Ask for cancellation. NotFound: no open order of that id (it may be filled). The stream tells the outcome."""

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        """Set the stop of the open position (None removes it). NotFound: no position. Refused: the venue has none."""

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        """Have exactly one stop of ours rest beside a holding of `quantity`; None: none. Return its client id.

        For markets where the venue keeps no stop on what is held (spot): an order that waits for its trigger and
        occupies nothing meanwhile. Its id is lent by `order` (`model.ids.stop_id`), so repeating the call is harmless
        whatever became of the one before. `fresh`: as far as is known none rests, so the first request places it.
        Refused where the price has passed the stop.
        """

    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        """Ask every authoritative endpoint for the order. Raises unless each of them answered."""

    async def open_orders(self) -> Sequence[OrderReport]:
        """Return every open order of the account, protective ones included, ours or not, of the known instruments."""

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        """Return fills and cash flows of the account since then, oldest first, all pages; of `market` alone if named.

        PartlyRead where a market has a row that cannot be read.
        """

    async def positions(self) -> Sequence[VenuePosition]:
        """Return the account's open positions of the known instruments; a market that is absent is flat."""

    async def balances(self) -> Sequence[Balance]:
        """Return the account's money."""

    async def transfers(self, since_ns: int) -> Sequence[Transfer | Unclear]:
        """Return what was moved into the account and out of it since then (the venue's clock), oldest first.

        Whatever changes the equity and was not traded is moved; what may have been traded or not is `Unclear`.
        """

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        """Bring the market's settings at the venue to what we assume: one-way mode, leverage. Idempotent."""

    async def server_time_ns(self) -> int:
        """Return the venue's clock, in nanoseconds since the epoch."""

    async def aclose(self) -> None:
        """Close connections; bounded in time."""


# --------------------------------------------------------------------------------------------------------------- feed
class Channel(Enum):
    """A kind of subscription."""

    QUOTE = "quote"
    TRADE = "trade"
    BAR = "bar"
    ACCOUNT = "account"


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription at a venue. `native` is the venue's own word, unique within a connection."""

    market: MarketId | None  # None for the account's
    channel: Channel
    native: str


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one topic, in order. `native` names the topic, so that silence is watched topic by topic."""

    native: str
    events: Sequence[MarketData | AccountEvent]


class Acked(msgspec.Struct, frozen=True, kw_only=True):
    """The venue confirmed the subscription request `request`; `natives` where it names the topics."""

    request: str
    natives: Sequence[str] = ()


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """The venue refused the subscription request, whole; `native` where it names the topic for whose sake, else ""."""

    request: str
    native: str
    message: str


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The venue accepted our authentication on this connection."""


class LoginDenied(msgspec.Struct, frozen=True, kw_only=True):
    """The venue refused our authentication: a person must look at the key."""

    message: str


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's own heartbeat answered. Proves the socket, never a topic."""


class PingAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The venue wants a heartbeat from us: send `reply` as it is."""

    reply: str


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """A frame we know and deliberately do not use; counted by `kind`."""

    kind: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the topic are missing before what comes now, by the venue's own numbering: `missing` of them."""

    native: str
    missing: int


class Garbled(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that cannot be decoded; counted, logged once, never raised. `native` where it shows its topic."""

    reason: str
    native: str = ""


Message = Data | Acked | Denied | LoggedIn | LoginDenied | Pong | PingAsked | Gap | Ignored | Garbled


class Dialect(Protocol):
    """How one kind of a venue's websocket speaks. No I/O; state only to merge the venue's deltas.

    One instance a connection: `reset` is called before each dial.
    """

    @property
    def name(self) -> str:
        """For logs: "bybit.linear.public"."""

    @property
    def url(self) -> str:
        """Where to dial."""

    @property
    def ping_every_s(self) -> float | None:
        """How often the venue wants its own heartbeat; None where the transport's ping is enough."""

    @property
    def topics_a_request(self) -> int:
        """How many topics one subscribe frame may name."""

    def topics(self, instrument: Instrument | None, channel: Channel, timeframe_s: int | None) -> Sequence[Topic]:
        """Return the topics that carry this channel. Refused where there is none.

        `instrument` is None for the account's own topics only; `timeframe_s` is for bars only.
        """

    def reset(self) -> None:
        """Forget what belongs to the old connection (books to merge into)."""

    def login(self, now_ns: int) -> str | None:
        """Return the authentication frame, signed for now by the venue's clock; None where none is needed."""

    def subscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that subscribes these topics under the request id."""

    def unsubscribe(self, request: str, topics: Sequence[Topic]) -> str:
        """Return the frame that ends them."""

    def ping(self, request: str) -> str:
        """Return the venue's own heartbeat frame."""

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Return what the frame says. Never raises: what cannot be understood is Garbled."""


class Sink(Protocol):
    """Where a subscription's events go: a market's inbox, the account's reconciler. Synchronous and quick."""

    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Take one event; `received_ns` is `perf_counter_ns` when its frame was read. Never raises, never waits."""

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:
        """Learn that a topic went live (acknowledged, first data seen) or is down, once for each change.

        The reason of a topic that is down begins with the trouble's word (`machines/session_words.py`) and a colon.
        """

    def garbled(self, topic: Topic) -> None:
        """Learn that something of the account's stream, or of a market's trades, cannot be read.

        Of a market's other topics this is not told.
        """


class Subscription(Protocol):
    """A market's hold on its topics."""

    async def live(self) -> None:
        """Wait until every topic is acknowledged. Refused when the venue denies one of them."""

    async def aclose(self) -> None:
        """Let the topics go; safe in every state."""


class Feeds(Protocol):
    """All data of one venue: many subscriptions over few sockets."""

    def subscribe(
        self, instrument: Instrument, channels: Mapping[Channel, int | None], sink: Sink, *, eager: bool = True
    ) -> Subscription:
        """Ask for these channels of the market (the value is the timeframe in seconds, for bars).

        Not `eager`: nothing is decided by it but when a bar of minutes closes; so it may come a little late elsewhere.
        Refused where one of them is not carried: nothing is told to the sink then.
        """

    def account(self, sink: Sink) -> Subscription:
        """Ask for the account's private stream. `feed_changed(live=True)` tells that it must be reconciled."""


# ----------------------------------------------------------------------------------------------------------- notifier
class Notifier(Protocol):
    """Outgoing messages; their failure never touches trading."""

    def tell(self, event: Event) -> None:
        """Take an event; never raises, never waits."""
