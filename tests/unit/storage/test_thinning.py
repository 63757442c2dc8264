"""Old marks of equity go, hour by hour, and what is said of them stays true."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.events import EquityMarked, Event
from kangbot.storage.projection import time_of
from kangbot.storage.thinning import KEPT, PORTION, Act, Mark, Thinned, Thinning, acts, thin
from tests.support.records import NOON_NS, noted, records

FIRST = datetime(2026, 1, 31, 12)  # noqa: DTZ001 -- as the databases keep times
LATER = FIRST + timedelta(days=365)
HOUR = timedelta(hours=1)


def marks(*worths: int, every: timedelta = timedelta(minutes=10), currency: str = "USDT") -> list[Mark]:
    """Return marks of these equities, one after another."""
    return [
        Mark(number, "bybit", currency, Decimal(worth), FIRST + (number - 1) * every)
        for number, worth in enumerate(worths, 1)
    ]


def marked(at_ns: int) -> Event:
    """Return a mark as it is journalled."""
    return EquityMarked(venue="bybit", currency="USDT", equity=Decimal(1), at_ns=at_ns)


def test_of_an_hour_the_first_the_last_and_the_extremes_stay() -> None:
    """Six marks an hour; the hour that the last ones are of may not be over."""
    thinned = thin(marks(5, 4, 9, 1, 3, 6, 7, 7, 7, 7, 7, 7, 1), LATER, 0)
    assert thinned == Thinned(surplus=[2, 5, 8, 9, 10, 11], up_to=12, more=False)


@pytest.mark.parametrize("moved", [0, 1])
def test_an_hour_in_which_people_did_something_is_cut_in_two_there(moved: int) -> None:
    """Its highest before and its highest after stay, whatever was moved; beside a transfer all stay, for a minute."""
    worths = (5, 4, 9, 6, 7, 8, 20, 21, 29, 22, 28, 23)
    every = [
        *marks(*worths, every=timedelta(minutes=4)),
        Mark(13, "bybit", "USDT", Decimal(1), FIRST + HOUR),
    ]
    did = [Act(moved, FIRST + timedelta(minutes=23))]
    assert thin(every, LATER, 0).surplus == [3, 4, 5, 6, 7, 8, 10, 11]
    assert thin(every, LATER, 0, did).surplus == [4, 5, 8, 10, 11]
    text = [Act(moved, f"{act.at}.000000") for act in did]
    assert thin(every, LATER, 0, text) == thin(every, LATER, 0, did)
    dense = [*marks(*range(30), every=timedelta(seconds=10)), every[-1]._replace(sequence=31)]
    twice = [Act(0, FIRST + timedelta(seconds=5)), Act(moved, FIRST + timedelta(seconds=155))]
    assert thin(dense, LATER, 0, twice).surplus == [*range(3, 11 if moved else 16), *range(23 if moved else 18, 30)]
    assert thin(dense, LATER, 0, reversed(twice)) == thin(dense, LATER, 0, twice)  # a database has its own order


def test_an_hour_that_nothing_follows_yet_waits() -> None:
    """More marks of it may come."""
    assert thin(marks(5, 4, 9, 6), LATER, 7) == Thinned(surplus=[], up_to=7, more=False)


def test_people_are_asked_about_a_minute_beyond_the_marks() -> None:
    """A transfer right before the first of them, or after the last, is beside it as well."""
    text, arguments = acts("?", marks(5, 4, 9))
    assert text.count("?") == len(arguments)
    assert arguments == ("2026-01-31 11:59:00.000000", "2026-01-31 12:21:00.000000") * 2


def test_each_currency_has_its_own() -> None:
    """One that is worth little is not hidden by another."""
    dollars, coins = marks(5, 6, 7, 8, 9), marks(3, 2, 1, 2, 3, currency="BTC")
    mixed = [mark._replace(sequence=number) for number, mark in enumerate((*dollars, *coins), 1)]
    later = Mark(11, "bybit", "USDT", Decimal(1), FIRST + HOUR)
    assert thin([*mixed, later], LATER, 0).surplus == [2, 3, 4, 7, 9]


def test_both_databases_tell_the_same() -> None:
    """SQLite gives text for amounts and times."""
    exact = marks(5, 40, 9, 1, 3, 6, 7)
    text = [mark._replace(equity=str(mark.equity), marked_at=f"{mark.marked_at}.000000") for mark in exact]
    assert thin(text, LATER, 0) == thin(exact, LATER, 0) == Thinned(surplus=[3, 5], up_to=6, more=False)


def test_the_newest_hours_stay_whole() -> None:
    """From the hour of the bound on."""
    assert thin(marks(*range(20)), FIRST + HOUR + timedelta(minutes=59), 0).up_to == 6
    assert thin(marks(*range(20)), FIRST + timedelta(minutes=59), 7) == Thinned(surplus=[], up_to=7, more=False)
    assert thin([], LATER, 7) == Thinned(surplus=[], up_to=7, more=False)


def test_a_whole_portion_may_not_be_all() -> None:
    """It ends within an hour, which waits for the next; unless it is all of one hour."""
    many = thin(marks(*[1] * PORTION), LATER, 0)
    assert (many.up_to, many.more) == (PORTION - PORTION % 6, True)
    dense = thin(marks(*[1] * PORTION, every=timedelta(seconds=1)), LATER, 0)
    assert (dense.up_to, dense.more, len(dense.surplus)) == (PORTION, True, PORTION - 2)
    young = thin(marks(*[1] * PORTION), FIRST + HOUR, 0)
    assert (young.up_to, young.more) == (6, False)


def test_a_look_follows_a_mark_an_hour_after_the_last_one() -> None:
    """Other records bring none; a look that left something is followed by the next mark."""
    thinning = Thinning()
    assert thinning.due(records([noted(1)])) is None
    before = thinning.due(records([noted(1), marked(NOON_NS)]))
    assert before == time_of(NOON_NS) - KEPT
    thinning.done(before, Thinned(up_to=1, more=True))
    second, hour = 1_000_000_000, 3_600_000_000_000
    assert thinning.due(records([marked(NOON_NS + second)])) == before + timedelta(seconds=1)
    thinning.done(before, Thinned(up_to=1, more=False))
    assert thinning.due(records([marked(NOON_NS + hour - second)])) is None
    assert thinning.due(records([marked(NOON_NS + hour)])) == before + HOUR


@given(st.lists(st.integers(1, 50), min_size=1, max_size=100))
def test_the_deepest_fall_between_hours_and_the_highest_stay(worths: list[int]) -> None:
    """A fall within one hour that rises above its beginning again is all that may look smaller."""
    every = marks(*worths)
    gone = set(thin(every, LATER, 0).surplus)
    kept = [mark for mark in every if mark.sequence not in gone]
    assert max(mark.equity for mark in kept) == max(worths)
    assert (kept[0], kept[-1]) == (every[0], every[-1])
    assert _fall(every, apart=True) <= _fall(kept, apart=False) <= _fall(every, apart=False)


def _fall(of: list[Mark], *, apart: bool) -> Decimal:
    """Return the deepest fall; `apart`: from an earlier hour to a later one."""
    falls = [
        Decimal(high.equity) - Decimal(low.equity)
        for high, low in combinations(of, 2)
        if not apart or high.hour != low.hour
    ]
    return max([Decimal(0), *falls])
