"""Old marks of equity are thinned, in MariaDB and in SQLite, and whoever reads them finds the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from kangbot.machines.performance import Equity, EquityFigures, Marked
from kangbot.model.events import EquityMarked, Event, Record
from kangbot.ports import Listing, Page
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.storage.opening import Readable
from kangbot.storage.thinning import KEPT
from tests.support.databases import Database
from tests.support.folded import replayed
from tests.support.records import MINUTE_NS, NOON_NS, TAG, noted, records

HOUR_NS = 60 * MINUTE_NS
BEGAN_NS = NOON_NS // HOUR_NS * HOUR_NS
HOURS, EACH = 30, 20  # marks an hour
AGED_NS = BEGAN_NS + HOURS * HOUR_NS + KEPT // timedelta(microseconds=1) * 1000


def marked(at_ns: int, worth: int, currency: str = "USDT") -> EquityMarked:
    """Return a mark."""
    return EquityMarked(venue="bybit", currency=currency, equity=Decimal(worth), at_ns=at_ns)


def life() -> list[Record]:
    """Return hours of marks that rise and fall, with other events between them."""
    events: list[Event] = [noted(0, at_ns=BEGAN_NS)]
    for number in range(HOURS * EACH):
        at_ns = BEGAN_NS + number * HOUR_NS // EACH
        events.append(marked(at_ns, 2000 + number * 37 % 101 - number))
        if number % 7 == 0:
            events += [noted(number, at_ns=at_ns), marked(at_ns, number, "BTC")]
    return records(events)


async def stored(history: Readable, every: Sequence[Record]) -> None:
    """Store the records as a drain does, in batches."""
    for start in range(0, len(every), 100):
        await history.store(every[start : start + 100])


def figures_of(marks: Sequence[tuple[int, Decimal]]) -> EquityFigures | None:
    """Return what a report says of an equity; the newest mark first."""
    equity = Equity()
    for at_ns, worth in marks:
        equity.add(Marked(at_ns=at_ns, equity=worth))
    return equity.figures()


async def figures(history: Readable) -> EquityFigures | None:
    """Return what a report says of what the history has."""
    rows = await history.page(Page(listing=Listing.EQUITY, limit=2000))
    marks = [(str(row["marked_at"]), Decimal(str(row["equity"]))) for row in rows if row["currency"] == "USDT"]
    return figures_of([(int(datetime.fromisoformat(at).timestamp()) * 1_000_000_000, worth) for at, worth in marks])


async def recalled(history: Readable) -> list[Record]:
    """Return what a lost journal is rebuilt from."""
    every: list[Record] = []
    while more := await history.recall(TAG, every[-1].sequence if every else 0, 100):
        every += more
    return every


def kept_of(every: Sequence[Record]) -> bytes:
    """Return what the limits of loss remember."""
    risk = AccountRisk(Limits())
    for record in every:
        risk.observe(record.event)
    return risk.checkpoint()


async def test_marks_of_old_hours_go_and_what_is_said_of_them_stays(database: Database) -> None:
    """The report's figures, what a rebuilt journal remembers, and every other event."""
    history, every = database.history(), life()
    await stored(history, every)
    assert database.count("equity") == HOURS * EACH + HOURS * EACH // 7 + 1
    every += records([marked(AGED_NS, 1500)], after=len(every))
    await history.store(every[-1:])
    left = await recalled(history)
    marks = [record for record in left if isinstance(record.event, EquityMarked)]
    assert HOURS < len(marks) <= HOURS * 8 + 1
    assert [sequence for (sequence,) in database.sql("SELECT sequence FROM equity ORDER BY sequence")] == [
        mark.sequence for mark in marks
    ]
    assert [one for one in left if one not in marks] == [
        one for one in every if not isinstance(one.event, EquityMarked)
    ]
    whole = [one.event for one in reversed(every) if isinstance(one.event, EquityMarked)]
    assert await figures(history) == figures_of([(one.at_ns, one.equity) for one in whole if one.currency == "USDT"])
    assert replayed(left) == replayed(every)
    assert kept_of(left) == kept_of(every)


async def test_a_restart_goes_on_where_the_last_life_came_to(database: Database) -> None:
    """What is left of an hour is not looked at again; another journal's marks are its own."""
    every = life()
    await stored(database.history(), [*every, *records([marked(AGED_NS, 1500)], after=len(every))])
    ((thinned,),) = database.sql("SELECT thinned FROM journals")
    left = database.count("equity")
    assert thinned == every[-1].sequence
    next_life, after = database.history(), len(every) + 1
    later = [marked(AGED_NS + number * MINUTE_NS, 1500) for number in range(1, 60)]
    aged = marked(AGED_NS * 2 - BEGAN_NS, 1500)
    await stored(next_life, records(later, journal="other123"))
    await stored(next_life, records([*later, aged], after=after))
    assert database.count("equity") == left - 1 + len(later) + 2 + 1
    assert database.sql("SELECT thinned FROM journals ORDER BY tag") == [(after + len(later),), (0,)]
