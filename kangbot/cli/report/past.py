"""What a report is made of: closed trades, marked equity and transfers of a span of time, read page by page."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate, takewhile

import msgspec

from kangbot.cli.report.drawn import Drawn
from kangbot.machines.performance import (
    ClosedTrade,
    Equity,
    EquityFigures,
    Marked,
    Moved,
    TradeFigures,
)
from kangbot.model.events import DrawdownReset
from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO
from kangbot.model.position import counts_in
from kangbot.ports import Listing, Page, Row, Shelf
from kangbot.risk.account import NEW_BALANCE
from kangbot.runtime.there import there
from kangbot.runtime.world import real_world
from kangbot.settings import Settings
from kangbot.storage.opening import open_history
from kangbot.storage.url import SqliteUrl, parse

_ROWS = 2000  # a page
_MICROSECOND_NS = 1000  # the history knows times no finer


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From, and before; None is without an end."""

    since_ns: int | None
    until_ns: int | None

    def __str__(self) -> str:
        """Return the days, both of which are in it, as their reader knows them: of UTC."""
        first = None if self.since_ns is None else _day(self.since_ns)
        last = None if self.until_ns is None else _day(self.until_ns - 1)
        if first and last:
            return f"{first} to {last} (UTC)"
        return f"from {first} (UTC)" if first else f"to {last} (UTC)" if last else "all time"


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A drawdown that a person accepted."""

    at_ns: int
    highest: Decimal  # from which it was
    equity: Decimal  # from which it is counted since
    stated_ns: int  # when that was so

    @property
    def amount(self) -> Decimal:
        """What was accepted."""
        return self.highest - self.equity

    @property
    def percent(self) -> float:
        """The same, of the highest."""
        return float(self.amount / self.highest * 100) if self.highest > 0 else 0.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report shows. What is drawn is oldest first, as `drawn` says."""

    span: Span
    total: TradeFigures
    by_market: Mapping[tuple[str, str], TradeFigures]  # of each market and strategy, the best first
    profits: Sequence[tuple[int, Decimal]]  # when a trade was closed, and what all had come to by then
    equity: EquityFigures | None  # None where it was never marked
    marks: Sequence[Marked]  # and the first of all
    funding: Decimal  # and whatever else was booked without a trade; negative where it was paid
    other_fees: Mapping[str, Decimal]  # paid in currencies that no profit is counted in, less received; by currency
    moves: Sequence[Moved]  # into the account and out of it, oldest first
    accepted: Sequence[Accepted]  # oldest first
    currency: str

    @property
    def moved_in(self) -> Decimal:
        """What was moved into the account."""
        return sum((move.amount for move in self.moves if move.amount and move.amount > 0), ZERO)

    @property
    def moved_out(self) -> Decimal:
        """What was moved out of it; not negative."""
        return sum((-move.amount for move in self.moves if move.amount and move.amount < 0), ZERO)


async def look(settings: Settings, span: Span) -> Found:
    """Read it, and make nothing. Retryable where the history is away, NeedsHuman where it is not ours."""
    database, url = settings.database, parse(settings.history_url)
    nothing = Found(
        span=span,
        total=TradeFigures(),
        by_market={},
        profits=(),
        equity=None,
        marks=(),
        funding=ZERO,
        other_fees={},
        moves=(),
        accepted=(),
        currency=settings.currency,
    )
    if isinstance(url, SqliteUrl) and not there(url.path):
        return nothing
    history = open_history(
        url,
        real_world().fork("report").random,
        pool_size=1,
        connect_s=database.connect_timeout_s,
        statement_s=max(database.statement_timeout_s, 60.0),
        copies=settings.state_dir,
    )
    try:
        found = await _trades(history, nothing)
        funding = ZERO
        async for row in everything(history, Listing.CASH_FLOWS, "flowed_at", span):
            funding += Decimal(str(row["amount"]))
        moves = await (_balances if settings.mode == "paper" else _transfers)(history, found)
        accepted = await _accepted(history, found)
        found = msgspec.structs.replace(found, funding=funding, other_fees=await _other_fees(history, span))
        return await _equity(history, msgspec.structs.replace(found, moves=moves[::-1], accepted=accepted[::-1]))
    finally:
        await history.aclose()


async def _trades(history: Shelf, found: Found) -> Found:
    total, groups = TradeFigures(), dict[tuple[str, str], TradeFigures]()
    sums = Drawn[tuple[int, Decimal]](lambda newer, older: (newer[0], newer[1] + older[1]))
    async for row in everything(history, Listing.ROUND_TRIPS, "closed_at", found.span):
        trade = _trade(row)
        total = total.plus(trade)
        key = (trade.market, trade.strategy)
        groups[key] = groups.get(key, TradeFigures()).plus(trade)
        sums.add(trade.closed_ns, (trade.closed_ns, trade.net_profit))
    drawn = sums.points()
    profits = list(zip((at_ns for at_ns, _ in drawn), accumulate(each for _, each in drawn), strict=True))
    by_market = dict(sorted(groups.items(), key=lambda item: item[1].net_profit, reverse=True))
    return msgspec.structs.replace(found, total=total, by_market=by_market, profits=profits)


async def _other_fees(history: Shelf, span: Span) -> Mapping[str, Decimal]:
    fees: dict[str, Decimal] = {}
    async for row in everything(history, Listing.FILLS, "filled_at", span):
        currency = str(row["fee_currency"])
        if not counts_in(MarketId(str(row["market"])), currency):
            fees[currency] = fees.get(currency, ZERO) + Decimal(str(row["fee"]))
    return dict(sorted(fees.items()))


async def _transfers(history: Shelf, found: Found) -> Sequence[Moved]:
    """Return what was moved at the venue in the report's money, newest first."""
    return [
        Moved(at_ns=_ns(row["moved_at"]), amount=Decimal(str(row["amount"])))
        async for row in everything(history, Listing.TRANSFERS, "moved_at", found.span)
        if row["currency"] == found.currency
    ]


async def _balances(history: Shelf, found: Found) -> Sequence[Moved]:
    """Return when a simulated account was given another balance, newest first."""
    return [
        Moved(at_ns=_ns(row["at"]), amount=None)
        async for row in everything(history, Listing.EVENTS, "at", found.span)
        if row["kind"] == NEW_BALANCE
    ]


async def _accepted(history: Shelf, found: Found) -> Sequence[Accepted]:
    """Return the drawdowns in the report's money that were accepted, newest first."""
    resets = [
        msgspec.json.decode(str(row["body"]), type=DrawdownReset)
        async for row in everything(history, Listing.DRAWDOWN_RESETS, "at", found.span)
    ]
    return [
        Accepted(
            at_ns=reset.at_ns,
            highest=reset.highest,
            equity=reset.equity,
            stated_ns=(reset.equity_ns or reset.at_ns) // _MICROSECOND_NS * _MICROSECOND_NS,
        )
        for reset in resets
        if reset.currency == found.currency
    ]


async def _equity(history: Shelf, found: Found) -> Found:
    """Return it with the equity in its currency: the venue states each coin of the account beside it."""
    accepted_ns = found.accepted[-1].stated_ns if found.accepted else None
    equity, drawn, first = Equity(found.moves[::-1], accepted_ns), Drawn[Marked](lambda newer, _: newer), None
    async for row in everything(history, Listing.EQUITY, "marked_at", found.span):
        if row["currency"] == found.currency:
            first = mark = Marked(at_ns=_ns(row["marked_at"]), equity=Decimal(str(row["equity"])))
            equity.add(mark)
            drawn.add(mark.at_ns, mark)
    marks = list(drawn.points())
    if first is not None and first is not marks[0]:
        marks.insert(0, first)
    return msgspec.structs.replace(found, equity=equity.figures(), marks=marks)


async def everything(shelf: Shelf, listing: Listing, time: str, span: Span) -> AsyncIterator[Row]:
    """Yield every row of the span, newest first; `time` is the column that the listing is sorted by.

    A page at a time is held: years of trading leave more rows than a small server has memory for.
    """
    until_ns, known = span.until_ns, 0  # so many of the rows before it are there already: those of the last moment
    while True:
        page = Page(listing=listing, limit=_ROWS, offset=known, since_ns=span.since_ns, until_ns=until_ns)
        found = await shelf.page(page)
        for row in found:
            yield row
        if len(found) < _ROWS:
            return
        # Not by an offset from the newest: the database counts all those off, and what a daemon adds would move them.
        before_ns, until_ns = until_ns, _ns(found[-1][time]) + _MICROSECOND_NS
        known = _of_one_moment(found, time) + (known if until_ns == before_ns else 0)


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


def _day(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 1_000_000_000, UTC):%Y-%m-%d}"


def _ns(text: object) -> int:
    at = datetime.fromisoformat(str(text))
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000
