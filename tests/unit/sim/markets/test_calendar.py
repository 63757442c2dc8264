"""When the markets move: each at its pace, spread over the interval, and no frame twice or left out."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.ids import MarketId
from kangbot.sim.markets.calendar import Calendar

A, B, C = MarketId("a"), MarketId("b"), MarketId("c")


def test_markets_are_spread_evenly_over_the_interval() -> None:
    """The last one's frame is a whole interval after the start; what is due just now is due."""
    calendar = Calendar((A, B), 1000, 100)
    assert calendar.next_ns() == 1050
    assert list(calendar.due(1049)) == []
    assert list(calendar.due(1200)) == [(1050, A), (1100, B), (1150, A), (1200, B)]
    assert calendar.next_ns() == 1250


def test_frames_of_one_moment_come_in_the_order_of_listing() -> None:
    """Where an interval is too short to be shared."""
    calendar = Calendar((C, A, B), 0, 2)
    assert list(calendar.due(4)) == [(0, C), (1, A), (2, C), (2, B), (3, A), (4, C), (4, B)]


def test_who_stops_in_the_middle_goes_on_there() -> None:
    """A frame that was taken is not due again, and one that was not taken is not lost."""
    calendar = Calendar((A, B), 0, 100)
    assert list(islice(calendar.due(300), 3)) == [(50, A), (100, B), (150, A)]
    assert list(calendar.due(250)) == [(200, B), (250, A)]


def test_markets_that_stood_still_go_on_with_what_comes() -> None:
    """At the pace that they had; what fell due meanwhile has fallen out."""
    calendar = Calendar((A, B), 0, 100)
    calendar.skip(250)
    assert list(calendar.due(400)) == [(300, B), (350, A), (400, B)]


def test_without_markets_nothing_is_due() -> None:
    """As at a venue that is moved by real prices."""
    calendar = Calendar((), 0, 100)
    assert (calendar.next_ns(), list(calendar.due(10**20))) == (None, [])


@given(st.integers(1, 5), st.integers(1, 7), st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_how_often_it_is_asked_makes_no_difference(count: int, frame_ns: int, steps: list[int]) -> None:
    """Each market has a frame an interval, in the order of time."""
    markets = [MarketId(str(number)) for number in range(count)]
    once, often = Calendar(markets, 7, frame_ns), Calendar(markets, 7, frame_ns)
    now_ns, found = 7, list[tuple[int, MarketId]]()
    for step in steps:
        now_ns += step
        found.extend(often.due(now_ns))
    assert found == list(once.due(now_ns))
    assert [at_ns for at_ns, _ in found] == sorted(at_ns for at_ns, _ in found)
    for market in markets:
        times = [at_ns for at_ns, other in found if other == market]
        assert times == list(range(times[0], now_ns + 1, frame_ns)) if times else now_ns < 7 + frame_ns
