"""Silence, topic by topic."""

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.watchdog import Overdue, Patience, Watchdog

FIXED = Patience(least_ns=10, most_ns=10)
LEARNING = Patience(least_ns=10, most_ns=1000, factor=4, enough=3, memory_ns=500)
EARLY = Patience(least_ns=10, most_ns=1000, early_ns=100, factor=4, enough=3, memory_ns=500)


def fed(dog: Watchdog, topic: str, gaps: list[int], now_ns: int = 0) -> int:
    for gap in gaps:
        now_ns += gap
        assert dog.seen(topic, now_ns)
    return now_ns


def test_a_topic_is_overdue_when_its_budget_has_passed_and_not_before() -> None:
    """The silence is told with it, and it stays overdue."""
    dog = Watchdog()
    dog.watch("a", FIXED, 100)
    assert dog.scan(109) == ([], 110)
    assert dog.scan(110) == ([Overdue(topic="a", silent_ns=10, stuck=False)], None)
    assert dog.scan(115) == ([Overdue(topic="a", silent_ns=15, stuck=False)], None)


def test_one_topics_data_says_nothing_of_another() -> None:
    """Each has its own clock; the overdue ones come in the order in which they were first watched."""
    dog = Watchdog()
    for topic in ("b", "a", "c"):
        dog.watch(topic, FIXED, 0)
    assert dog.seen("a", 8)
    overdue, deadline_ns = dog.scan(12)
    assert [one.topic for one in overdue] == ["b", "c"]
    assert deadline_ns == 18
    assert len(dog) == 3


def test_who_is_not_watched_is_not_missed() -> None:
    """Forgetting is for good, and harmless twice."""
    dog = Watchdog()
    dog.watch("a", FIXED, 0)
    dog.forget("a")
    dog.forget("a")
    assert not dog.seen("a", 1)
    assert dog.budget_ns("a") is None
    assert dog.scan(1000) == ([], None)


def test_patience_is_learned_from_the_longest_gap() -> None:
    """Until enough gaps are known the budget is the most; then a multiple of the longest, within its bounds."""
    dog = Watchdog()
    dog.watch("a", LEARNING, 0)
    now_ns = fed(dog, "a", [5, 20])
    assert dog.budget_ns("a") == 1000
    fed(dog, "a", [5], now_ns)
    assert dog.budget_ns("a") == 80
    dog.watch("quick", LEARNING, 0)
    fed(dog, "quick", [1, 1, 1])
    assert dog.budget_ns("quick") == 10
    dog.watch("slow", LEARNING, 0)
    fed(dog, "slow", [400, 400, 400])
    assert dog.budget_ns("slow") == 1000


def test_a_topic_of_which_little_is_known_has_what_its_channel_is_worth() -> None:
    """Not the most: what falls silent right after its first data is noticed. Gaps already seen lengthen it only."""
    dog = Watchdog()
    dog.watch("a", EARLY, 0)
    assert dog.scan(99) == ([], 100)
    assert dog.scan(100)[0] == [Overdue(topic="a", silent_ns=100, stuck=False)]
    dog.watch("b", EARLY, 0)
    now_ns = fed(dog, "b", [5])
    assert dog.budget_ns("b") == 100
    now_ns = fed(dog, "b", [60], now_ns)
    assert dog.budget_ns("b") == 240
    fed(dog, "b", [5], now_ns)
    assert dog.budget_ns("b") == 240


def test_a_quiet_topic_is_suspected_once() -> None:
    """Watched anew after a silence of its first budget it has the most, until its usual gap is known."""
    dog = Watchdog()
    dog.watch("a", EARLY, 0)
    dog.watch("a", EARLY, 99)
    assert dog.budget_ns("a") == 100
    dog.watch("a", EARLY, 199)
    assert dog.budget_ns("a") == 1000
    dog.watch("a", EARLY, 200)
    now_ns = fed(dog, "a", [5, 5], 200)
    assert dog.budget_ns("a") == 1000
    fed(dog, "a", [5], now_ns)
    assert dog.budget_ns("a") == 20


def test_an_old_gap_is_forgotten_after_two_epochs() -> None:
    """A quiet hour does not make the watch lenient for the rest of the day."""
    dog = Watchdog()
    dog.watch("a", LEARNING, 0)
    now_ns = fed(dog, "a", [100, 5, 5])
    for looks, budget_ns in ((80, 400), (100, 20)):
        for _ in range(looks):  # an epoch has its time, however often one looks
            now_ns = fed(dog, "a", [5], now_ns)
            dog.scan(now_ns)
        assert dog.budget_ns("a") == budget_ns


def test_watching_anew_keeps_what_was_learned_and_forgives_the_outage() -> None:
    """The gap of an outage is not usual."""
    dog = Watchdog()
    dog.watch("a", LEARNING, 0)
    fed(dog, "a", [5, 5, 5])
    dog.watch("a", LEARNING, 900)
    assert dog.budget_ns("a") == 20
    assert dog.scan(919) == ([], 920)


def test_data_whose_time_stands_still_is_no_sign_of_life() -> None:
    """A stuck stream is told from a silent one."""
    dog = Watchdog()
    dog.watch("a", FIXED, 0)
    assert dog.seen("a", 1, stamp=7)
    for now_ns in range(2, 11):
        assert not dog.seen("a", now_ns, stamp=7)
    assert dog.scan(11) == ([Overdue(topic="a", silent_ns=10, stuck=True)], None)
    assert dog.seen("a", 12, stamp=8)
    assert dog.scan(12)[0] == []
    assert not dog.seen("a", 13, stamp=8)
    assert dog.scan(22)[0] == [Overdue(topic="a", silent_ns=10, stuck=False)]


def test_data_that_only_repeat_what_a_topic_began_with_are_no_sign_of_life() -> None:
    """Nor the first time; what begins anew begins with a time of its own, be it an earlier one."""
    dog = Watchdog()
    dog.watch("a", FIXED, 0, stamp=7)
    assert not dog.seen("a", 9, stamp=7)
    assert dog.scan(10) == ([Overdue(topic="a", silent_ns=10, stuck=True)], None)
    dog.watch("a", FIXED, 11, stamp=5)
    assert dog.seen("a", 12, stamp=6)
    dog.watch("a", FIXED, 13)
    assert dog.seen("a", 14, stamp=1)


def test_our_own_absence_is_nobodys_silence() -> None:
    """A loop that stood still moves every clock."""
    dog = Watchdog()
    dog.watch("a", FIXED, 0)
    dog.slept(50, 110)
    assert dog.scan(59) == ([], 60)
    dog.slept(100, 70)
    assert dog.scan(79) == ([], 80), "nobody was seen later than now"


def test_a_topic_that_was_stuck_is_stuck_after_our_absence() -> None:
    """It is not silent for that."""
    dog = Watchdog()
    dog.watch("a", FIXED, 0)
    for now_ns in range(1, 11):
        dog.seen("a", now_ns, stamp=7)
    dog.slept(50, 60)
    assert dog.scan(61)[0] == [Overdue(topic="a", silent_ns=10, stuck=True)]


@given(
    st.sampled_from([LEARNING, EARLY]),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 300)), max_size=80),
    st.integers(1, 2000),
)
def test_nothing_becomes_overdue_before_the_deadline(
    patience: Patience, steps: list[tuple[str, int]], later: int
) -> None:
    """Whatever is seen after a scan, no topic is overdue at an instant before the deadline that the scan gave."""
    dog, now_ns = Watchdog(), 0
    for topic in "abc":
        dog.watch(topic, patience, 0)
    overdue, deadline_ns = dog.scan(0)
    for topic, step in steps:
        now_ns += step
        found, next_ns = dog.scan(now_ns)
        if deadline_ns is None or now_ns < deadline_ns:
            assert {one.topic for one in found} <= {one.topic for one in overdue}
        dog.seen(topic, now_ns)
        overdue, deadline_ns = dog.scan(now_ns)
        assert next_ns is None or next_ns > now_ns
    assert dog.scan(now_ns + later + 5000)[1] is None
