"""The connections of one kind (Bybit's linear topics, Binance's market path, an account) and the topics they carry.

The first who asks for a topic has it carried, the last who leaves ends it. Events go to their sinks by one dict lookup.
A topic that fares badly on its socket is moved to another; what heals it there is the session's business.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from kangbot.feed.bulletin import Bulletin, OnNote
from kangbot.feed.listener import Events, Listener, StreamCounters, TopicEffect
from kangbot.feed.route import Carrier, PoolSubscription, Route
from kangbot.feed.stream import Stream
from kangbot.machines.session_words import Terms, TopicAcked, TopicDown, TopicGivenUp, TopicLive, Trouble
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Channel, Dialect, Sink, Topic
from kangbot.runtime.world import SECOND_NS, Clock

log = structlog.get_logger(__name__)

GARBLED = "garbled"  # counted beside the troubles of `machines/session_words.py`

MakeStream = Callable[[str, Dialect, Listener], Stream]


class Pool:
    """Streams that are made alike, each carrying at most `topics_a_socket`; a topic moves at most once in `move_s`.

    `asked` is a dialect for asking only: it is never connected.
    """

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        dialect: Callable[[], Dialect],
        make: MakeStream,
        on_note: OnNote,
        topics_a_socket: int,
        move_s: float,
    ) -> None:
        self.name = name
        self.asked = dialect()
        self.news = asyncio.Event()  # set whenever a topic of any stream changed
        self.troubles: dict[MarketId, Counter[str]] = {}  # of each market's topics, by kind
        self._clock = clock
        self._dialect = dialect
        self._make = make
        self._on_note = on_note
        self._bulletin = Bulletin(name, self._note, lambda: any(route.troubled for route in self._routes.values()))
        self._sink_faulty = False  # one raised, which is told once
        self._topics_a_socket = topics_a_socket
        self._move_ns = round(move_s * SECOND_NS)
        self._streams: dict[str, Stream] = {}  # in the order of making
        self._retiring: dict[str, None] = {}
        self._closing: dict[str, Stream] = {}
        self._retired = StreamCounters()  # what streams that are gone have seen
        self._made = 0
        self._routes: dict[str, Route] = {}  # by native topic
        self._eager = 0  # subscriptions

    # ------------------------------------------------------------------------------------------------------ streams
    @property
    def streams(self) -> Sequence[Stream]:
        """The streams there are."""
        return tuple(self._streams.values())

    @property
    def open(self) -> Sequence[Stream]:
        """The streams there are, and those that are being closed."""
        return (*self._streams.values(), *self._closing.values())

    def add(self) -> Stream:
        """Return a new stream, started."""
        self._made += 1
        stream = self._make(f"{self.name}.{self._made}", self._dialect(), self)
        self._streams[stream.name] = stream
        stream.start()
        return stream

    def retire(self, name: str, *, yes: bool) -> None:
        """Give the stream no more topics, or give it some again."""
        if yes:
            self._retiring[name] = None
        else:
            self._retiring.pop(name, None)

    async def remove(self, name: str) -> None:
        """Close the stream and forget it, but not what it has seen."""
        stream = self._closing[name] = self._streams.pop(name)
        await stream.aclose()
        self._retired.add(self._closing.pop(name).counters)

    def count(self, into: StreamCounters) -> None:
        """Add what all streams have seen, those that were replaced included."""
        into.add(self._retired)
        for stream in self.open:
            into.add(stream.counters)

    def routes_of(self, name: str) -> Sequence[Route]:
        """Return the topics that the stream carries."""
        return [route for route in self._routes.values() if name in route.carriers]

    def hand_over(self, name: str) -> None:
        """Give what the stream alone carries to others."""
        for route in self.routes_of(name):
            target = self._with_room(other_than=name)
            route.drop(name)
            route.carry(target)
            self._tell(route, f"{name} ends")

    def _with_room(self, other_than: str = "") -> Stream:
        for stream in self._streams.values():
            taken = stream.name == other_than or stream.name in self._retiring
            if not taken and len(stream.wanted) < self._topics_a_socket:
                return stream
        return self.add()

    # ------------------------------------------------------------------------------------------------ subscriptions
    def subscribe(self, wanted: Sequence[tuple[Topic, Terms]], sink: Sink, *, eager: bool = True) -> PoolSubscription:
        """Carry the topics for the sink. What flows already for others is told to it before this returns."""
        routes = [self._route(topic, terms) for topic, terms in wanted]
        subscription = PoolSubscription(routes, sink, self._release, eager=eager)
        self._eager += eager
        for route in subscription.routes:
            route.join(subscription)
            if route.told_live:
                self._tell_sink(sink, route.topic, live=True, reason="flows already")
        return subscription

    def _route(self, topic: Topic, terms: Terms) -> Route:
        route = self._routes.get(topic.native)
        if route is None:
            route = self._routes[topic.native] = Route(topic, terms)
            route.carry(self._with_room())
        return route

    def _release(self, subscription: PoolSubscription) -> None:
        self._eager -= subscription.eager
        for route in subscription.routes:
            route.leave(subscription)
            if not route.subscriptions:
                for name in tuple(route.carriers):
                    route.drop(name)
                del self._routes[route.topic.native]
                self._bulletin.gone(route.topic)
        self.news.set()

    # ----------------------------------------------------------------------------------------------------- Listener
    @property
    def eager(self) -> bool:
        """Whether any subscription is. One is enough for all connections: which carries it may change."""
        return self._eager > 0

    def deliver(self, native: str, events: Events, received_ns: int) -> None:
        """Hand the events to the topic's sinks, in order. A sink that raises is counted and harms nobody else."""
        route = self._routes.get(native)
        if route is None:
            return
        if route.once is not None:
            events = route.once.fresh(events)
        for sink in route.sinks:
            try:
                for event in events:
                    sink.offer(event, received_ns)
            except Exception as error:  # noqa: BLE001 -- a sink is somebody else's code
                self._sink_fault(error)

    def topic_changed(self, stream: str, effect: TopicEffect) -> None:
        """Take what a stream believes of a topic, and tell the sinks where that changes what is true for them."""
        route = self._routes.get(effect.native)
        carrier = route.carriers.get(stream) if route else None
        if route is None or carrier is None:
            return  # it was let go, or is carried elsewhere by now
        reason = ""
        match effect:
            case TopicAcked():
                carrier.acked, carrier.denied = True, None
            case TopicLive():
                carrier.live = True
            case TopicDown():
                reason = self._down(route, carrier, effect)
            case TopicGivenUp():
                self._move(route, carrier)
        for subscription in route.subscriptions:
            subscription.changed()
        self.news.set()
        self._tell(route, reason)

    def garbled(self, native: str) -> None:
        """Count what could not be decoded for its market; where no topic shows, it may be of any of the account's.

        Of its quotes and candles the next one shows what is missing, of its trades none does.
        """
        if (route := self._routes.get(native)) is not None:
            self._count(route.topic, GARBLED)
            for sink in route.sinks if route.topic.channel is Channel.TRADE else ():
                sink.garbled(route.topic)
            return
        for route in self._routes.values():
            for sink in route.sinks if route.topic.market is None else ():
                sink.garbled(route.topic)

    def note(self, kind: str, severity: Severity, message: str) -> None:
        """Pass on what an operator will want to find later."""
        self._note(kind, severity, None, message)

    def _count(self, topic: Topic, kind: str) -> None:
        if topic.market is not None:
            self.troubles.setdefault(topic.market, Counter())[kind] += 1

    # ------------------------------------------------------------------------------------------------------ changes
    def _down(self, route: Route, carrier: Carrier, effect: TopicDown) -> str:
        carrier.acked = carrier.live = False
        if effect.trouble is Trouble.DENIED:
            carrier.denied = effect.message
        reason = f"{effect.trouble}: {effect.message}"
        if effect.trouble is not Trouble.CLOSED:
            self._count(route.topic, effect.trouble)
        if effect.trouble is not Trouble.CLOSED and not route.troubled:  # the stream tells of its own end, once
            route.troubled = True
            self._bulletin.down(route.topic, effect.trouble, effect.message)
        return reason

    def _move(self, route: Route, carrier: Carrier) -> None:
        """Give the topic to another socket; it is not tossed to and fro."""
        now_ns = self._clock.now_ns()
        too_soon = route.moved_ns is not None and now_ns - route.moved_ns < self._move_ns
        if too_soon or len(route.carriers) > 1:
            return
        route.moved_ns = now_ns
        target = self._with_room(other_than=carrier.stream.name)
        route.drop(carrier.stream.name)
        route.carry(target)
        log.warning("feed.topic_moved", topic=route.topic.native, market=route.topic.market, to=target.name)
        self._note("feed.moved", Severity.WARNING, route.topic.market, f"{route.topic.native}: to {target.name}")

    def _tell(self, route: Route, reason: str) -> None:
        live = route.live
        if live is route.told_live:
            return
        route.told_live = live
        if live and route.troubled:
            route.troubled = False
            self._bulletin.up(route.topic)
        for sink in route.sinks:
            self._tell_sink(sink, route.topic, live=live, reason=reason)

    def _tell_sink(self, sink: Sink, topic: Topic, *, live: bool, reason: str) -> None:
        try:
            sink.feed_changed(topic, live, reason)
        except Exception as error:  # noqa: BLE001 -- a sink is somebody else's code
            self._sink_fault(error)

    # ------------------------------------------------------------------------------------------------------- faults
    def _sink_fault(self, error: Exception) -> None:
        if not self._sink_faulty:
            self._sink_faulty = True
            log.error("feed.sink_fault", pool=self.name, exc_info=error)
            self._note("feed.sink_fault", Severity.ERROR, None, f"{self.name}: {error!r}")

    def _note(self, kind: str, severity: Severity, market: MarketId | None, message: str) -> None:
        try:
            self._on_note(kind, severity, market, message)
        except Exception:
            log.exception("feed.note_fault", pool=self.name)  # book-keeping never reaches the data
