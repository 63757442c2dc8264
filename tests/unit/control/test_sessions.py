"""Sessions: what a cookie opens, for how long, and that nobody but the daemon can write one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.control.access import Access
from kangbot.control.sessions import LIFE_S, MOST_ENDED, Sessions
from kangbot.runtime.world import SECOND_NS, Clock

KEY = b"one key"
NOW = 1_790_000_000 * SECOND_NS


def sessions(now_ns: int = NOW, key: bytes = KEY) -> Sessions:
    """A daemon's sessions at that moment."""
    return Sessions(Clock(lambda: 0, now_ns), key)


@pytest.mark.parametrize("access", [Access.READ, Access.CONTROL])
def test_a_session_outlives_the_daemon(access: Access) -> None:
    """The next daemon with the same tokens knows the cookie and what it may do."""
    cookie = sessions().begin(access)
    assert sessions(NOW + 5 * SECOND_NS).access(cookie) is access


def test_new_tokens_end_every_session() -> None:
    """Whoever replaces a token shuts out whoever came in by the old one."""
    assert sessions(key=b"another").access(sessions().begin(Access.CONTROL)) is Access.OPEN


def test_a_session_ends_by_itself() -> None:
    """A cookie that was stolen is worth nothing for ever."""
    cookie = sessions().begin(Access.READ)
    assert sessions(NOW + LIFE_S * SECOND_NS - 1).access(cookie) is Access.READ
    assert sessions(NOW + LIFE_S * SECOND_NS).access(cookie) is Access.OPEN


def test_a_session_that_was_ended_stays_ended_and_the_others_go_on() -> None:
    """Two browsers have two sessions."""
    one = sessions()
    first, second = one.begin(Access.READ), one.begin(Access.READ)
    assert first != second
    one.end(first)
    one.end("nonsense")
    assert one.access(first) is Access.OPEN
    assert one.access(second) is Access.READ


def test_what_was_ended_is_bounded() -> None:
    """The oldest is forgotten where somebody logs in and out for ever."""
    one = sessions()
    cookies = [one.begin(Access.READ) for _ in range(MOST_ENDED + 1)]
    for cookie in cookies:
        one.end(cookie)
    assert [one.access(cookie) for cookie in (cookies[0], cookies[1], cookies[-1])] == [
        Access.READ,
        Access.OPEN,
        Access.OPEN,
    ]


@given(st.text(max_size=120))
def test_nothing_that_is_made_up_opens_anything(cookie: str) -> None:
    """Whatever is sent, of whatever alphabet."""
    assert sessions().access(cookie) is Access.OPEN


@given(st.data())
def test_a_cookie_with_one_letter_changed_opens_nothing(data: st.DataObject) -> None:
    """Neither the right nor the time can be written into it."""
    cookie = sessions().begin(Access.READ)
    place = data.draw(st.integers(0, len(cookie) - 1))
    letter = data.draw(st.characters().filter(lambda drawn: drawn != cookie[place]))
    assert sessions().access(cookie[:place] + letter + cookie[place + 1 :]) is Access.OPEN
