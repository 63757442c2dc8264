"""All data of one venue: many subscriptions over few sockets.

A venue may need several kinds of connection: one for each category or path, and the account's. The hub knows which kind
carries what; how topics share the sockets of one kind is in `feed/pool.py`. A socket that comes near the venue's limit
of 24 h is replaced by one that is live before the old one closes (`feed/rotation.py`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import structlog

from kangbot.errors import Refused
from kangbot.feed.bulletin import OnNote
from kangbot.feed.connects import ConnectBudget
from kangbot.feed.listener import Listener, StreamCounters
from kangbot.feed.pool import Pool
from kangbot.feed.rotation import Rotation
from kangbot.feed.route import PoolSubscription
from kangbot.feed.rules import Budgets, StreamRules
from kangbot.feed.stream import Stream
from kangbot.machines.session_words import Terms
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.ports import Channel, Dialect, Sink, Subscription, Topic
from kangbot.runtime.names import Names
from kangbot.runtime.reach import HostNames, addresses
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import World

log = structlog.get_logger(__name__)

MakeDialect = Callable[[], Dialect]


class FeedHub:
    """`ports.Feeds` of one venue: an asynchronous context manager, or `start` and `aclose`.

    `public`: one maker of dialects for each kind of public connection; a channel goes to the first that has it.
    `private`: the account's, None without a key. `rotate_s`: the age at which a connection is replaced. `move_s`: a
    topic changes its socket at most this often. `venue_now_ns`: the venue's clock, for signing; ours by default.
    """

    def __init__(
        self,
        *,
        world: World,
        name: str,
        public: Sequence[MakeDialect],
        private: MakeDialect | None,
        connects: ConnectBudget,
        on_note: OnNote,
        topics_a_socket: int = 100,
        rules: StreamRules | None = None,
        budgets: Budgets | None = None,
        rotate_s: float = 23 * 3600.0,
        move_s: float = 600.0,
        venue_now_ns: Callable[[], int] | None = None,
    ) -> None:
        self.name = name
        self._world = world
        self._connects = connects
        self._on_note = on_note
        self._topics_a_socket = topics_a_socket
        self._rules = rules or StreamRules()
        self._budgets = budgets or Budgets()
        self._move_s = move_s
        self._names: HostNames = Names(f"feeds/{name}", addresses)
        self._venue_now_ns = venue_now_ns or world.clock.now_ns
        self._public = [self._pool(dialect) for dialect in public]
        self._private = self._pool(private) if private else None
        self._pools = [*self._public, *([self._private] if self._private else [])]
        self._rotations = [Rotation(pool, clock=world.clock, age_s=rotate_s) for pool in self._pools]
        self._tasks = Tasks(f"feeds/{name}", self._crashed)
        self._closed = False

    def _pool(self, dialect: MakeDialect) -> Pool:
        return Pool(
            name=dialect().name,
            clock=self._world.clock,
            dialect=dialect,
            make=self._stream,
            on_note=self._on_note,
            topics_a_socket=self._topics_a_socket,
            move_s=self._move_s,
        )

    def _stream(self, name: str, dialect: Dialect, listener: Listener) -> Stream:
        return Stream(
            world=self._world,
            name=name,
            dialect=dialect,
            connects=self._connects,
            listener=listener,
            rules=self._rules,
            names=self._names,
            venue_now_ns=self._venue_now_ns,
        )

    # --------------------------------------------------------------------------------------------------------- life
    def start(self) -> None:
        """Begin to watch the age of connections; streams begin when something is asked for."""
        for pool, rotation in zip(self._pools, self._rotations, strict=True):
            self._tasks.spawn(f"rotation/{pool.name}", rotation.run())

    async def aclose(self) -> None:
        """Close every stream, all at once; bounded by a stream's own bound. Safe in every state and twice."""
        self._closed = True
        await self._tasks.aclose()
        closing = Tasks(f"feeds/{self.name}/closing", self._crashed)
        for stream in (stream for pool in self._pools for stream in pool.open):
            closing.spawn(stream.name, stream.aclose())
        await closing.settle(4 * self._rules.close_s)
        await closing.aclose()
        await self._names.aclose()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def keep_still(self, for_ns: int) -> None:
        """Dial nothing for so long: the venue has banned the address. What is connected stays so."""
        self._connects.pause(for_ns)

    def renew_account(self) -> None:
        """Replace the account's connection, which is acknowledged and says nothing, as one that comes of age."""
        if self._private is not None:
            self._rotations[-1].hurry()  # the private pool is the last

    def on_dial(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` told of each dial whether it found a way out: no name and no route is no fault of the venue."""
        self._connects.on_dial(tell)

    @property
    def streams(self) -> Sequence[Stream]:
        """The streams there are, for their states and counters."""
        return [stream for pool in self._pools for stream in pool.streams]

    @property
    def private(self) -> Sequence[Stream]:
        """Those of them that are the account's."""
        return self._private.streams if self._private else ()

    @property
    def counters(self) -> StreamCounters:
        """What all streams have seen since the hub was made, those that were replaced included."""
        counters = StreamCounters()
        for pool in self._pools:
            pool.count(counters)
        return counters

    def troubles(self, market: MarketId) -> Mapping[str, int]:
        """Return how often a topic of the market was in trouble, by kind; its connections' ends are not counted."""
        met = [pool.troubles[market] for pool in self._pools if market in pool.troubles]
        return sum(met, Counter())

    # -------------------------------------------------------------------------------------------------- ports.Feeds
    def subscribe(
        self, instrument: Instrument, channels: Mapping[Channel, int | None], sink: Sink, *, eager: bool = True
    ) -> Subscription:
        """Ask for these channels of the market (the value is the timeframe in seconds, for bars).

        A topic that flows already for others is told to the sink as live before this returns. Refused where no kind of
        connection carries a channel; nothing is subscribed then. Where nobody is `eager`, frames may be read a little
        late (`machines/lull.py`).
        """
        self._must_be_open()
        wanted: dict[Pool, list[tuple[Topic, Terms]]] = {}
        for channel, timeframe_s in channels.items():
            pool, topics = self._carrier(instrument, channel, timeframe_s)
            terms = self._budgets.of(channel, timeframe_s)
            wanted.setdefault(pool, []).extend((topic, terms) for topic in topics)
        return HubSubscription([pool.subscribe(topics, sink, eager=eager) for pool, topics in wanted.items()])

    def account(self, sink: Sink) -> Subscription:
        """Ask for the account's private stream. `feed_changed(live=True)` tells that it must be reconciled."""
        self._must_be_open()
        if self._private is None:
            raise Refused(f"{self.name} has no private stream: no key is configured")
        terms = self._budgets.of(Channel.ACCOUNT, None)
        topics = self._private.asked.topics(None, Channel.ACCOUNT, None)
        return self._private.subscribe([(topic, terms) for topic in topics], sink)

    def _carrier(
        self, instrument: Instrument, channel: Channel, timeframe_s: int | None
    ) -> tuple[Pool, Sequence[Topic]]:
        refusals = []
        for pool in self._public:
            try:
                return pool, pool.asked.topics(instrument, channel, timeframe_s)
            except Refused as refused:
                refusals.append(refused.message)
        raise Refused("; ".join(refusals) or f"{self.name} has no public stream")

    def _must_be_open(self) -> None:
        if self._closed:
            raise Refused(f"the feeds of {self.name} are closed")

    def _crashed(self, name: str, error: BaseException) -> None:
        log.error("feed.task_crashed", task=name, exc_info=error)
        self._on_note("feed.task_crashed", Severity.ERROR, None, f"{name}: {error!r}")


class HubSubscription:
    """Several subscriptions as one: a market whose channels need connections of different kinds."""

    def __init__(self, subscriptions: Sequence[PoolSubscription]) -> None:
        self._parts = subscriptions

    async def live(self) -> None:
        """Wait until every topic of every subscription is acknowledged. Refused as one of them is."""
        for subscription in self._parts:
            await subscription.live()

    async def aclose(self) -> None:
        """Let all of them go."""
        for subscription in self._parts:
            await subscription.aclose()
