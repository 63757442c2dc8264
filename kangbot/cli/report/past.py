"""What a report is made of: closed trades and marked equity of a span of time, read page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import takewhile

from kangbot.machines.performance import (
    ClosedTrade,
    EquityFigures,
    Marked,
    TradeFigures,
    equity_figures,
    trade_figures,
)
from kangbot.model.money import ZERO
from kangbot.ports import Listing, Page, Row, Shelf
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.storage.opening import open_history
from kangbot.storage.url import SqliteUrl, parse

_ROWS = 2000  # a page
_MICROSECOND_NS = 1000  # the history knows times no finer


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From, and before; None is without an end."""

    since_ns: int | None
    until_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything a report shows; both lists oldest first."""

    trades: Sequence[ClosedTrade]
    marks: Sequence[Marked]
    funding: Decimal  # and whatever else moved money without a trade; negative where it was paid
    currency: str

    @property
    def total(self) -> TradeFigures:
        """What all trades came to."""
        return trade_figures(self.trades)

    @property
    def equity(self) -> EquityFigures | None:
        """What the account's equity did; None where it was never marked."""
        return equity_figures(self.marks)

    @property
    def by_market(self) -> dict[tuple[str, str], TradeFigures]:
        """What the trades of each market and strategy came to, the best first."""
        groups: dict[tuple[str, str], list[ClosedTrade]] = {}
        for trade in self.trades:
            groups.setdefault((trade.market, trade.strategy), []).append(trade)
        figures = {key: trade_figures(trades) for key, trades in groups.items()}
        return dict(sorted(figures.items(), key=lambda item: item[1].net_profit, reverse=True))


async def look(settings: Settings, span: Span) -> Found:
    """Read it, and make nothing. Retryable where the history is away, NeedsHuman where it is not ours."""
    database, url = settings.database, parse(settings.history_url)
    if isinstance(url, SqliteUrl) and not url.path.exists():
        return Found(trades=(), marks=(), funding=ZERO, currency="")
    history = open_history(
        url,
        real_world().fork("report").random,
        pool_size=1,
        connect_s=database.connect_timeout_s,
        statement_s=max(database.statement_timeout_s, 60.0),
        copies=settings.state_dir,
    )
    try:
        trips = await everything(history, Listing.ROUND_TRIPS, "closed_at", span)
        flows = await everything(history, Listing.CASH_FLOWS, "flowed_at", span)
        equity = await everything(history, Listing.EQUITY, "marked_at", span)
    finally:
        await history.aclose()
    currency = settings.currency  # the venue states each coin of the account beside it
    return Found(
        trades=[_trade(row) for row in trips],
        marks=[
            Marked(at_ns=_ns(row["marked_at"]), equity=Decimal(str(row["equity"])))
            for row in equity
            if row["currency"] == currency
        ],
        funding=sum((Decimal(str(row["amount"])) for row in flows), ZERO),
        currency=currency,
    )


async def everything(shelf: Shelf, listing: Listing, time: str, span: Span) -> list[Row]:
    """Return every row of the span, oldest first; `time` is the column that the listing is sorted by."""
    rows: list[Row] = []
    until_ns, known = span.until_ns, 0  # so many of the rows before it are there already: those of the last moment
    while True:
        page = Page(listing=listing, limit=_ROWS, offset=known, since_ns=span.since_ns, until_ns=until_ns)
        found = await shelf.page(page)
        rows += found
        if len(found) < _ROWS:
            return rows[::-1]
        # Not by an offset from the newest: the database counts all those off, and what a daemon adds would move them.
        until_ns = _ns(rows[-1][time]) + _MICROSECOND_NS
        known = _of_one_moment(rows, time)


def _of_one_moment(rows: Sequence[Row], time: str) -> int:
    """Return how many rows have the last one's time."""
    last = rows[-1][time]
    return sum(1 for _ in takewhile(lambda row: row[time] == last, reversed(rows)))


def _trade(row: Row) -> ClosedTrade:
    return ClosedTrade(
        market=str(row["market"]),
        strategy=str(row["strategy"]),
        net_profit=Decimal(str(row["net_profit"])),
        fees=Decimal(str(row["fees"])),
        closed_ns=_ns(row["closed_at"]),
    )


def _ns(text: object) -> int:
    at = datetime.fromisoformat(str(text))
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000
