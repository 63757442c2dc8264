"""What `ports.History` promises of storing, asked of every adapter, whatever is behind it."""

from kangbot.ports import History
from tests.support.records import TAG, noted, records


async def test_what_was_stored_is_counted_from_the_first_to_the_last(history: History) -> None:
    """Nothing at first; then the highest sequence of that journal."""
    assert await history.stored(TAG) == 0
    await history.store(records([noted(number) for number in range(1, 8)]))
    assert await history.stored(TAG) == 7
    await history.store(records([noted(number) for number in range(8, 10)], after=7))
    assert await history.stored(TAG) == 9


async def test_records_may_be_sent_again(history: History) -> None:
    """All of them, or the older half after the newer: what is stored stays stored."""
    everything = records([noted(number) for number in range(1, 8)])
    for part in (everything, everything, everything[:3], everything[3:]):
        await history.store(part)
        assert await history.stored(TAG) == 7


async def test_closing_twice_is_closing(history: History) -> None:
    """Bounded in time, and harmless."""
    await history.store(records([noted(1)]))
    await history.aclose()
    await history.aclose()
