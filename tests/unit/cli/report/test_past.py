"""What a report is made of, read page by page."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kangbot.cli.offline import settings_of
from kangbot.cli.report import command, page
from kangbot.cli.report.past import Found, Span, everything, look
from kangbot.model.events import (
    EquityMarked,
    Event,
    FillApplied,
    Noted,
    RoundTripClosed,
    Severity,
    Transferred,
)
from kangbot.model.ids import MarketId
from kangbot.ports import Listing, Page, Row, Shelf
from kangbot.risk.account import NEW_BALANCE
from kangbot.storage.migrate import upgrade_apart
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import SqliteUrl
from tests.support.records import NOON_NS, records, round_trip, transferred
from tests.support.trade_words import fill
from tests.support.twelve_days import CONFIG, DAY_NS, figures


def test_a_span_of_days_includes_both_ends(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three days are three trades."""
    total = figures(config, capsys, start="2026-09-22", end="2026-09-24")["total"]
    assert isinstance(total, dict)
    assert total["trades"] == 3


def test_fees_in_other_currencies_are_summed_by_themselves(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows their price: they are in no other figure. Fees in the money or in the traded coin are in profits."""
    before = figures(config, capsys)
    assert before["other_fees"] == {}
    paid = (("BTC-USDT:USDT", "MNT", "1.25"), ("BTC-USDT:USDT", "USDT", "3"), ("BTC-USDT", "BTC", "0.001"))
    fills = [
        FillApplied(
            fill=msgspec.structs.replace(
                fill(f"e{number}", 1, fee=fee), market=MarketId(f"bybit:{market}"), fee_currency=currency, at_ns=NOON_NS
            ),
            net=Decimal(1),
            entry=None,
            at_ns=NOON_NS,
        )
        for number, (market, currency, fee) in enumerate(
            (*paid, ("BTC-USDT", "MNT", "-0.25"), ("BTC-USDT", "BNB", "0.0000001"))
        )
    ]
    url = SqliteUrl(path=tmp_path / "state" / "history.sqlite")

    async def store() -> None:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records(fills, journal="another"))
        await history.aclose()

    asyncio.run(store())
    said = figures(config, capsys)
    assert said == {**before, "other_fees": {"BNB": "0.0000001", "MNT": "1.00"}}
    assert figures(config, capsys, start="2026-09-25")["other_fees"] == {}
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    out = capsys.readouterr().out
    assert "fees in MNT        1, in no other figure" in out
    assert "fees in BNB        0.0000001, in no other figure" in out


async def test_a_trade_that_is_closed_while_the_report_is_read_counts_once_or_not_at_all(tmp_path: Path) -> None:
    """A daemon adds one between any two pages, on top of what is counted off from there."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    history = SqliteHistory(url.path, partial(upgrade_apart, url))
    trips = [closed(number) for number in range(2_510)]

    class Growing:
        """The shelf of a daemon that goes on trading."""

        def __init__(self) -> None:
            self.stored = 2_500

        async def page(self, page: Page) -> Sequence[Row]:
            found = await history.page(page)
            self.stored += 1
            await history.store(records(trips[self.stored - 1 : self.stored], after=self.stored - 1))
            return found

    await history.store(records(trips[:2_500]))
    rows = await read(Growing())
    await history.aclose()
    assert [row["profit"] for row in rows] == [str(number) for number in range(2_500)]


@pytest.mark.parametrize("at_once", [700, 4_500])
async def test_years_are_read_page_by_page_and_not_from_the_newest_each_time(tmp_path: Path, at_once: int) -> None:
    """A database goes over every row that a page leaves out. Of one moment many may have been closed."""
    url = SqliteUrl(path=tmp_path / "history.sqlite")
    history = SqliteHistory(url.path, partial(upgrade_apart, url))
    left_out: list[int] = []

    class Watched:
        """The history, whose pages are looked at."""

        async def page(self, page: Page) -> Sequence[Row]:
            left_out.append(page.offset)
            return await history.page(page)

    trips = [closed(number, at=number // at_once) for number in range(6_500)]
    for start in range(0, 6_500, 500):
        await history.store(records(trips[start : start + 500], after=start))
    rows = await read(Watched())
    await history.aclose()
    assert sorted(int(str(row["profit"])) for row in rows) == [*range(6_500)]
    assert len(left_out) > 3
    assert max(left_out) <= at_once


async def read(shelf: Shelf) -> list[Row]:
    """Return every row, oldest first."""
    span = Span(since_ns=None, until_ns=None)
    return [row async for row in everything(shelf, Listing.ROUND_TRIPS, "closed_at", span)][::-1]


def test_of_years_a_point_each_quarter_of_an_hour_is_kept_to_be_drawn(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The equity is marked every minute, a million times in two years; figures are of every mark all the same."""
    del capsys
    url = SqliteUrl(path=config.parent / "state" / "history.sqlite")
    later_ns = (NOON_NS // DAY_NS + 20) * DAY_NS
    dip = [
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(equity), at_ns=later_ns + minute * 60_000_000_000)
        for minute, equity in enumerate((1000, 10, 1000, 990))
    ]
    trips = [closed(number) for number in range(20 * 86_400, 20 * 86_400 + 3)]

    async def found() -> Found:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records([*dip, *trips], journal="another"))
        await history.aclose()
        return await look(settings_of(config), Span(since_ns=later_ns, until_ns=None))

    seen = asyncio.run(found())
    assert [mark.equity for mark in seen.marks] == [Decimal(1000), Decimal(990)], (
        "the first, and the last of its quarter"
    )
    summed = sum(trip.trip.net_profit for trip in trips)
    assert seen.profits == [(trips[-1].trip.closed_ns // 1000 * 1000, summed)], "nothing is drawn before it was earned"
    assert seen.equity is not None
    assert (seen.equity.first, seen.equity.last, seen.equity.drawdown) == (Decimal(1000), Decimal(990), Decimal(990))


def test_another_balance_on_paper_is_no_drawdown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever takes half of the money has lost nothing; a fall on either side of it is one."""
    del capsys
    url = SqliteUrl(path=config.parent / "state" / "history.sqlite")
    config.write_text(CONFIG.replace("sandbox", "paper"))
    later_ns = (NOON_NS // DAY_NS + 20) * DAY_NS
    events: list[Event] = [
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(equity), at_ns=later_ns + minute * 60_000_000_000)
        for minute, equity in ((0, 1000), (1, 980), (3, 500), (4, 470), (6, 2000), (7, 1990))
    ]
    events += [
        Noted(kind=kind, severity=Severity.INFO, market=None, message="", at_ns=later_ns + minute * 60_000_000_000)
        for minute, kind in ((2, NEW_BALANCE), (5, NEW_BALANCE), (5, "daemon.started"))
    ]

    async def found() -> Found:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records(events, journal="another"))
        await history.aclose()
        return await look(settings_of(config), Span(since_ns=later_ns, until_ns=None))

    seen = asyncio.run(found())
    assert seen.equity is not None
    assert (seen.equity.first, seen.equity.last, seen.equity.drawdown) == (Decimal(1000), Decimal(1990), Decimal(30))
    assert page.render(seen).count('"another balance"') == 2, "the line has two steps, and says why"


def moved(amount: str, at_ns: int, currency: str = "USDT") -> Transferred:
    """Money that was brought, or taken where it is negative; the journal heard of it a minute later."""
    told = transferred(f"t-{at_ns}", amount)
    transfer = msgspec.structs.replace(told.transfer, currency=currency)
    return msgspec.structs.replace(told, transfer=transfer, moved_ns=at_ns, at_ns=at_ns + 60_000_000_000)


def test_what_was_moved_is_told_and_is_no_drawdown(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the report's money and of its days; a line, and a mark in the plot, only where there was any."""
    url = SqliteUrl(path=config.parent / "state" / "history.sqlite")
    later_ns, minute_ns = (NOON_NS // DAY_NS + 20) * DAY_NS, 60_000_000_000
    assert figures(config, capsys)["moved_in"] == "0"
    assert command(config, start=None, end=None, html=tmp_path / "before.html", as_json=False) == 0
    assert "moved in, out" not in (tmp_path / "before.html").read_text() + capsys.readouterr().out
    events: list[Event] = [
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(equity), at_ns=later_ns + minute * minute_ns)
        for minute, equity in ((0, 1000), (1, 980), (3, 480), (4, 470), (6, 1970), (7, 1990))
    ]
    events += [
        moved("-500", later_ns + 2 * minute_ns),
        moved("1500.5", later_ns + 5 * minute_ns),
        moved("3", later_ns + 5 * minute_ns + 1, "BTC"),
        moved("7", later_ns + DAY_NS),
    ]

    async def store() -> None:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records(events, journal="another"))
        await history.aclose()

    asyncio.run(store())
    said = figures(config, capsys, start="2026-10-11", end="2026-10-11")
    assert (said["moved_in"], said["moved_out"]) == ("1500.5", "500")
    assert said["equity"] == {
        "first": "1000",
        "last": "1990",
        "drawdown": "30.5",
        "drawdown_percent": pytest.approx(30.5 / (1970 + 30.5) * 100),
        "drawdown_since_accepted": None,
        "drawdown_since_accepted_percent": None,
        "sharpe": None,
    }
    html = tmp_path / "report.html"
    assert command(config, start="2026-10-11", end="2026-10-11", html=html, as_json=False) == 0
    text = html.read_text()
    capsys.readouterr()
    assert "<dt>moved in, out</dt><dd>1,500.50, 500.00</dd>" in text
    assert (
        '["2026-10-11T00:02:00+00:00", "500.00 moved out"], ["2026-10-11T00:05:00+00:00", "1,500.50 moved in"]' in text
    )
    assert command(config, start="2026-10-12", end="2026-10-12", html=None, as_json=False) == 0
    assert "moved in, out      7.00, 0.00" in capsys.readouterr().out


def closed(number: int, at: int | None = None) -> RoundTripClosed:
    """A trade that is closed a second after the one before it, or at that second; its profit is its number."""
    at_ns = NOON_NS + (number if at is None else at) * 1_000_000_000
    trip = msgspec.structs.replace(round_trip().trip, profit=Decimal(number), closed_ns=at_ns)
    return RoundTripClosed(trip=trip, strategy="ema_cross", at_ns=at_ns)
