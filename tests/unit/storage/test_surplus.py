"""Old bars go a portion at a time, and a look costs nothing where nothing can be too old."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from kangbot.model.events import Record
from kangbot.model.ids import MarketId
from kangbot.storage.surplus import PORTION, Surplus
from tests.support.records import MARKET, bar_stored, noted, records

FIRST = datetime.fromtimestamp(bar_stored().bar.open_ns / 1e9, UTC).replace(tzinfo=None)


def minute(number: int) -> list[Record]:
    """Return the record of the bar of this minute."""
    return records([bar_stored(number)])


def test_the_newest_are_kept() -> None:
    """Ten of a minute, so what opened more than nine minutes before the newest goes."""
    (cut,) = Surplus(10).due(minute(100))
    assert (cut.market, cut.timeframe_s, cut.before) == (MARKET, 60, FIRST + timedelta(minutes=91))


def test_the_newest_is_that_of_all_that_came_together() -> None:
    """A market that was away brings older ones behind it."""
    (cut,) = Surplus(10).due([*minute(100), *minute(50)])
    assert cut.before == FIRST + timedelta(minutes=91)


def test_more_days_than_the_calendar_has_are_kept() -> None:
    """Nothing is too old then: a time before all times would end the transaction, and the history would stay behind."""
    bar = bar_stored()
    (cut,) = Surplus(1_000_000).due(records([replace(bar, bar=replace(bar.bar, timeframe_s=86_400))]))
    assert cut.before == datetime(1970, 1, 1)  # noqa: DTZ001 -- as the history has its times: of UTC, and without it


def test_zero_keeps_all() -> None:
    """Nothing is ever looked at."""
    assert Surplus(0).due(minute(100)) == []


def test_it_looks_again_after_a_hundredth_of_what_is_kept() -> None:
    """Not with each bar, and only at what brought one."""
    surplus = Surplus(1000)
    (cut,) = surplus.due(minute(0))
    surplus.removed(cut, 0)
    assert surplus.due(minute(9)) == []
    assert surplus.due(records([noted(1)])) == []
    (cut,) = surplus.due(minute(10))
    assert cut.before == FIRST + timedelta(minutes=10 - 999)


def test_after_a_whole_portion_there_may_be_more() -> None:
    """The next records that are stored, whatever they are, take the next portion along."""
    surplus = Surplus(10)
    (cut,) = surplus.due(minute(100))
    surplus.removed(cut, PORTION)
    assert surplus.due(records([noted(1)])) == [cut]
    surplus.removed(cut, PORTION - 1)
    assert surplus.due(records([noted(1)])) == []


def test_a_transaction_that_failed_is_made_up_for() -> None:
    """Nobody has said that the rows are gone."""
    surplus = Surplus(10)
    assert surplus.due(minute(100)) == surplus.due(minute(100)) != []


def test_many_markets_take_turns() -> None:
    """A transaction has a few statements of it at most, and no market is left out."""
    surplus = Surplus(10)
    bar = bar_stored()
    new = records([replace(bar, bar=replace(bar.bar, market=MarketId(f"v:{number}"))) for number in range(20)])
    seen: list[str] = []
    while cuts := surplus.due(new):
        assert len(cuts) <= 8
        new = []
        for cut in cuts:
            seen.append(cut.market)
            surplus.removed(cut, 0)
    assert seen == [f"v:{number}" for number in range(20)]


@pytest.mark.parametrize("minutes", [1_000_000, -1_000_000])
def test_a_bar_of_another_time_removes_nothing_that_is_newer(minutes: int) -> None:
    """One that is said to open years from now would have all others go; one of long ago is no newest one."""
    surplus = Surplus(10)
    (cut,) = surplus.due(records([replace(bar_stored(minutes), at_ns=bar_stored(100).at_ns)]))
    assert cut.before <= FIRST + timedelta(minutes=92)
