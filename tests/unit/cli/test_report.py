"""`kangbot report` over a real history file: figures, JSON, and one HTML file."""

import asyncio
import errno
import json
import os
import shutil
import stat
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
import typer

from kangbot.cli.offline import settings_of
from kangbot.cli.report import command, page
from kangbot.cli.report.past import Found, Span, everything, look
from kangbot.errors import ConfigInvalid, Retryable
from kangbot.model.events import (
    CashFlowApplied,
    DrawdownReset,
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
from tests.support.trade_words import fill, funding

DAY_NS = 24 * 3600 * 1_000_000_000
CONFIG = """
mode = "sandbox"
[defaults]
strategy = "ema_cross"
timeframe = "1m"
size = 10
[[markets]]
symbol = "BTC/USDT:USDT"
"""


@pytest.fixture(scope="module")
def twelve_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of twelve days: a closed trade and a mark of the equity each."""
    events: list[Event] = []
    usual = round_trip()
    for day in range(12):
        at_ns = NOON_NS + day * DAY_NS
        profit = Decimal(10 if day % 3 else -6)
        trip = msgspec.structs.replace(usual.trip, profit=profit, fees=Decimal(1), closed_ns=at_ns)
        events.append(RoundTripClosed(trip=trip, strategy="ema_cross", at_ns=at_ns))
        equity = Decimal(1000 + day * 5 - (20 if day % 3 == 0 else 0))
        flow = msgspec.structs.replace(funding(f"f{day}", "-0.125" if day else "0.5"), at_ns=at_ns)
        events.append(CashFlowApplied(flow=flow, at_ns=at_ns))
        events.append(EquityMarked(venue="bybit", currency="USDT", equity=equity, at_ns=at_ns))
        coins = [EquityMarked(venue="bybit", currency="SHIB", equity=Decimal(9 + n), at_ns=at_ns) for n in range(2)]
        events += coins  # of a spot market, stated more often than the money
    url = SqliteUrl(path=tmp_path_factory.mktemp("twelve") / "history.sqlite")

    async def store() -> None:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records(events))
        await history.aclose()

    asyncio.run(store())
    return url.path


@pytest.fixture
def config(tmp_path: Path, twelve_days: Path) -> Path:
    """A configuration whose history is a copy of that."""
    (tmp_path / "state").mkdir()
    shutil.copy(twelve_days, tmp_path / "state")
    path = tmp_path / "kangbot.toml"
    path.write_text(CONFIG)
    return path


def figures(config: Path, capsys: pytest.CaptureFixture[str], **options: str) -> dict[str, object]:
    """Return what `--json` prints."""
    start, end = options.get("start"), options.get("end")
    assert command(config, start=start, end=end, html=None, as_json=True) == 0
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said


def test_profit_is_after_fees_and_exact(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eight wins of nine, four losses of seven."""
    said = figures(config, capsys)
    total = said["total"]
    assert isinstance(total, dict)
    assert (total["trades"], total["wins"], Decimal(total["net_profit"])) == (12, 8, Decimal(8 * 9 - 4 * 7))
    equity = said["equity"]
    assert isinstance(equity, dict)
    assert equity["sharpe"] is not None
    assert said["currency"] == "USDT"


def test_a_span_of_days_includes_both_ends(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three days are three trades."""
    total = figures(config, capsys, start="2026-09-22", end="2026-09-24")["total"]
    assert isinstance(total, dict)
    assert total["trades"] == 3


def test_a_report_says_of_which_days_it_is_and_in_which_money(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ends are in it; without one, what there is on that side."""
    for start, end, said in (
        (None, None, "all time"),
        ("2026-09-22", None, "from 2026-09-22 (UTC)"),
        (None, "2026-09-24", "to 2026-09-24 (UTC)"),
        ("2026-09-22", "2026-09-24", "2026-09-22 to 2026-09-24 (UTC)"),
    ):
        assert command(config, start=start, end=end, html=None, as_json=False) == 0
        lines = [line.strip("│ \n").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
        assert ["time", said] in lines
        assert ["money", "USDT"] in lines


def test_a_day_that_is_none_is_told_in_one_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example of what is taken, as wrong usage; so are days the wrong way round."""
    with pytest.raises(typer.BadParameter, match="--from takes a day such as 2026-11-01, not 'yesterday'"):
        command(config, start="yesterday", end=None, html=None, as_json=False)
    with pytest.raises(typer.BadParameter, match="--to 2026-11-01 is before --from 2026-11-02"):
        command(config, start="2026-11-02", end="2026-11-01", html=None, as_json=False)
    assert capsys.readouterr().out == ""


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


def test_funding_is_told_beside_the_profit(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was received less what was paid in the span; trades are without it."""
    assert figures(config, capsys)["funding"] == str(Decimal("0.5") - 11 * Decimal("0.125"))
    assert figures(config, capsys, start="2026-09-22", end="2026-09-24")["funding"] == "-0.375"
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    assert "funding            -0.88" in capsys.readouterr().out


def test_the_calendar_s_first_and_last_day_are_days(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything lies between them."""
    assert figures(config, capsys, start="0001-01-01", end="9999-12-31") == figures(config, capsys)


def test_a_history_that_is_away_may_be_there_later(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says so, as that of every command does; a configuration that is wrong has its own."""
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    with pytest.raises(Retryable):
        command(config, start=None, end=None, html=None, as_json=False)
    config.write_text("")
    with pytest.raises(ConfigInvalid):
        command(config, start=None, end=None, html=None, as_json=False)


def test_looking_makes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no daemon ran yet there is no history: root would leave one that the service may not write."""
    shutil.rmtree(config.parent / "state")
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    assert capsys.readouterr().out == "Nothing was traded in that time.\n"
    assert [path.name for path in config.parent.iterdir()] == [config.name]


def test_no_figure_is_cut_in_a_narrow_terminal(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a name broken: it stands in a line of its own above its figures, where both do not fit."""
    for columns in (60, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert command(config, start=None, end=None, html=None, as_json=False) == 0
        said = capsys.readouterr().out
        assert "…" not in said
        (row,) = (line for line in said.splitlines() if "bybit:BTC-USDT:USDT" in line)
        assert "ema_cross" in row
        assert ("+44.00" in row) == (columns == 120)


def test_the_table_names_market_and_strategy(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And an empty span says so."""
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    out = capsys.readouterr().out
    assert "+44.00" in out
    assert "ema_cross" in out
    assert command(config, start="2020-01-01", end="2020-01-02", html=None, as_json=False) == 0
    assert "Nothing was traded" in capsys.readouterr().out


def test_the_page_needs_nothing_else(config: Path, tmp_path: Path) -> None:
    """Plots and table in one file, without an address of another."""
    target = tmp_path / "report.html"
    assert command(config, start=None, end=None, html=target, as_json=False) == 0
    text = target.read_text()
    assert 'id="equity"' in text
    for name, figure in (("time", "all time"), ("money", "USDT"), ("profit factor", "2.57"), ("funding", "-0.88")):
        assert f"<dt>{name}</dt><dd>{figure}</dd>" in text
    assert "+44.00" in text
    assert "<script src" not in text
    assert command(config, start=None, end=None, html=tmp_path / "no" / "folder.html", as_json=False) == 1


def test_a_full_disk_leaves_the_page_that_is_there(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Yesterday's page is better than half of today's; a new one is open to whom the old one was."""
    page, link = tmp_path / "page" / "report.html", tmp_path / "report.html"
    page.parent.mkdir()
    page.write_text("yesterday")
    page.chmod(0o600)
    link.symlink_to(page)
    write = partial(command, config, start=None, end=None, html=link, as_json=False)
    with monkeypatch.context() as without_room:
        without_room.setattr(os, "fsync", full)
        assert write() == 1
    said = f"{link} cannot be written: No space left on device. "
    assert capsys.readouterr().err == f"{said}Make room there, or name a place on another disk.\n"
    assert (page.read_text(), list(page.parent.iterdir())) == ("yesterday", [page])
    assert write() == 0
    assert link.is_symlink()
    assert (stat.S_IMODE(page.stat().st_mode), 'id="equity"' in page.read_text()) == (0o600, True)


def full(_handle: int) -> None:
    """Be a disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_page_that_is_passed_on_replaces_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the shell has opened for us keeps what stands in it, and the word of it is not in the page."""
    log = tmp_path / "log"
    with log.open("a") as opened:
        opened.write("before\n")
        opened.flush()
        handle = Path(f"/dev/fd/{opened.fileno()}")
        assert command(config, start=None, end=None, html=handle, as_json=False) == 0
    assert log.read_text().startswith("before\n<!")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"written to {handle}\n")
    assert command(config, start=None, end=None, html=Path("/dev/full"), as_json=False) == 1
    assert Path("/dev/full").is_char_device()


def test_a_telephones_terminal_gets_every_figure(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A telephone's has 40 columns: its lines are wrapped there, and nothing is left out here."""
    monkeypatch.setenv("COLUMNS", "40")
    assert command(config, start=None, end=None, html=None, as_json=False) == 0
    said = capsys.readouterr().out
    assert "…" not in said
    row = next(line for line in said.splitlines() if "12.00" in line and "%" in line)
    assert row.split()[-2:] == ["+9.00", "-7.00"]


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


def test_what_a_person_accepted_is_told_beside_the_deepest_drawdown(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what fell since, which is what the limit goes by; in the report's money, of its days, the newest three."""
    url = SqliteUrl(path=config.parent / "state" / "history.sqlite")
    later_ns, minute_ns = (NOON_NS // DAY_NS + 20) * DAY_NS, 60_000_000_000

    def reset(highest: int, equity: int, minute: int, *, currency: str = "USDT", dated: bool = True) -> DrawdownReset:
        return DrawdownReset(
            currency=currency,
            highest=Decimal(highest),
            equity=Decimal(equity),
            equity_ns=later_ns + (minute - 1) * minute_ns if dated else 0,
            caller="ann",
            at_ns=later_ns + minute * minute_ns,
        )

    events: list[Event] = [
        EquityMarked(venue="bybit", currency="USDT", equity=Decimal(equity), at_ns=later_ns + minute * minute_ns)
        for minute, equity in enumerate((1000, 900, 800, 790, 750, 760, 720, 740))
    ]
    events += [reset(9, 8, 6, currency="BTC"), reset(1000, 750, 5)]
    day = {"start": "2026-10-11", "end": "2026-10-11"}

    def store(journal: str, *events: Event) -> None:
        async def stored() -> None:
            history = SqliteHistory(url.path, partial(upgrade_apart, url))
            await history.store(records(events, journal=journal))
            await history.aclose()

        asyncio.run(stored())

    before = figures(config, capsys)
    assert before["accepted_drawdowns"] == []
    assert isinstance(before["equity"], dict)
    assert before["equity"]["drawdown_since_accepted"] is None
    store("another", *events)
    said = figures(config, capsys, **day)
    assert said["accepted_drawdowns"] == [
        {
            "at_ns": later_ns + 5 * minute_ns,
            "highest": "1000",
            "equity": "750",
            "drawdown": "250",
            "drawdown_percent": 25.0,
        }
    ]
    equity = said["equity"]
    assert isinstance(equity, dict)
    assert (equity["drawdown"], equity["drawdown_percent"]) == ("280", 28.0)
    assert equity["drawdown_since_accepted"] == "40"
    assert equity["drawdown_since_accepted_percent"] == pytest.approx(40 / 760 * 100)
    html = tmp_path / "report.html"
    assert command(config, **day, html=html, as_json=False) == 0
    assert "<dt>accepted</dt><dd>250.00 (25.00 %), 1,000.00 to 750.00, 2026-10-11 00:05 UTC</dd>" in html.read_text()
    assert '["2026-10-11T00:05:00+00:00", "drawdown of 25.00 % accepted"]' in html.read_text()
    assert "dotted: a drawdown was accepted)" in html.read_text()
    store("a third", *(reset(0 if minute == 7 else 770, -1, minute, dated=False) for minute in (6, 7, 8)))
    capsys.readouterr()
    assert command(config, **day, html=None, as_json=False) == 0
    lines = [line.strip("│ \n").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line[0] in ("deepest", "accepted")] == [
        ["deepest", "drawdown   280.00 (28.00 %)"],
        ["accepted", "before    1 more"],
        ["accepted", "771.00 (100.13 %), 770.00 to -1.00, 2026-10-11 00:06 UTC"],
        ["accepted", "1.00 (0.00 %), 0.00 to -1.00, 2026-10-11 00:07 UTC"],
        ["accepted", "771.00 (100.13 %), 770.00 to -1.00, 2026-10-11 00:08 UTC"],
        ["deepest", "since      0.00 (0.00 %)"],
    ]


def closed(number: int, at: int | None = None) -> RoundTripClosed:
    """A trade that is closed a second after the one before it, or at that second; its profit is its number."""
    at_ns = NOON_NS + (number if at is None else at) * 1_000_000_000
    trip = msgspec.structs.replace(round_trip().trip, profit=Decimal(number), closed_ns=at_ns)
    return RoundTripClosed(trip=trip, strategy="ema_cross", at_ns=at_ns)
