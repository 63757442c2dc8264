"""The session under any sequence of wants, answers, losses, silences and reconnects."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kangbot.machines.session import Session
from kangbot.machines.session_words import (
    Close,
    Effect,
    Ping,
    SessionRules,
    Stage,
    Subscribe,
    Terms,
    TopicDown,
    TopicLive,
    TopicState,
    Unsubscribe,
)
from kangbot.machines.watchdog import Patience

RULES = SessionRules(
    topics_a_request=2,
    ping_ns=400,
    messages=3,
    messages_span_ns=50,
    login_ns=200,
    ack_ns=60,
    probe_ns=90,
    pong_ns=60,
    tick_ns=10,
    late_ns=500,
    steady_ns=300,
    attempts=3,
    rest_first_ns=20,
    rest_most_ns=100,
    denied_ns=150,
    idle_ns=200,
)
QUOTE = Terms(patience=Patience(least_ns=80, most_ns=80), first_ns=70)
ACCOUNT = Terms(patience=None)
TOPICS = st.sampled_from("abcde")


class AnyOrder(RuleBasedStateMachine):
    """A session and a venue that holds subscriptions, answers when it likes, and pushes what it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(RULES)
        self.now_ns = 1_000
        self.held: dict[str, str] = {}  # topic → the request it is held under, at the venue
        self.asked: deque[Subscribe] = deque()  # not answered yet
        self.sent_ns: deque[int] = deque(maxlen=RULES.messages + 1)
        self.told_live: set[str] = set()
        self.proof: dict[str, set[str]] = {}  # what each topic has had since it was last asked for: ack, data
        self.closing = False

    # ------------------------------------------------------------------------------------------------------ doing
    def do(self) -> None:
        for effect in self.session.drain():
            self.do_one(effect)

    def do_one(self, effect: Effect) -> None:
        match effect:
            case Subscribe():
                self.sends()
                assert 0 < len(effect.natives) <= RULES.topics_a_request
                assert not set(effect.natives) & set(self.held), "a venue refuses what it holds already"
                self.held.update(dict.fromkeys(effect.natives, effect.request))
                self.asked.append(effect)
                self.proof.update({native: set() for native in effect.natives})
            case Unsubscribe():
                self.sends()
                for native in effect.natives:
                    self.held.pop(native, None)
            case Ping():
                self.sends()
            case TopicLive():
                assert effect.native not in self.told_live
                assert "ack" in self.proof[effect.native], "never live without the venue's yes"
                self.told_live.add(effect.native)
            case TopicDown():
                self.told_live.discard(effect.native)
            case Close():
                assert not self.closing
                self.closing = True
            case _:
                pass

    def sends(self) -> None:
        """No more messages in any span than the venue allows."""
        assert self.session.stage in (Stage.READY, Stage.LOGIN)
        assert not self.closing
        self.sent_ns.append(self.now_ns)
        if len(self.sent_ns) > RULES.messages:
            assert self.now_ns - self.sent_ns[0] >= RULES.messages_span_ns

    # ------------------------------------------------------------------------------------------------------ rules
    @initialize(login=st.booleans())
    def begin(self, login: bool) -> None:
        self.session.opened(self.now_ns, logging_in=login)

    @rule(topic=TOPICS, account=st.booleans())
    def want(self, topic: str, account: bool) -> None:
        self.session.want(topic, ACCOUNT if account else QUOTE, self.now_ns)

    @rule(topic=TOPICS)
    def unwant(self, topic: str) -> None:
        self.session.unwant(topic, self.now_ns)
        self.told_live.discard(topic)

    @rule(ticks=st.integers(1, 12))
    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            deadline_ns = self.session.deadline()
            self.now_ns = max(self.now_ns, self.now_ns + RULES.tick_ns if deadline_ns is None else deadline_ns)
            self.session.tick(self.now_ns)
            self.do()

    @rule(away_ns=st.integers(500, 5_000))
    def stand_still(self, away_ns: int) -> None:
        troubles = sum(self.session.troubles.values())
        self.now_ns += away_ns
        self.session.tick(self.now_ns)
        self.do()
        assert sum(self.session.troubles.values()) <= troubles + 5

    @precondition(lambda self: self.asked)
    @rule(answer=st.sampled_from(["ack", "lose", "deny", "deny one"]))
    def answer(self, answer: str) -> None:
        asked = self.asked.popleft()
        match answer:
            case "ack":
                for native in asked.natives:
                    if self.held.get(native) == asked.request:
                        self.proof[native].add("ack")
                self.session.acked(asked.request, (), self.now_ns)
            case "deny":
                self.session.denied(asked.request, "", "no", self.now_ns)
            case "deny one":
                self.session.denied(asked.request, asked.natives[0], "no", self.now_ns)
            case _:
                pass
        self.do()

    @rule(topic=TOPICS, fresh=st.booleans())
    def push(self, topic: str, fresh: bool) -> None:
        live = self.session.state(topic) is TopicState.LIVE
        if self.session.data(topic, self.now_ns, self.now_ns if fresh else 1):
            assert not live
        self.do()

    @rule(topic=TOPICS)
    def miss(self, topic: str) -> None:
        live = topic in self.told_live and not self.closing
        self.session.gap(topic, 1, self.now_ns)
        self.do()
        assert not live or self.session.state(topic) is TopicState.WANTED
        assert topic not in self.told_live or self.closing

    @rule()
    def pong(self) -> None:
        self.session.pong(self.now_ns)

    @rule()
    def logged_in(self) -> None:
        self.session.logged_in(self.now_ns)

    @rule(login=st.booleans())
    def reconnect(self, login: bool) -> None:
        self.session.closed("cut")
        self.do()
        assert not self.told_live
        self.held.clear()
        self.asked.clear()
        self.sent_ns.clear()
        self.closing = False
        self.now_ns += RULES.messages_span_ns
        self.session.opened(self.now_ns, logging_in=login)

    # -------------------------------------------------------------------------------------------------- invariants
    @invariant()
    def live_is_what_was_told(self) -> None:
        live = {topic for topic in self.session.wanted if self.session.state(topic) is TopicState.LIVE}
        assert live == self.told_live
        assert self.session.live == len(live)
        assert (self.session.flowing_ns(self.now_ns + 1) > 0) is bool(live)

    def teardown(self) -> None:
        """When the venue behaves again, every topic that is wanted comes to life, and nothing else is held."""
        self.session.closed("end of troubles")
        self.do()
        self.held.clear()
        self.asked.clear()
        self.sent_ns.clear()
        self.closing = False
        self.now_ns += RULES.messages_span_ns
        self.session.opened(self.now_ns, logging_in=False)
        for _ in range(60):
            self.wait(1)
            while self.asked:
                self.answer("ack")
            for topic in self.held:
                self.push(topic, fresh=True)
            self.pong()
        assert self.told_live == set(self.session.wanted)
        assert set(self.held) == set(self.session.wanted)


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
