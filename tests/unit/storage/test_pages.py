"""No page of the history sorts a table."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kangbot.model.ids import MarketId
from kangbot.ports import Listing, Page
from kangbot.storage.migrate import upgrade
from kangbot.storage.pages import SQLITE, statement
from kangbot.storage.url import SqliteUrl

# Of no market, or never asked for by one.
_OF_NONE = (Listing.EQUITY, Listing.CASH_FLOWS, Listing.TRANSFERS, Listing.DRAWDOWN_RESETS)
_OF_ONE = [listing for listing in Listing if listing not in (*_OF_NONE, Listing.BARS)]
_OF_ALL = [listing for listing in Listing if listing is not Listing.BARS]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database."""
    path = tmp_path_factory.mktemp("pages") / "history.sqlite"
    upgrade(SqliteUrl(path=path))
    return path


@pytest.mark.parametrize(
    "page",
    [
        *(Page(listing=listing) for listing in _OF_ALL),
        *(Page(listing=listing, market=MarketId("v:A")) for listing in _OF_ONE),
        Page(listing=Listing.BARS, market=MarketId("v:A"), timeframe_s=60),
    ],
    ids=lambda page: f"{page.listing.value}-{page.market or 'all'}",
)
def test_a_page_is_read_along_an_index(file: Path, page: Page) -> None:
    """The newest hundred of a million rows cost a hundred rows, and those before them are counted along the index."""
    text, arguments = statement(page, SQLITE)
    with closing(sqlite3.connect(file)) as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", arguments)]
    first, *sorts = plan
    assert "INDEX" in first
    assert not sorts
