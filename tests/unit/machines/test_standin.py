"""REST in a silent stream's stead."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kangbot.machines.standin import SECOND_NS, StandIn

LOST = StandIn().lost(0)


def test_a_stream_that_flows_is_not_stood_in_for() -> None:
    """Nothing is due."""
    assert StandIn().deadline() is None
    assert LOST.back().deadline() is None


def test_a_stream_that_fell_silent_is_given_time_to_heal_alone() -> None:
    """Its loss being told again does not begin the wait anew."""
    assert LOST.deadline() == 10 * SECOND_NS
    assert LOST.lost(7 * SECOND_NS) == LOST


def test_one_question_at_a_time_and_the_next_after_its_pause() -> None:
    """Or when the caller says that there is something new."""
    asked = LOST.asked()
    assert asked.deadline() is None
    assert asked.answered(11 * SECOND_NS).deadline() == 16 * SECOND_NS
    assert asked.answered(11 * SECOND_NS, next_ns=60 * SECOND_NS).deadline() == 60 * SECOND_NS


def test_questions_without_an_answer_become_rarer_and_obey_the_venue() -> None:
    """5, 10, 20, 40, then 60 seconds; an answer forgives."""
    stand_in, waits = LOST, []
    for _ in range(6):
        stand_in = stand_in.asked().failed(0)
        waits.append((stand_in.deadline() or 0) // SECOND_NS)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert stand_in.failed(0, at_least_ns=120 * SECOND_NS).deadline() == 120 * SECOND_NS
    assert stand_in.answered(0).failed(0).deadline() == 5 * SECOND_NS


def test_a_stream_that_falls_silent_again_is_stood_in_for_anew() -> None:
    """Whatever became of the question that was under way, and of those before it."""
    again = LOST.asked().failed(0).asked().back().lost(100 * SECOND_NS)
    assert again.deadline() == 110 * SECOND_NS
    assert again.asked().failed(110 * SECOND_NS).deadline() == 115 * SECOND_NS


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order: slow, one at a time, and only while the stream is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.stand_in = StandIn()
        self.now_ns = 0
        self.flows = True
        self.under_way = False
        self.left_ns: list[int] = []

    @rule(by_s=st.integers(0, 30))
    def time_passes(self, by_s: int) -> None:
        self.now_ns += by_s * SECOND_NS
        due_ns = self.stand_in.deadline()
        if due_ns is not None and due_ns <= self.now_ns:
            assert not self.flows
            assert not self.under_way
            self.stand_in, self.under_way = self.stand_in.asked(), True
            self.left_ns.append(self.now_ns)

    @rule()
    def falls_silent(self) -> None:
        self.stand_in, self.flows = self.stand_in.lost(self.now_ns), False

    @rule()
    def flows_again(self) -> None:
        self.stand_in, self.flows, self.under_way = self.stand_in.back(), True, False

    @rule(at_least_s=st.integers(0, 100))
    def fails(self, at_least_s: int) -> None:
        if self.under_way:
            self.stand_in = self.stand_in.failed(self.now_ns, at_least_ns=at_least_s * SECOND_NS)
            self.under_way = False

    @rule()
    def is_answered(self) -> None:
        if self.under_way:
            self.stand_in, self.under_way = self.stand_in.answered(self.now_ns), False

    @invariant()
    def questions_are_five_seconds_apart(self) -> None:
        gaps = [later - earlier for earlier, later in zip(self.left_ns, self.left_ns[1:], strict=False)]
        assert all(gap >= 5 * SECOND_NS for gap in gaps)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40)
