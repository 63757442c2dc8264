"""What a stream tells, and what it counts."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from kangbot.machines.session_words import TopicAcked, TopicDown, TopicGivenUp, TopicLive, Trouble
from kangbot.model.data import MarketData
from kangbot.model.events import Severity
from kangbot.model.orders import AccountEvent

Events = Sequence[MarketData | AccountEvent]
TopicEffect = TopicAcked | TopicLive | TopicDown | TopicGivenUp


class StreamCounters(msgspec.Struct, kw_only=True):
    """What a stream has seen since it was made."""

    frames: int = 0
    events: int = 0
    garbled: int = 0  # frames that could not be decoded
    ignored: dict[str, int] = msgspec.field(default_factory=dict)  # frames known and not used, by kind
    dials: int = 0
    connects: int = 0
    reconnects: int = 0
    faults: int = 0  # errors of our own code, caught
    last_data_ns: int = 0  # when data came last, whether we could read them or not
    troubles: Counter[Trouble] = msgspec.field(default_factory=Counter)  # of its topics, by kind

    def add(self, other: "StreamCounters") -> None:
        """Count what another stream has seen as well."""
        self.frames += other.frames
        self.events += other.events
        self.garbled += other.garbled
        for kind, count in other.ignored.items():
            self.ignored[kind] = self.ignored.get(kind, 0) + count
        self.dials += other.dials
        self.connects += other.connects
        self.reconnects += other.reconnects
        self.faults += other.faults
        self.troubles.update(other.troubles)
        self.last_data_ns = max(self.last_data_ns, other.last_data_ns)


class Listener(Protocol):
    """Whom a stream tells. Synchronous and quick; an exception is counted as a fault of ours."""

    @property
    def eager(self) -> bool:
        """Whether any frame may be decided on: then each is to be read as it comes."""

    def deliver(self, native: str, events: Events, received_ns: int) -> None:
        """Take the events of one topic, in order; `received_ns` is `perf_counter_ns` when their frame was read."""

    def topic_changed(self, stream: str, effect: TopicEffect) -> None:
        """Learn what the stream named `stream` believes of a topic."""

    def garbled(self, native: str) -> None:
        """Learn that a frame, or a row in it, could not be decoded; "" where it does not show its topic."""

    def note(self, kind: str, severity: Severity, message: str) -> None:
        """Learn what an operator will want to find later."""
