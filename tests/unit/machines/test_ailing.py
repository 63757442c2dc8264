"""People are told of what stays critical, once."""

import hypothesis.strategies as st
from hypothesis import given

from kangbot.machines.ailing import Ailing


def told(*looks: str) -> list[tuple[str, str]]:
    """Return after each look, at the checks that are critical by one letter each, what begins and what is over."""
    ailing, answers = Ailing(), []
    for look in looks:
        ailing, begun, over = ailing.looked(frozenset(look))
        answers.append(("".join(sorted(begun)), "".join(sorted(over))))
    return answers


def test_what_stays_is_told_once_and_so_is_its_end() -> None:
    """From the second look on, and after two without it."""
    assert told("d", "d", "d", "", "", "") == [("", ""), ("d", ""), ("", ""), ("", ""), ("", "d"), ("", "")]


def test_a_moment_is_not_told() -> None:
    """Neither one of trouble nor one without."""
    assert told("d", "", "d", "") == [("", "")] * 4
    assert told("d", "d", "", "d", "", "d") == [("", ""), ("d", ""), ("", ""), ("", ""), ("", ""), ("", "")]


def test_each_check_is_told_of_by_itself() -> None:
    """A second one that joins is news."""
    assert told("d", "dm", "dm", "m", "m") == [("", ""), ("d", ""), ("m", ""), ("", ""), ("", "d")]


@given(st.lists(st.frozensets(st.sampled_from("abc")), max_size=30))
def test_beginning_and_end_take_turns(looks: list[frozenset[str]]) -> None:
    """No check ends that was not told of, and none begins twice."""
    ailing, open_ = Ailing(), set[str]()
    for look in looks:
        ailing, begun, over = ailing.looked(look)
        assert not begun & open_
        assert over <= open_
        open_ = (open_ | begun) - over
        assert open_ == ailing.told
