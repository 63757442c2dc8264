"""A session on a bench: its rules in small numbers, and time that moves by ticks."""

from collections import Counter
from collections.abc import Sequence

from kangbot.machines.session import Session
from kangbot.machines.session_words import (
    Effect,
    SessionRules,
    Subscribe,
    Terms,
    TopicState,
    Trouble,
)
from kangbot.machines.watchdog import Patience

RULES = SessionRules(
    topics_a_request=3,
    ping_ns=10_000,
    messages=100,
    messages_span_ns=10,
    login_ns=500,
    ack_ns=100,
    probe_ns=300,
    pong_ns=200,
    tick_ns=10,
    late_ns=50,
    steady_ns=2_000,
    attempts=3,
    rest_first_ns=40,
    rest_most_ns=400,
    denied_ns=1_000,
    idle_ns=600,
)
QUOTE = Terms(patience=Patience(least_ns=200, most_ns=200), first_ns=150)
TRADES = Terms(patience=Patience(least_ns=200, most_ns=200), first_ns=150, witness=False)
ACCOUNT = Terms(patience=None)


class Bench:
    """A session on a bench: time moves by ticks, effects pile up in `said`."""

    def __init__(self, rules: SessionRules = RULES, *, topics: str = "", login: bool = False) -> None:
        self.session = Session(rules)
        self.tick_ns = rules.tick_ns
        self.now_ns = 1_000_000
        self.said: list[Effect] = []
        for topic in topics:
            self.session.want(topic, QUOTE, self.now_ns)
        self.session.opened(self.now_ns, logging_in=login)

    def run(self, for_ns: int = 0, data: str = "") -> list[Effect]:
        """Tick now and then every `tick_ns`, with data of the topics `data` before each; return what was said."""
        begin = len(self.said)
        end_ns = self.now_ns + for_ns
        while True:
            for topic in data:
                self.session.data(topic, self.now_ns, self.now_ns)
            self.session.tick(self.now_ns)
            self.said += self.session.drain()
            if self.now_ns >= end_ns:
                return self.said[begin:]
            self.now_ns += self.tick_ns

    def drain(self) -> Sequence[Effect]:
        """Return what the session says now."""
        effects = self.session.drain()
        self.said += effects
        return effects

    def live(self, topics: str) -> None:
        """Bring topics to life: ask, acknowledge, first data."""
        self.run(self.tick_ns)
        self.ack()
        for topic in topics:
            assert self.session.data(topic, self.now_ns, self.now_ns)
        self.drain()
        assert all(self.state(topic) is TopicState.LIVE for topic in topics)

    def ack(self) -> None:
        """Acknowledge everything that was asked for."""
        for effect in self.said:
            if isinstance(effect, Subscribe):
                self.session.acked(effect.request, (), self.now_ns)
        self.drain()

    def state(self, topic: str) -> TopicState | None:
        """How far the topic has come."""
        return self.session.state(topic)

    def troubles(self) -> Counter[Trouble]:
        """What went wrong, and how often."""
        return self.session.troubles


def kinds(effects: Sequence[Effect]) -> list[type[Effect]]:
    """Return the kinds of the effects, in their order."""
    return [type(effect) for effect in effects]
