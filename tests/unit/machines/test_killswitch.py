"""The kill switch's file: what it says, and what its coming and going means."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kangbot.machines.killswitch import NO_REASON, Do, FileWatch, Wish, joined, named, read, unread, wish, write
from kangbot.model.ids import MarketId

SET = Wish(reason="a reason")
FLAT = Wish(reason="a reason", flatten=True)


def test_the_content_is_the_reason() -> None:
    """Empty lines and spaces say nothing; a line `flatten` asks for flat positions; an empty file is enough."""
    assert read("") == Wish(reason=NO_REASON)
    assert read("  news\n\n at two \n") == Wish(reason="news at two")
    assert read("Flatten\n") == Wish(reason=NO_REASON, flatten=True)
    assert read("do not flatten this") == Wish(reason="do not flatten this")
    assert read("news\nflatten") == Wish(reason="news", flatten=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_who_wrote_it_on_windows_is_understood(encoding: str, end: str) -> None:
    """A mark at the beginning, two bytes a letter: whoever asks for flat positions in a hurry looks for neither."""
    for text, wanted in (
        (f"flatten{end}", Wish(reason=NO_REASON, flatten=True)),
        (f"news{end}flatten{end}", Wish(reason="news", flatten=True)),
        (f"do not flatten{end}", Wish(reason="do not flatten")),
    ):
        assert read(text.encode(encoding).decode(errors="replace")) == wanted


@example(reason="\ufeff flatten", flatten=False)
@example(reason=" \ufffd\ufffd \ufffd\x00\ufffd news", flatten=True)
@example(reason="\ufffd", flatten=False)
@example(reason=" Flatten ", flatten=False)
@given(reason=st.text(max_size=700), flatten=st.booleans())
def test_what_is_written_reads_the_same(reason: str, flatten: bool) -> None:
    """Whatever somebody types as a reason: it cannot ask for more than was asked."""
    wanted = wish(reason, flatten=flatten)
    assert read(write(wanted)) == wanted
    assert 0 < len(wanted.reason) <= 500


def test_a_letter_that_is_none_stays_a_mark() -> None:
    """Typed in another encoding: so much of the reason is not to be read, and the rest is."""
    assert wish("\ufffd", flatten=False).reason == "\ufffd"
    assert wish("K\ufffdrze", flatten=False).reason == "K\ufffdrze"


def test_a_file_that_cannot_be_read_stops_entries_and_closes_nothing() -> None:
    """It is there, which is enough for the one; nobody may guess the other. It says which file, and why."""
    wanted = unread("/state/KILL", "Permission denied")
    assert wanted == Wish(reason="the file /state/KILL cannot be read: Permission denied")


def test_the_first_reason_stays_and_flattening_is_only_added() -> None:
    """Setting the switch again changes nothing but that."""
    assert joined(None, SET) == SET
    assert joined(SET, Wish(reason="another", flatten=True)) == FLAT
    assert joined(FLAT, Wish(reason="another")) == FLAT


def test_a_file_that_appears_sets_the_switch_once() -> None:
    """The next look finds it set already; a wish to flatten that is added later is new."""
    watch, action = FileWatch().seen(SET, None)
    assert (watch.there, action) == (True, SET)
    assert watch.seen(SET, SET)[1] is Do.NOTHING
    assert watch.seen(FLAT, SET)[1] == FLAT
    assert watch.seen(SET, FLAT)[1] is Do.NOTHING


def test_a_file_that_is_gone_for_two_beats_releases() -> None:
    """One beat may be an editor at work."""
    watch, action = FileWatch(there=True).seen(None, SET)
    assert action is Do.NOTHING
    assert watch.seen(SET, SET) == (FileWatch(there=True), Do.NOTHING)
    assert watch.seen(None, SET) == (FileWatch(), Do.RELEASE)


def test_a_switch_without_its_file_gets_it_back() -> None:
    """Set, and nobody ever saw a file: its absence releases nothing, however often it is seen."""
    watch = FileWatch()
    for _ in range(3):
        watch, action = watch.seen(None, SET)
        assert action is Do.PUT


def test_no_file_and_no_switch_is_nothing() -> None:
    """Nor is a file that went with its release."""
    assert FileWatch().seen(None, None) == (FileWatch(), Do.NOTHING)
    assert FileWatch(there=True).seen(None, None) == (FileWatch(), Do.NOTHING)


def test_positions_are_named_with_their_side() -> None:
    """As a person says them; none are no words."""
    held = {MarketId("bybit:BTC-USDT:USDT"): Decimal("0.50"), MarketId("bybit:ETH-USDT:USDT"): Decimal(-3)}
    assert named(held) == "bybit:BTC-USDT:USDT long 0.50, bybit:ETH-USDT:USDT short 3"
    assert named({}) == ""
