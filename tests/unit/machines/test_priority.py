"""Whose request to a venue goes first."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kangbot.machines.limiter import Window
from kangbot.machines.priority import Allowance, Priority
from tests.support.trade_words import SECOND, START


def allowance(most: int = 10) -> Allowance:
    """Return an allowance of `most` requests a second."""
    return Allowance(windows=(Window(most=most, span_ns=SECOND),))


def filled(requests: int) -> Allowance:
    """Return an allowance of 10 a second with so many requests in it."""
    one = allowance()
    for _ in range(requests):
        one = one.admit(START)
    return one


def test_the_less_urgent_leave_room_for_the_urgent() -> None:
    """Of ten: data takes six, entries eight, reconciling nine, exits all."""
    most = {
        priority: next(taken for taken in range(11) if filled(taken).wait_ns(priority, START)) for priority in Priority
    }
    assert most == {Priority.CANCEL_EXIT: 10, Priority.RECONCILE: 9, Priority.ENTRY: 8, Priority.DATA: 6}


def test_the_urgent_goes_first() -> None:
    """What reduces risk, then what finds out how things stand."""
    order = [Priority.CANCEL_EXIT, Priority.RECONCILE, Priority.ENTRY, Priority.DATA]
    assert sorted(Priority, reverse=True)[::-1] == order


def test_the_wait_ends_when_there_is_room_enough() -> None:
    """Data waits until five of ten are left in the window."""
    one = allowance()
    for index in range(10):
        one = one.admit(START + index)
    assert one.wait_ns(Priority.CANCEL_EXIT, START + 9) == SECOND - 9
    assert one.wait_ns(Priority.DATA, START + 9) == SECOND - 9 + 4
    assert one.wait_ns(Priority.DATA, START + 4 + SECOND) == 0


def test_a_window_of_one_admits_everybody() -> None:
    """Leaving room for others must not mean never."""
    assert allowance(1).wait_ns(Priority.DATA, START) == 0


def test_an_answer_of_what_the_window_has_forgotten_changes_nothing() -> None:
    """Newer ones have taken its stamp's place."""
    full = filled(10)
    assert full.arrived(START + 1, START) == full


def test_what_is_kept_is_for_the_urgent_alone() -> None:
    """It is of what the others leave free anyway, and they leave more free where it is more."""

    def most(kept: int) -> list[int]:
        room = [filled(taken).keep(kept) for taken in range(11)]
        return [sum(not one.wait_ns(priority, START) for one in room) for priority in Priority]

    assert most(1) == [10, 9, 8, 6]
    assert most(3) == [10, 7, 7, 6]
    assert most(5) == [10, 5, 5, 5]


def test_who_keeps_a_place_waits_for_two() -> None:
    """And leaves free those that others keep."""
    assert filled(7).wait_ns(Priority.ENTRY, START, keeps=True) == 0
    assert filled(7).keep(1).wait_ns(Priority.ENTRY, START, keeps=True) == 0
    assert filled(7).keep(2).wait_ns(Priority.ENTRY, START, keeps=True) == SECOND
    assert filled(7).keep(2).wait_ns(Priority.ENTRY, START) == 0


def test_a_window_has_no_place_to_keep_but_beside_another() -> None:
    """In a window of one whoever would keep one leaves alone; in one of two, the next waits until it is freed."""
    assert not allowance(1).follows
    assert allowance(1).wait_ns(Priority.ENTRY, START, keeps=True) == 0
    assert allowance(2).wait_ns(Priority.ENTRY, START, keeps=True) == 0
    kept = allowance(2).admit(START).keep(1)
    assert kept.wait_ns(Priority.CANCEL_EXIT, START) == 0
    assert {kept.wait_ns(priority, START) for priority in Priority if priority} == {SECOND}
    assert kept.wait_ns(Priority.ENTRY, START + SECOND, keeps=True) > 0
    assert kept.wait_ns(Priority.ENTRY, START + SECOND) == 0
    assert kept.keep(0).wait_ns(Priority.ENTRY, START + SECOND, keeps=True) == 0


def test_every_window_must_have_room() -> None:
    """The strictest decides."""
    both = Allowance(windows=(Window(most=10, span_ns=SECOND), Window(most=1, span_ns=5 * SECOND))).admit(START)
    assert both.wait_ns(Priority.CANCEL_EXIT, START + SECOND) == 4 * SECOND


def test_a_pause_holds_for_everyone_to_the_end() -> None:
    """A shorter one does not shorten it."""
    paused = allowance().pause(START + 10 * SECOND).pause(START + SECOND)
    assert {paused.wait_ns(priority, START) for priority in Priority} == {10 * SECOND}
    assert paused.wait_ns(Priority.DATA, START + 10 * SECOND) == 0
    assert paused.admit(START).wait_ns(Priority.DATA, START) == 10 * SECOND, "one that was on its way does not end it"


def test_a_request_that_did_not_leave_gives_its_place_back() -> None:
    """One that the window has forgotten has none to give."""
    full = filled(10)
    back = full.give_back(START)
    assert back.wait_ns(Priority.CANCEL_EXIT, START) == 0
    assert back.admit(START).wait_ns(Priority.CANCEL_EXIT, START) == SECOND
    assert full.give_back(START - 1) == full


@given(st.lists(st.tuples(st.sampled_from(list(Priority)), st.integers(0, SECOND // 2)), max_size=60))
def test_no_window_ever_holds_more_than_it_may(requests: list[tuple[Priority, int]]) -> None:
    """Whoever asks, whenever: waits as told, and any second holds ten at most."""
    one, now_ns, left = allowance(), START, []
    for priority, later_ns in requests:
        now_ns += later_ns
        now_ns += one.wait_ns(priority, now_ns)
        assert one.wait_ns(priority, now_ns) == 0
        one = one.admit(now_ns)
        left.append(now_ns)
    for at_ns in left:
        assert sum(at_ns <= other < at_ns + SECOND for other in left) <= 10


class AnyRequests(RuleBasedStateMachine):
    """Requests of every kind, in any order: some are given back, and the venue wants to be left alone now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = (Window(most=4, span_ns=SECOND), Window(most=6, span_ns=3 * SECOND))
        self.one = Allowance(windows=self.windows)
        self.now_ns = START
        self.left: list[int] = []  # of what left and was not given back
        self.paused_until_ns = 0

    @rule(ns=st.integers(0, 2 * SECOND))
    def time_passes(self, ns: int) -> None:
        """Nobody asks for a while."""
        self.now_ns += ns

    @rule(priority=st.sampled_from(list(Priority)))
    def goes(self, priority: Priority) -> None:
        """One waits as told, and not a nanosecond longer than it must."""
        if wait_ns := self.one.wait_ns(priority, self.now_ns):
            assert self.one.wait_ns(priority, self.now_ns + wait_ns - 1) == 1
        self.now_ns += wait_ns
        assert self.one.wait_ns(priority, self.now_ns) == 0
        assert self.now_ns >= self.paused_until_ns, "whoever asked, nothing leaves in a pause"
        self.one = self.one.admit(self.now_ns)
        self.left.append(self.now_ns)

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def stays(self, data: st.DataObject) -> None:
        """One that was admitted does not leave after all."""
        at_ns = self.left.pop(data.draw(st.integers(0, len(self.left) - 1)))
        self.one = self.one.give_back(at_ns)

    @rule(for_ns=st.integers(0, 4 * SECOND))
    def pauses(self, for_ns: int) -> None:
        """The venue wants to be left alone."""
        self.paused_until_ns = max(self.paused_until_ns, self.now_ns + for_ns)
        self.one = self.one.pause(self.now_ns + for_ns)

    @invariant()
    def no_span_holds_more_than_it_may(self) -> None:
        """Wherever it begins."""
        for window in self.windows:
            for at_ns in self.left:
                assert sum(at_ns <= other < at_ns + window.span_ns for other in self.left) <= window.most

    @invariant()
    def the_urgent_never_wait_longer(self) -> None:
        """In the order of their names."""
        waits = [self.one.wait_ns(priority, self.now_ns) for priority in Priority]
        assert waits == sorted(waits)


TestAnyRequests = AnyRequests.TestCase
TestAnyRequests.settings = settings(max_examples=60, stateful_step_count=40)
