"""What `ports.History` promises, in MariaDB and in SQLite."""

import asyncio
import random
from datetime import datetime
from decimal import Decimal

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.model.events import EquityMarked, Event, StopSet
from kangbot.model.orders import OrderStatus
from tests.support.databases import Database
from tests.support.records import (
    AWKWARD,
    CLIENT,
    EVERY,
    MARKET,
    NOON_NS,
    TAG,
    bar_stored,
    changed,
    fill_applied,
    intended,
    noted,
    records,
    transferred,
)

NOON = datetime(2026, 9, 21, 14, 13, 20, 123456)  # noqa: DTZ001 -- the columns hold UTC without saying so
TABLES = (
    "orders",
    "fills",
    "cash_flows",
    "transfers",
    "round_trips",
    "positions",
    "run_states",
    "bars",
    "equity",
    "events",
)


async def test_new_history_has_nothing(bare: Database) -> None:
    """The schema is made on the first use."""
    assert await bare.history().stored(TAG) == 0
    for table in TABLES:
        assert bare.count(table) == 0


async def test_every_event_is_a_row_that_a_trader_can_query(database: Database) -> None:
    """Each kind in its table, amounts to the last of 18 decimals, times in UTC to the microsecond."""
    history = database.history()
    await history.store(records(EVERY))
    assert await history.stored(TAG) == len(EVERY)
    assert database.row("client_id, number, side, quantity, price, stop, reason", "orders") == (
        CLIENT, 1, "buy", Decimal("0.010"), Decimal("64000.5"), Decimal("63000.25"), AWKWARD,
    )  # fmt: skip
    assert database.row("status, filled, average", "orders") == (
        "filled", Decimal("0.010"), Decimal("64000.123456789012345678"),
    )  # fmt: skip
    assert database.row("execution_id, price, fee, maker, net_after, filled_at", "fills") == (
        "x-1", Decimal("64000.500000000000000001"), Decimal("-0.000000000000000003"), 1, Decimal("0.010"),
        datetime(2026, 9, 21, 14, 13, 20, 125456),  # noqa: DTZ001 -- as above
    )  # fmt: skip
    assert database.row("market, net, entry_price, stop", "positions") == (
        MARKET, Decimal("0.010"), Decimal("64000.5"), Decimal("63000.25"),
    )  # fmt: skip
    assert database.row("strategy, entry_price, exit_price, profit, fees, net_profit, opened_at", "round_trips") == (
        "ema_cross", Decimal("33.333333333333333333"), Decimal("66.666666666666666667"),
        Decimal(1), Decimal("0.25"), Decimal("0.75"), NOON,
    )  # fmt: skip
    assert database.row("kind, amount, currency", "cash_flows") == ("Funding", Decimal("-0.12"), "USDT")
    assert database.row("venue, transfer_id, amount, currency, moved_at", "transfers") == (
        "bybit", "transfer-1", Decimal("-250.000000000000000001"), "USDT", NOON,
    )  # fmt: skip
    assert database.row("previous, state, reason, changed_at", "run_states") == ("warming", "live", AWKWARD, NOON)
    assert database.row("timeframe_s, low, volume", "bars") == (
        60, Decimal("0.00000001"), Decimal("12345678901234567.123"),
    )  # fmt: skip
    assert database.row("equity", "equity") == (Decimal("10000.000000000000000009"),)
    assert database.count("events") == len(EVERY) - 1  # all but the bar
    told = database.sql("SELECT at_ns, message FROM events WHERE kind = 'feed.silent' AND severity = 'warning'")
    assert told == [(NOON_NS, AWKWARD)]


async def test_storing_again_changes_nothing(database: Database) -> None:
    """The same records, a part of them, or an overlap: each event counts once, and older ones undo nothing."""
    history = database.history()
    everything = records(EVERY)
    await history.store(everything)
    before = {table: sorted(map(repr, database.sql(f"SELECT * FROM {table}"))) for table in TABLES}
    await history.store(everything)
    await history.store(everything[:2])
    await database.history().store(everything[1:5])
    await history.store([])
    assert {table: sorted(map(repr, database.sql(f"SELECT * FROM {table}"))) for table in TABLES} == before
    more = records([noted(1)], after=len(EVERY))
    await history.store([*everything[3:], *more])
    assert database.count("events") == len(EVERY)
    assert await history.stored(TAG) == len(EVERY) + 1


async def test_a_database_whose_mark_is_ahead_swallows_nothing(database: Database) -> None:
    """Somebody put a later copy in place, or raised the mark: what it would pass over is not what it has."""
    history = database.history()
    await history.store(records([noted(1), noted(2)]))
    database.sql("UPDATE journals SET `stored` = 4")
    with pytest.raises(NeedsHuman, match=r"it has record 3 of journal .*, and has it not"):
        await history.store(records([noted(3), noted(4), noted(5)], after=2))
    with pytest.raises(NeedsHuman, match=r"it has record 2 of journal .*, and it is another one"):
        await history.store(records([noted(7)], after=1))
    assert database.count("events") == 2
    database.sql("UPDATE journals SET `stored` = 2")
    await history.store(records([noted(3), noted(4), noted(5)], after=2))
    assert database.count("events") == 5


async def test_any_cut_into_batches_gives_the_same_rows(database: Database) -> None:
    """Batches of every size, repeated and overlapping, end in the rows that one batch would have given."""
    steps = [OrderStatus.SENT, OrderStatus.ACKED, OrderStatus.PARTIAL, OrderStatus.UNKNOWN, OrderStatus.FILLED]
    events: list[Event] = [
        intended(),
        *[changed(status, filled=f"0.00{place}") for place, status in enumerate(steps)],
        *[fill_applied(f"x-{place}", net=f"0.00{place}") for place in range(5)],
        StopSet(market=MARKET, price=Decimal(1), at_ns=NOON_NS),
        *[bar_stored(place) for place in range(5)],
        *[noted(place) for place in range(20)],
        StopSet(market=MARKET, price=None, at_ns=NOON_NS),
        fill_applied("x-9", net="0", entry=None),
    ]
    everything, draw, history = records(events), random.Random(5), database.history()
    stored = 0
    while stored < len(everything):
        start = draw.randrange(max(0, stored - 4), stored + 1)
        end = draw.randrange(start, len(everything)) + 1
        await history.store(everything[start:end])
        stored = max(stored, end)
        assert await history.stored(TAG) == stored
    assert database.row("status, filled, sequence", "orders") == ("filled", Decimal("0.004"), 6)
    assert database.row("net, entry_price, stop", "positions") == (Decimal(0), None, None)
    assert database.count("fills") == 6
    assert database.count("bars") == 5
    assert database.count("events") == len(events) - 5


async def test_missing_record_is_refused(database: Database) -> None:
    """A gap would be a loss nobody sees: NeedsHuman, and nothing of the batch is stored."""
    history = database.history()
    await history.store(records([noted(1)]))
    with pytest.raises(NeedsHuman, match="up to 1 and is offered record 3"):
        await history.store(records([noted(3), noted(4)], after=2))
    assert await history.stored(TAG) == 1
    with pytest.raises(ValueError, match="several journals"):
        await history.store([*records([noted(1)]), *records([noted(1)], journal="other123")])


async def test_journals_are_counted_each_for_itself(database: Database) -> None:
    """One that was begun anew in the same folder; an execution told by both is one row, the first."""
    history = database.history()
    await history.store(records([fill_applied("x-1", net="1")]))
    await history.store(records([noted(1), fill_applied("x-1", net="2")], journal="other123"))
    assert (await history.stored(TAG), await history.stored("other123")) == (1, 2)
    assert database.row("net_after, journal", "fills") == (Decimal(1), TAG)


async def test_a_transfer_is_one_row_however_often_it_is_told(database: Database) -> None:
    """Also by a journal that was begun anew; each by its id, whatever the letters' case."""
    history = database.history()
    await history.store(records([transferred("t-1", "5"), transferred("T-1", "-7")]))
    await history.store(records([transferred("t-1", "5")], journal="other123"))
    assert database.sql("SELECT transfer_id, journal FROM transfers ORDER BY sequence") == [("t-1", TAG), ("T-1", TAG)]


async def test_a_second_daemon_is_refused_while_the_first_one_lives(database: Database) -> None:
    """By name; the first one does not notice. An hour after its last record the second takes over, and stays."""
    first, second = database.history("vps-1:/var/lib/kangbot"), database.history("vps-2:/var/lib/kangbot")
    await first.store(records([fill_applied("x-1", net="1")]))
    theirs = records([fill_applied("y-1", net="-7")], journal="other123")
    named = rf"^{database.url} is written by another kangbot: vps-1:/var/lib/kangbot, journal {TAG}, \d+ s ago$"
    for call in (second.stored("other123"), second.store(theirs)):
        with pytest.raises(NeedsHuman, match=named):
            await call
    assert database.row("net, journal", "positions") == (Decimal(1), TAG)
    assert database.sql("SELECT tag FROM journals") == [(TAG,)]
    await first.store(records([noted(2)], after=1))
    database.sql("UPDATE journals SET written_at = '2026-01-01 00:00:00.000000'")
    await second.store(theirs)
    for call in (first.stored(TAG), first.store(records([noted(3)], after=2))):
        with pytest.raises(NeedsHuman, match="is written by another kangbot: vps-2"):
            await call
    assert await second.stored("other123") == 1


async def test_cancelled_calls_are_harmless(database: Database) -> None:
    """Cancelled at any moment, sent again: everything is there once, and later calls do not hang."""
    history, draw = database.history(), random.Random(3)
    everything = records([noted(number) for number in range(400)])
    await history.stored(TAG)
    for start in range(0, 400, 10):
        batch = everything[: start + 10][-15:]
        for _ in range(3):
            task = asyncio.create_task(history.store(batch))
            await asyncio.sleep(draw.random() * 0.002)
            task.cancel()
        async with asyncio.timeout(120):
            await history.store(batch)
    assert await history.stored(TAG) == 400
    assert database.count("events") == 400


async def test_two_writers_of_one_journal_do_not_double(database: Database) -> None:
    """An old call that still runs and its repetition from another process end in one copy."""
    everything = records([noted(number) for number in range(60)])
    histories = [database.history() for _ in range(3)]
    await histories[0].stored(TAG)
    for start in range(0, 60, 6):
        async with asyncio.timeout(120):
            await asyncio.gather(*(history.store(everything[start : start + 6]) for history in histories))
    assert await histories[1].stored(TAG) == 60
    assert database.count("events") == 60


async def test_long_words_are_cut_and_kept_whole_in_the_body(database: Database) -> None:
    """A venue's endless message must not stop the drain."""
    long = "é" * 100_000
    await database.history().store(records([noted(1, message=long)]))
    message, body = database.sql("SELECT message, body FROM events")[0]
    assert message == long[:4000]
    assert long in body


async def test_amounts_beyond_the_column_are_rounded_at_the_last_decimal_or_refused(database: Database) -> None:
    """Averages have more digits than DECIMAL(38,18): half to even at the 18th; a full 38 digits are kept."""
    history = database.history()
    whole = Decimal("12345678901234567890.123456789012345678")
    long = Decimal("0.0000000000000000005000000000000001")
    marks = [EquityMarked(venue="v", currency="c", equity=value, at_ns=NOON_NS) for value in (whole, -whole, long)]
    await history.store(records(marks))
    found = [Decimal(value) for (value,) in database.sql("SELECT equity FROM equity ORDER BY sequence")]
    assert found == [whole, -whole, Decimal("0.000000000000000001")]


async def test_newer_schema_is_refused_in_words(database: Database) -> None:
    """A later kangbot made it: nothing is read or written."""
    await database.history().stored(TAG)
    database.sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NeedsHuman, match=rf"^{database.url} .*9999; this kangbot knows revisions up to"):
        await database.history().stored(TAG)


async def test_database_put_in_place_anew_is_prepared_again(database: Database) -> None:
    """Somebody emptied it while we ran: one call fails, then the schema is made again and all is offered anew."""
    history = database.history()
    await history.store(records([noted(1)]))
    for table in (*TABLES, "journals", "alembic_version"):
        database.sql(f"DROP TABLE {table}")
    with pytest.raises(NeedsHuman, match="journals"):
        await history.store(records([noted(2)], after=1))
    assert await history.stored(TAG) == 0
    await history.store(records([noted(1), noted(2)]))
    assert database.count("events") == 2


async def test_closed_history_answers_and_does_not_hang(database: Database) -> None:
    """Closing is safe twice; afterwards it is simply away."""
    history = database.history()
    await history.store(records([noted(1)]))
    await history.aclose()
    await history.aclose()
    with pytest.raises(Retryable, match="closed"):
        await history.stored(TAG)
    unused = database.history()
    await unused.aclose()


async def test_old_candles_may_be_removed_by_hand(database: Database) -> None:
    """A person makes room while the daemon stores: nothing is stored again, and nothing is missed."""
    history = database.history()
    await history.store(records([bar_stored(), noted(1)]))
    database.sql("DELETE FROM bars WHERE opened_at < '2027-01-01'")
    assert database.count("bars") == 0
    await history.store(records([bar_stored(), noted(1), noted(2)]))
    assert (database.count("bars"), database.count("events")) == (0, 2)
    assert await history.stored(TAG) == 3


async def test_of_bars_the_newest_are_kept(database: Database) -> None:
    """They are nearly all of a history: the oldest go as newer ones are stored, and nothing else does."""
    history = database.history(keep_bars=3)
    await history.store(records([bar_stored(minute) for minute in range(10)]))
    assert database.count("bars") == 3
    await history.store(records([bar_stored(minute) for minute in range(10)] + [bar_stored(10), noted(1)]))
    assert database.count("bars") == 3
    assert [sequence for (sequence,) in database.sql("SELECT sequence FROM bars ORDER BY opened_at")] == [9, 10, 11]
    assert await history.stored(TAG) == 12
    assert database.count("events") == 1


async def test_a_history_that_was_never_cleared_is_cleared_in_portions(database: Database) -> None:
    """So many that one statement would hold the others up; whatever is stored next takes the rest along."""
    full = database.history()
    await full.store(records([bar_stored(minute) for minute in range(4500)]))
    await full.aclose()
    history = database.history(keep_bars=100)
    counts = []
    for newest in range(4501, 4505):
        await history.store(records([bar_stored(minute) for minute in range(newest)]))
        counts.append(database.count("bars"))
    assert counts == [2501, 502, 100, 100]


async def test_who_ends_in_order_leaves_the_database_to_whoever_comes(database: Database) -> None:
    """Emptied or elsewhere, a successor need not wait until the last record is an hour old; killed, it must."""
    first, second = database.history("here"), database.history("there")
    await first.store(records([noted(1)], journal="first123"))
    with pytest.raises(NeedsHuman, match="is written by another kangbot: here, journal first123"):
        await second.stored("second12")
    await first.aclose()
    assert await second.stored("second12") == 0
    await second.store(records([noted(1)], journal="second12"))
    assert database.count("events") == 2


async def test_a_copied_state_folder_is_told_by_who_wrote_before(database: Database) -> None:
    """Two daemons with one journal: the second looks like one that was moved, the first knows that it was not."""
    first, copy = database.history("here"), database.history("there")
    await first.store(records([noted(1)], journal="same1234"))
    await copy.store(records([noted(1), noted(2)], journal="same1234"))
    with pytest.raises(NeedsHuman, match="from another kangbot as well: there") as told:
        await first.store(records([noted(1), noted(3)], journal="same1234"))
    assert "stop one of the two, now" in told.value.remedy
    await copy.aclose()
    assert await first.stored("same1234") == 2
