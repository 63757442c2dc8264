"""The way of one topic: which streams carry it, which subscriptions want it, and what was told of it.

A topic is live while any stream that carries it says so: so it may move to another socket, or be carried by two during
a rotation, and its sinks learn nothing of that.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from kangbot.errors import Refused
from kangbot.feed.listener import Events
from kangbot.feed.stream import Stream
from kangbot.machines.session_words import Terms
from kangbot.model.data import Bar, MarketData, Quote, Trade
from kangbot.model.orders import AccountEvent
from kangbot.ports import Sink, Topic


class Carrier(msgspec.Struct):
    """A stream that carries the topic, and what it believes of it."""

    stream: Stream
    acked: bool = False
    live: bool = False
    denied: str | None = None  # the venue's words


class Once:
    """Drops what was already delivered, while two streams bring the topic."""

    def __init__(self) -> None:
        self._trades: dict[str, None] = {}
        self._sequence = 0
        self._open_ns = 0

    def fresh(self, events: Events) -> Events:
        """Return the events that have not passed before. What has no id passes always: its sink knows better."""
        return [event for event in events if self._is_fresh(event)]

    def _is_fresh(self, event: MarketData | AccountEvent) -> bool:
        match event:
            case Trade():
                known = event.trade_id in self._trades
                self._trades[event.trade_id] = None
                return not known
            case Quote() if event.sequence:
                before, self._sequence = self._sequence, max(self._sequence, event.sequence)
                return event.sequence > before
            case Bar():
                before, self._open_ns = self._open_ns, max(self._open_ns, event.open_ns)
                return event.open_ns > before
            case _:
                return True


class Route:
    """One topic of one pool. Large state with one writer: mutable."""

    __slots__ = ("carriers", "moved_ns", "once", "sinks", "subscriptions", "terms", "told_live", "topic", "troubled")

    def __init__(self, topic: Topic, terms: Terms) -> None:
        self.topic = topic
        self.terms = terms
        self.carriers: dict[str, Carrier] = {}  # by the stream's name
        self.subscriptions: list[PoolSubscription] = []
        self.sinks: Sequence[Sink] = ()
        self.once: Once | None = None  # while two streams bring it
        self.told_live = False
        self.troubled = False  # its trouble was told, its recovery not yet
        self.moved_ns: int | None = None  # when it was last given to another stream

    # --------------------------------------------------------------------------------------------------------- sinks
    def join(self, subscription: "PoolSubscription") -> None:
        """Let a subscription's sink have the topic. One sink with two subscriptions is offered each event once."""
        self.subscriptions.append(subscription)
        self._gather()

    def leave(self, subscription: "PoolSubscription") -> None:
        """Let it have it no longer."""
        self.subscriptions.remove(subscription)
        self._gather()

    def _gather(self) -> None:
        self.sinks = tuple({id(subscription.sink): subscription.sink for subscription in self.subscriptions}.values())

    # ------------------------------------------------------------------------------------------------------ carriage
    def carry(self, stream: Stream) -> None:
        """Have the stream carry the topic too."""
        self.carriers[stream.name] = Carrier(stream)
        stream.want(self.topic, self.terms)

    def drop(self, name: str) -> None:
        """Have the stream of that name carry it no longer."""
        self.carriers.pop(name).stream.unwant(self.topic.native)

    @property
    def live(self) -> bool:
        """Whether any stream says that it is live."""
        return any(carrier.live for carrier in self.carriers.values())

    @property
    def acked(self) -> bool:
        """Whether the venue said yes on any stream."""
        return any(carrier.acked for carrier in self.carriers.values())

    @property
    def denied(self) -> str | None:
        """The venue's words, where it said no on every stream."""
        said = [carrier.denied for carrier in self.carriers.values()]
        return said[0] if said and None not in said else None


class PoolSubscription:
    """What was asked of one pool. The pool calls `changed` whenever one of its topics moved."""

    def __init__(
        self, routes: Sequence[Route], sink: Sink, release: Callable[["PoolSubscription"], None], *, eager: bool
    ) -> None:
        self.routes = routes
        self.sink = sink
        self.eager = eager
        self._release = release
        self._news = asyncio.Event()
        self._closed = False

    def changed(self) -> None:
        """Learn that one of the topics was acknowledged or denied."""
        self._news.set()

    async def live(self) -> None:
        """Wait until every topic is acknowledged. Refused when the venue denies one of them, or once it is closed."""
        while not self._settled():
            self._news.clear()
            await self._news.wait()

    def _settled(self) -> bool:
        if self._closed:
            raise Refused("the subscription is closed")
        for route in self.routes:
            if (words := route.denied) is not None:
                raise Refused(f"{route.topic.native}: {words}")
        return all(route.acked for route in self.routes)

    async def aclose(self) -> None:
        """Let the topics go; safe in every state and twice."""
        if not self._closed:
            self._closed = True
            self._news.set()
            self._release(self)
