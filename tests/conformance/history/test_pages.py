"""What `ports.Shelf` promises, in MariaDB and in SQLite: the same pages out of both."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from kangbot.errors import NeedsHuman, Retryable
from kangbot.model.events import DrawdownReset, EquityMarked, Event, OrderIntended
from kangbot.model.ids import ClientId, MarketId
from kangbot.ports import Listing, Page
from tests.support.databases import Database, Mariadb
from tests.support.records import (
    CLIENT,
    EVERY,
    MARKET,
    NOON_NS,
    RESET,
    bar_stored,
    cash_flow,
    fill_applied,
    intended,
    noted,
    records,
    round_trip,
    transferred,
)

# Of no market, or never asked for by one.
_OF_NONE = (Listing.EQUITY, Listing.CASH_FLOWS, Listing.TRANSFERS, Listing.DRAWDOWN_RESETS)


@pytest.mark.parametrize("listing", Listing)
async def test_an_empty_history_has_empty_pages(database: Database, listing: Listing) -> None:
    """Nothing was traded yet: that is no error."""
    assert await database.history().page(Page(listing=listing)) == []


async def test_every_listing_has_its_rows_as_plain_values(database: Database) -> None:
    """Amounts are exact text, times are ISO 8601 in UTC, what is absent is None."""
    history = database.history()
    await history.store(records(EVERY))
    (order,) = await history.page(Page(listing=Listing.ORDERS))
    assert (order["client_id"], order["status"], order["quantity"]) == (CLIENT, "filled", "0.01")
    assert order["average"] == "64000.123456789012345678"
    (fill,) = await history.page(Page(listing=Listing.FILLS, market=MARKET))
    assert (fill["fee"], fill["filled_at"]) == ("-0.000000000000000003", "2026-09-21T14:13:20.125456Z")
    (trip,) = await history.page(Page(listing=Listing.ROUND_TRIPS))
    assert (trip["net_profit"], trip["exit_price"]) == ("0.75", "66.666666666666666667")
    (flow,) = await history.page(Page(listing=Listing.CASH_FLOWS))
    assert (flow["kind"], flow["amount"], flow["currency"]) == ("Funding", "-0.12", "USDT")
    (moved,) = await history.page(Page(listing=Listing.TRANSFERS))
    assert moved == {
        "venue": "bybit",
        "transfer_id": "transfer-1",
        "amount": "-250.000000000000000001",
        "currency": "USDT",
        "moved_at": "2026-09-21T14:13:20.123456Z",
    }
    (reset,) = await history.page(Page(listing=Listing.DRAWDOWN_RESETS))
    assert reset["at"] == "2026-09-21T14:13:20.123456Z"
    assert msgspec.json.decode(str(reset["body"]), type=DrawdownReset) == RESET
    (bar,) = await history.page(Page(listing=Listing.BARS, market=MARKET, timeframe_s=60))
    assert isinstance(bar["timeframe_s"], int)
    assert await history.page(Page(listing=Listing.EQUITY)) != []


async def test_ordinary_events_are_told_from_the_others_by_an_index(database: Database) -> None:
    """Of all markets and of one: between two of them may be thousands of orders and fills, and none is passed over."""
    await database.history().store(records(EVERY))
    if isinstance(database, Mariadb):
        found = database.sql("SHOW INDEX FROM events")
        columns = [(str(row[2]), str(row[4])) for row in sorted(found, key=lambda row: int(row[3]))]
    else:
        names = [str(row[1]) for row in database.sql("PRAGMA index_list(events)")]
        columns = [(name, str(row[2])) for name in names for row in database.sql(f"PRAGMA index_info({name})")]
    indexes = {tuple(column for index, column in columns if index == name) for name, _ in columns}
    assert indexes - {("journal", "sequence")} == {
        ("listed", "at"),
        ("market", "listed", "at"),
    }  # each costs at every event
    where = "WHERE listed = 1" if isinstance(database, Mariadb) else "INDEXED BY events_listed_at WHERE listed = 1"
    events = await database.history().page(Page(listing=Listing.EVENTS))
    assert database.sql(f"SELECT count(*) FROM events {where}") == [(len(events),)]
    assert 0 < len(events) < database.count("events")


async def test_another_market_has_none_of_them(database: Database) -> None:
    """A page of one market shows that one only."""
    history = database.history()
    await history.store(records(EVERY))
    for listing in (Listing.ORDERS, Listing.FILLS, Listing.ROUND_TRIPS, Listing.EVENTS, Listing.BARS):
        assert await history.page(Page(listing=listing, market=MarketId("v:other"))) == []


async def test_a_page_can_be_of_a_span_of_time(database: Database) -> None:
    """From the first moment on, up to before the last, to the microsecond."""
    history = database.history()
    await history.store(records([noted(number, at_ns=NOON_NS + number * 1000) for number in range(6)]))
    page = Page(listing=Listing.EVENTS, since_ns=NOON_NS + 2000, until_ns=NOON_NS + 4000)
    assert [row["message"] for row in await history.page(page)] == ["a note 3", "a note 2"]


async def test_events_leave_out_what_the_other_listings_tell(database: Database) -> None:
    """And say the rest in words."""
    history = database.history()
    await history.store(records(EVERY))
    events = await history.page(Page(listing=Listing.EVENTS))
    kinds = {event["kind"] for event in events}
    assert "run_state_changed" in kinds
    assert not kinds & {"order_intended", "order_changed", "fill_applied", "equity_marked"}
    assert all(event["message"] for event in events)


async def test_pages_follow_each_other_newest_first(database: Database) -> None:
    """Offset by offset, without a row twice or left out."""
    history = database.history()
    await history.store(records([noted(number, message="number") for number in range(10)]))
    seen = []
    for offset in range(0, 12, 4):
        page = await history.page(Page(listing=Listing.EVENTS, limit=4, offset=offset))
        seen += [str(row["message"]) for row in page]
    assert seen == [f"number {number}" for number in reversed(range(10))]


@pytest.mark.parametrize("listing", Listing)
async def test_a_page_far_from_the_newest_is_what_comes_after_the_pages_before(
    database: Database, listing: Listing
) -> None:
    """Whichever way the database finds it; of one market likewise, where the listing can be of one."""
    rows = 7
    history = database.history()
    await history.store(records([event for number in range(rows) for event in _each(number)]))
    for market in (None, MARKET) if listing not in _OF_NONE else (None,):
        whole = await history.page(Page(listing=listing, market=market))
        more = 2 * (listing is Listing.EVENTS and market is None)  # what is of no market: transfers, resets
        assert len(whole) == rows * (1 + more)
        for offset in range(len(whole) + 2):
            page = Page(listing=listing, market=market, limit=2, offset=offset)
            assert await history.page(page) == whole[offset : offset + 2]


def _each(number: int) -> Sequence[Event]:
    """Return one event for each listing, a second after those of the number before."""
    at_ns = NOON_NS + number * 1_000_000_000
    order = ClientId(f"{CLIENT}{number}")
    fill, flow = fill_applied(f"x-{number}"), cash_flow(f"f-{number}")
    return (
        OrderIntended(intent=replace(intended(order).intent, at_ns=at_ns), at_ns=at_ns),
        replace(fill, fill=replace(fill.fill, at_ns=at_ns)),
        replace(flow, flow=replace(flow.flow, at_ns=at_ns)),
        replace(round_trip(), trip=replace(round_trip().trip, closed_ns=at_ns)),
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(number), at_ns=at_ns),
        replace(transferred(f"t-{number}"), moved_ns=at_ns),
        replace(RESET, at_ns=at_ns),
        noted(number, at_ns=at_ns),
        bar_stored(number),
    )


async def test_a_history_that_is_away_may_be_asked_again(database: Database) -> None:
    """Retryable, for every listing; a reader who left meanwhile leaves the next one his page."""
    history = database.history()
    await history.store(records(EVERY))
    leaving = asyncio.ensure_future(history.page(Page(listing=Listing.EVENTS)))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await history.page(Page(listing=Listing.EVENTS))
    await history.aclose()
    for listing in Listing:
        with pytest.raises(Retryable):
            await history.page(Page(listing=listing))


async def test_the_pages_of_another_schema_call_a_person(database: Database) -> None:
    """A later version's tables may say the same words and mean something else."""
    database.sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NeedsHuman, match="revision 9999"):
        await database.history().page(Page(listing=Listing.ORDERS))
