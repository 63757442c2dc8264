"""What a connection says next: a heartbeat, then what is to end, then what is to begin.

Few frames, under the venue's strict rate of messages. Whatever a venue may still hold is ended before it is asked for
again, and nothing is asked for while it is in doubt whether anybody hears.
"""

from collections.abc import Collection, Sequence

from kangbot.machines.heartbeat import Heartbeat
from kangbot.machines.limiter import Window
from kangbot.machines.session_words import (
    Effect,
    Ping,
    SessionRules,
    Subscribe,
    TopicLife,
    TopicState,
    Unsubscribe,
)

NEVER = 1 << 62  # later than any time there is
_WAITING = (TopicState.WANTED, TopicState.STALE, TopicState.DENIED)


class Requests:
    """One stream's, over all its reconnects. Large state with one writer, its session: mutable."""

    def __init__(self, rules: SessionRules) -> None:
        self._rules = rules
        self._window = Window(most=rules.messages, span_ns=rules.messages_span_ns)
        self._leaving: dict[str, None] = {}  # subscribed at the venue, wanted no longer
        self._count = 0

    @property
    def ending(self) -> bool:
        """Whether a topic that is wanted no longer has yet to be ended."""
        return bool(self._leaving)

    def end(self, native: str) -> None:
        """Have the topic ended, which is wanted no longer."""
        self._leaving[native] = None

    def closed(self) -> None:
        """Learn that the connection is gone, and with it whatever was subscribed."""
        self._leaving.clear()

    def say(
        self, topics: Collection[TopicLife], pulse: Heartbeat, now_ns: int, *, ready: bool
    ) -> tuple[Sequence[Effect], int]:
        """Return what may be said now, recorded as said, and when there may be more to say.

        `ready`: the venue takes more than heartbeats.
        """
        said: list[Effect] = []
        while not (wait_ns := self._window.wait_ns(now_ns)):
            effect = self._next(topics, pulse, now_ns, ready=ready)
            if effect is None:
                return said, NEVER
            self._window, _ = self._window.admit(now_ns)
            said.append(effect)
        return said, now_ns + wait_ns

    def _next(self, topics: Collection[TopicLife], pulse: Heartbeat, now_ns: int, *, ready: bool) -> Effect | None:
        if pulse.due(now_ns):
            pulse.sent(now_ns)
            return Ping(self._name())
        if not ready or pulse.in_doubt:
            return None
        if leaving := tuple(self._leaving)[: self._rules.topics_a_request]:
            for native in leaving:
                del self._leaving[native]
            return Unsubscribe(self._name(), leaving)
        if due := self._due(topics, now_ns, dirty=True):
            for topic in due:
                topic.state, topic.dirty = TopicState.WANTED, False
            return Unsubscribe(self._name(), tuple(topic.native for topic in due))
        if due := self._due(topics, now_ns, dirty=False):
            name = self._name()
            for topic in due:
                topic.state, topic.request, topic.heard = TopicState.REQUESTED, name, False
                topic.due_ns, topic.sole = now_ns + self._rules.ack_ns, len(due) == 1
            return Subscribe(name, tuple(topic.native for topic in due))
        return None

    def _due(self, topics: Collection[TopicLife], now_ns: int, *, dirty: bool) -> Sequence[TopicLife]:
        """Return the topics of the next request: one that is asked for alone, else as many as one may name."""
        due = [t for t in topics if t.state in _WAITING and t.dirty is dirty and t.due_ns <= now_ns]
        if not dirty and (alone := [topic for topic in due if topic.alone]):
            return alone[:1]
        return due[: self._rules.topics_a_request]

    def _name(self) -> str:
        self._count += 1
        return str(self._count)
