"""Old marks of equity are thinned, in MariaDB and in SQLite, and whoever reads them finds the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from kangbot.machines.performance import Equity, EquityFigures, Marked, Moved
from kangbot.model.events import DrawdownReset, EquityMarked, Event, Record, Transferred
from kangbot.ports import Listing, Page
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.storage.opening import Readable
from kangbot.storage.thinning import KEPT
from tests.support.databases import Database
from tests.support.folded import replayed
from tests.support.records import MINUTE_NS, NOON_NS, RESET, TAG, noted, records, transferred

SECOND_NS = MINUTE_NS // 60
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


def eventful() -> list[Record]:
    """Return two hours of marks that fall, in which money came, a drawdown was accepted, and money left."""
    moves = {500: "300", 3700: "-250"}
    events: list[Event] = [noted(0, at_ns=BEGAN_NS)]
    equity = Decimal(1000)
    for second in range(0, 7200, 20):
        at_ns = BEGAN_NS + second * SECOND_NS
        equity -= Decimal(second % 700) / 1000
        for moved_s in [each for each in moves if second - 20 <= each < second]:
            equity += Decimal(moves[moved_s])
            told = transferred(f"t{moved_s}", moves[moved_s])
            events.append(replace(told, moved_ns=BEGAN_NS + moved_s * SECOND_NS, at_ns=at_ns))
        if second in (2000, 5000):
            stated = [event for event in events if isinstance(event, EquityMarked)][-1]
            reset = replace(RESET, equity=stated.equity, equity_ns=stated.at_ns, at_ns=at_ns)
            events.append(reset)
            equity += 10  # which is the highest since
        events.append(EquityMarked(venue="bybit", currency="USDT", equity=equity, at_ns=at_ns))
    return records(events)


async def test_what_is_left_beside_what_people_did_says_the_same(database: Database) -> None:
    """The fall across a transfer, and since a drawdown was accepted; what the limits of loss remember of both."""
    history, every = database.history(), eventful()
    every += records([marked(AGED_NS, 1)], after=len(every))
    await stored(history, every)
    left = await recalled(history)
    assert len(left) < len(every) / 4
    moves = [
        Moved(at_ns=record.event.moved_ns, amount=record.event.transfer.amount)
        for record in reversed(every)
        if isinstance(record.event, Transferred)
    ]
    resets = [record.event.equity_ns for record in every if isinstance(record.event, DrawdownReset)]

    def told(of: Sequence[Record], accepted_ns: int) -> EquityFigures | None:
        equity = Equity(moves, accepted_ns)
        for record in reversed(of):
            if isinstance(record.event, EquityMarked):
                equity.add(Marked(at_ns=record.event.at_ns, equity=record.event.equity))
        return equity.figures()

    for accepted_ns in resets:
        assert told(left, accepted_ns) == told(every, accepted_ns)
    for whole, thinned in zip(drawdowns(every), drawdowns(left), strict=True):
        assert thinned == whole


def drawdowns(of: Sequence[Record]) -> list[Decimal]:
    """Return how far the limits of loss take the equity to have fallen, at what people did and in the end."""
    risk, found = AccountRisk(Limits()), list[Decimal]()
    for record in of:
        if isinstance(record.event, DrawdownReset | Transferred):
            found.append(risk.drawdown_percent)
        risk.observe(record.event)
    return [*found, risk.drawdown_percent]


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
