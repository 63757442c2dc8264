"""What the dashboard shows, room by room, and what its buttons do."""

import re
import time
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from kangbot.health.report import Report
from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO
from tests.support.accessibility import violations
from tests.support.dashboard import Daemon, log_in, picture

pytestmark = [pytest.mark.process, pytest.mark.browser]


def test_27_markets_are_live_behind_the_token(page: Page, daemon: Daemon) -> None:
    """A wrong token is told; the right one shows the board, and the board moves."""
    page.goto(daemon.url)
    page.get_by_label("Access token").fill("x" * 43)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert").filter(has_text="not the daemon's")).to_be_visible()
    log_in(page, daemon)
    expect(page.locator(".board tbody .badge", has_text="live")).to_have_count(27)
    expect(page.locator(".tile", has_text="Markets live")).to_contain_text("27/27")
    expect(page.locator(".tile", has_text="Equity")).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d; the line"))
    price = page.locator(".board tbody tr").first.locator("td.n").first
    before = price.inner_text()
    expect(price).not_to_have_text(before)
    page.wait_for_timeout(3000)  # so that the picture has lines in it
    picture(page, "board")


def test_the_score_has_its_reasons_beside_it_and_all_is_never_well_while_a_check_is_not(
    page: Page, daemon: Daemon
) -> None:
    """Most entry lanes are isolated, so the breakers are critical: the status, the score, and which check it is.

    The System room has every check, also of a daemon whose answer about its health is an error to a probe.
    """
    log_in(page, daemon)
    health = page.locator(".tile", has=page.get_by_text("Health", exact=True))
    expect(health).to_contain_text(re.compile(r"Score \d+ of 100"))
    isolated = [market.market for market in daemon.client.report().markets][:14]
    try:
        for market in isolated:
            daemon.client.tell(f"/isolate-circuit-breaker/{market}", {"lane": "entry"})
        expect(health).to_contain_text("Act now")
        reason = health.get_by_role("listitem").filter(has_text="Breakers (14 markets)")
        expect(reason).to_contain_text("and 11 more")
        expect(health).not_to_contain_text("Score 100 of 100")
        picture(page, "critical")
        page.get_by_role("link", name="System", exact=True).click()
        check = page.get_by_role("row").filter(has=page.get_by_role("cell", name="Breakers", exact=True))
        expect(check.locator(".badge")).to_have_text("critical")
        page.get_by_role("link", name="Markets", exact=True).click()
        for market in isolated[1:]:
            daemon.client.tell(f"/reset-circuit-breaker/{market}")
        expect(health.get_by_role("listitem").filter(has_text="Breakers (1 market)")).to_be_visible()
        expect(health).not_to_contain_text("All is well")
    finally:
        for market in isolated:
            daemon.client.tell(f"/reset-circuit-breaker/{market}")
    expect(health).not_to_contain_text("Breakers (")


def test_a_configuration_that_is_wrong_is_told_above_every_view(page: Page, daemon: Daemon) -> None:
    """With its line and key, until it is put right; what waits for a restart is told quietly."""
    log_in(page, daemon)
    right = daemon.config.read_text()
    try:
        daemon.config.write_text(right.replace("leverage = 2", "levrage = 2", 1))
        wrong = page.locator("#config-problem")
        expect(wrong).to_contain_text("levrage")
        expect(wrong).to_contain_text("the last accepted version runs")
        expect(page.locator(".tile", has=page.get_by_text("Health", exact=True))).not_to_contain_text("All is well")
        page.get_by_role("link", name="System", exact=True).click()
        expect(wrong).to_be_visible()
        picture(page, "wrong_config")
        daemon.config.write_text(right.replace("grace_s = 60", "grace_s = 61", 1))
        expect(wrong).to_be_hidden()
        expect(page.locator("#config-restart")).to_contain_text("shutdown.grace_s: 60")
    finally:
        daemon.config.write_text(right)
    expect(page.locator("#config-restart")).to_be_hidden()


def test_a_stop_button_stops_its_market_and_a_start_button_starts_it(page: Page, daemon: Daemon) -> None:
    """The daemon says so too, not only the page."""
    log_in(page, daemon)
    row = page.locator(".board tbody tr", has_text="ALGO/USDT")
    row.get_by_role("button", name="Stop ALGO/USDT").click()
    expect(row.locator(".badge")).to_have_text("stopped")
    states = {str(market.symbol): market.state for market in daemon.client.report().markets}
    assert states["ALGO/USDT:USDT"] == "stopped"
    row.get_by_role("button", name="Start ALGO/USDT").click()
    expect(row.locator(".badge")).to_have_text("live")


def test_the_kill_switch_asks_first_and_is_released_from_the_banner(page: Page, daemon: Daemon) -> None:
    """No changes nothing; yes is told at the top of every view until it is released."""
    log_in(page, daemon)
    page.get_by_role("button", name="Kill switch").click()
    page.get_by_role("button", name="Cancel").click()
    assert not daemon.client.report().killed
    page.get_by_role("button", name="Kill switch").click()
    page.get_by_role("button", name="Set the kill switch").click()
    expect(page.locator("#banner")).to_contain_text("The kill switch is set")
    assert daemon.client.report().killed
    picture(page, "killed")
    page.locator("#banner").get_by_role("button", name="Release").click()
    page.locator("dialog").get_by_role("button", name="Release").click()
    expect(page.locator("#banner")).to_be_hidden()
    assert not daemon.client.report().killed


def test_a_market_has_a_page_with_its_candles_and_what_happened(page: Page, daemon: Daemon) -> None:
    """The chart is drawn out of the history, and the events are told in words; a stop far away squeezes no candle."""
    log_in(page, daemon)
    page.get_by_role("link", name="BTC/USDT", exact=True).click()
    expect(page.locator("main h1")).to_have_text("BTC/USDT")
    expect(page.locator(".chart .cartesianlayer .trace.boxes")).to_have_count(1)
    candles, frame = (page.locator(f".chart .cartesianlayer {part}").first for part in (".trace.boxes", ".gridlayer"))
    drawn, whole = candles.bounding_box(), frame.bounding_box()
    assert drawn
    assert whole
    assert drawn["height"] > whole["height"] / 4
    expect(page.locator("table", has_text="run_state_changed")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"\d+ candles from .* to .*: lowest"))).to_be_visible()
    latency = page.get_by_role("img", name=re.compile(r"\d+ decisions since the start: half took less than"))
    expect(latency.locator(".barlayer .point").first).to_be_attached()
    picture(page, "market")
    latency.scroll_into_view_if_needed()
    picture(page, "latency")


def closed(daemon: Daemon, least: int) -> None:
    """Wait until so many trades are closed."""
    deadline = time.monotonic() + 240
    while len(daemon.client.ask("/round-trips")["items"]) < least:
        assert time.monotonic() < deadline, "nothing is closed"
        time.sleep(0.5)


def test_the_profit_of_closed_trades_is_a_curve(page: Page, daemon: Daemon) -> None:
    """It ends at what they came to together, and says so to who does not see it."""
    closed(daemon, 2)
    log_in(page, daemon)
    page.get_by_role("link", name="System", exact=True).click()
    curve = page.get_by_role("img", name=re.compile(r"Profit of closed trades, after fees: \d+ points"))
    expect(curve.locator(".scatterlayer .js-line")).to_have_count(1)
    picture(page, "profit")


def test_a_curve_of_the_newest_trades_is_not_called_that_of_all(page: Page, daemon: Daemon) -> None:
    """The daemon answers with so many at once: what the older ones came to is not in the sum."""
    trip = {"market": "bybit:BTC-USDT:USDT", "net_profit": "1", "fees": "0", "closed_at": "2026-11-29T04:00:00.000000Z"}
    page.route(re.compile("/round-trips"), lambda route: route.fulfill(json={"items": [trip] * 2000}))
    log_in(page, daemon)
    page.get_by_role("link", name="System", exact=True).click()
    expect(page.get_by_role("heading", name="Profit of the newest 2,000 closed trades, after fees")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("newest 2,000 .* last 2,000.00"))).to_be_attached()


def test_the_curve_of_the_equity_says_what_was_moved_meanwhile(page: Page, daemon: Daemon) -> None:
    """A step of it is no gain and no loss then; what was moved before its first point, or in another coin, is none."""
    at = "2026-11-29T0{}:00:00.000000Z".format
    marks = [{"currency": "USDT", "equity": equity, "marked_at": at(hour)} for equity, hour in (("6", 4), ("10", 2))]
    moves = [
        {"currency": currency, "amount": amount, "moved_at": at(hour)}
        for currency, amount, hour in (("USDT", "-5", 3), ("USDT", "1", 3), ("BTC", "7", 3), ("USDT", "9", 1))
    ]
    page.route(re.compile("/equity"), lambda route: route.fulfill(json={"items": marks}))
    page.route(re.compile("/transfers"), lambda route: route.fulfill(json={"items": moves}))
    log_in(page, daemon)
    page.get_by_role("link", name="System", exact=True).click()
    said = "Equity; moved in meanwhile: 1.00, moved out: 5.00"
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(f"{said}: 2 points"))).to_be_attached()


def test_the_small_line_of_the_equity_says_what_was_moved_since_the_page_opened(page: Page, daemon: Daemon) -> None:
    """Both ways, as soon as the history has it; a page that is opened afterwards begins behind it."""
    log_in(page, daemon)
    note = page.locator(".tile", has_text="Equity").locator(".note")
    expect(note).to_contain_text("the line: since this page opened")
    expect(note).not_to_contain_text("moved in")
    daemon.sandbox.transfer(Decimal(4000))
    expect(note).to_contain_text("; moved in meanwhile: 4,000.00, moved out: 0.00")
    daemon.sandbox.transfer(Decimal(-6000))
    expect(note).to_contain_text("; moved in meanwhile: 4,000.00, moved out: 6,000.00")
    picture(page, "moved")
    page.reload()
    expect(note).to_contain_text("the line: since this page opened")
    page.get_by_role("link", name="System", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("moved out: 6,000.00"))).to_be_visible()
    page.get_by_role("link", name="Markets", exact=True).click()
    expect(note).not_to_contain_text("moved in")


def test_fills_from_before_the_first_candle_are_not_counted_among_them(page: Page, daemon: Daemon) -> None:
    """The sentence counts what is drawn, and writes prices as the page does."""
    log_in(page, daemon)
    bars = [{"opened_at": "2026-11-29T04:00:00Z", "low": "0.0000004", "high": "1234.5", "close": "1000"}]
    fills = [{"filled_at": f"2026-11-29T0{hour}:30:00Z"} for hour in (2, 3, 4, 5)]
    said = page.evaluate(
        """async ([bars, fills]) => {
        const { within } = await import("/static/charts.js"), { candlesInWords } = await import("/static/described.js");
        return candlesInWords(bars, within(bars, fills));
        }""",
        [bars, fills],
    )
    assert said.endswith("lowest 0.0000004, highest 1,234.5, last 1,000; 2 fills.")


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.2f}".replace("-", "\N{MINUS SIGN}")


def test_what_is_called_profit_is_left_after_the_fees(page: Page, daemon: Daemon) -> None:
    """On the tile above the board, which says how much they were, and in a market's row."""
    daemon.until(lambda report: report.markets[0].fees > 1)
    log_in(page, daemon)
    tile, row = page.locator(".tile", has_text="Realised after fees"), page.locator(".board tbody tr").first

    def shown(report: Report) -> bool:
        realised, fees = (sum((getattr(one, name) for one in report.markets), ZERO) for name in ("realised", "fees"))
        whole = [_signed(realised - fees), f"ever; the fees were {fees:,.2f}"]
        first = report.markets[0]
        return tile.inner_text().splitlines()[1:] == whole and _signed(first.realised - first.fees) in row.inner_text()

    daemon.until(shown)


@pytest.mark.parametrize(
    ("room", "heading"), [("Orders", "Closed trades"), ("Errors", "Errors by kind"), ("System", "Latency")]
)
def test_every_room_opens(page: Page, daemon: Daemon, room: str, heading: str) -> None:
    """Each with its heading, out of the same session."""
    log_in(page, daemon)
    page.get_by_role("link", name=room, exact=True).click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.wait_for_timeout(1500)
    picture(page, room.lower())


@pytest.mark.parametrize("address", ["#/market/%E0", "#/market/nosuch:X-USDT:USDT"])
def test_an_address_that_leads_nowhere_says_so(page: Page, daemon: Daemon, address: str) -> None:
    """As the first page that is opened, too: it is no reason to ask for the token again."""
    log_in(page, daemon)
    page.goto(f"{daemon.url}/{address}")
    page.reload()
    expect(page.get_by_text("No market of this name runs here.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
    expect(page.get_by_label("Access token")).to_be_hidden()
    page.get_by_role("link", name="Markets", exact=True).click()
    expect(page.locator(".board tbody tr")).to_have_count(27)


def test_no_line_hangs_below_the_last_row(page: Page, daemon: Daemon) -> None:
    """Nor below one cell of it: the sheet has its own."""
    log_in(page, daemon)
    last = page.locator(".board tbody tr").last.locator("th, td")
    assert set(last.evaluate_all("cells => cells.map((cell) => getComputedStyle(cell).borderBottomWidth)")) == {"0px"}


def leads_to_its_errors(page: Page, daemon: Daemon, row: Locator, market: MarketId) -> None:
    """The row counts what its market met of late, and its figure is the way to those errors, and to no other's."""
    cell = row.get_by_role("link", name=re.compile("^Errors of .*: [0-9]+$"))
    counted = int(cell.inner_text())
    cell.click()
    expect(page.get_by_role("heading", name="Errors by kind: ")).to_be_visible()
    table = page.locator("table", has=page.get_by_role("columnheader", name="15 minutes")).locator("tbody tr")

    def shown(report: Report) -> bool:  # a busy machine may bring it another one meanwhile
        mine = [one for one in report.errors if one.market == market]
        rows = table.all_inner_texts()
        told = all(any(one.kind in row and one.message in row for row in rows) for one in mine)
        return len(rows) == len(mine) and told and 0 < counted <= sum(one.recent for one in mine)

    daemon.until(shown)
    assert violations(page) == []
    picture(page, "errors_of_a_market")
    page.get_by_role("link", name="Markets", exact=True).click()


def test_a_market_whose_entries_an_error_keeps_back_says_so(page: Page, tmp_path: Path) -> None:
    """On the board and on its own page, in both languages, with the reason; its button resumes it."""
    poor = Daemon(tmp_path, options=("--balance", "100"))
    poor.environment["KANGBOT_RISK__LEVERAGE"] = "100"  # so that it is the exchange that refuses
    try:
        poor.start()
        poor.live()
        log_in(page, poor)
        held = page.locator(".board tbody tr", has=page.locator(".badge", has_text="no entries")).first
        expect(held.locator(".badge")).to_have_attribute("title", re.compile("until .*Resume.*not enough"))
        picture(page, "no_entries")
        symbol = held.get_by_role("rowheader").inner_text()
        (before,) = [one for one in poor.client.report().markets if one.symbol.startswith(f"{symbol}:")]
        assert before.paused_until_ns
        leads_to_its_errors(page, poor, held, before.market)
        held = page.locator(".board tbody tr", has=page.get_by_role("link", name=symbol, exact=True))
        held.get_by_role("link", name=symbol, exact=True).click()
        expect(page.locator(".market-head .badge")).to_have_text("no entries")
        expect(page.locator("dl", has_text="no entries")).to_contain_text("not enough")
        page.get_by_title("Bahasa Indonesia / English").click()
        expect(page.locator(".market-head .badge")).to_have_text("tanpa entri")
        picture(page, "no_entries_id")
        page.get_by_role("button", name="Lanjutkan").click()
        poor.until(
            lambda report: all(
                one.paused_until_ns != before.paused_until_ns for one in report.markets if one.market == before.market
            )
        )
    finally:
        poor.close()


def test_a_market_whose_strategy_is_asked_aside_says_so_with_its_longest_call(page: Page, daemon: Daemon) -> None:
    """On the board, in both languages; of one that is quick, or that does not decide, nothing is shown."""
    log_in(page, daemon)
    shown = """async (market) => {
        const board = await import("/static/overview.js"), badge = document.createElement("span");
        board.showSlow(badge, { aside: true, state: "live", longest_call_ms: 1234.5, ...market });
        return [badge.hidden, badge.textContent, badge.title];
    }"""
    hidden, text, title = page.evaluate(shown, {})
    assert (hidden, text) == (False, "slow, 1,235 ms")
    assert "1,235 ms for a bar: it is asked in a thread of its own" in title
    for quick in ({"aside": False}, {"state": "stopped"}):
        assert page.evaluate(shown, quick) == [True, "", ""]
    badges = page.locator(".board .slow:visible")  # a machine that stands still makes one slow for a while
    daemon.until(lambda report: sum(market.aside for market in report.markets) == badges.count())
    page.get_by_title("Bahasa Indonesia / English").click()
    assert page.evaluate(shown, {})[1] == "lambat, 1.235 ms"
    page.get_by_title("Bahasa Indonesia / English").click()


def test_closed_trades_are_long_or_short_and_figures_have_their_thousands(page: Page, daemon: Daemon) -> None:
    """As a trader says it, and as its money is written."""
    log_in(page, daemon)
    expect(page.locator(".board tbody tr").first.locator("td.n").first).to_have_text(re.compile(r"^\d+,\d{3}\.\d+$"))
    closed(daemon, 10)
    page.get_by_role("link", name="Orders").click()
    trips = page.locator(".rows").first.locator("tbody tr")
    expect(trips.first).to_be_visible()
    assert {row.locator("td").nth(2).inner_text() for row in trips.all()} <= {"long", "short"}


def test_small_figures_are_written_without_an_exponent(page: Page, daemon: Daemon) -> None:
    """A number of the browser has one from 0.0000009 down."""
    log_in(page, daemon)
    plain = "async (value) => (await import('/static/format.js')).plain(value)"
    told = {"4E-10": "0.0000000004", "-1.25E-7": "\u22120.000000125", "1.5E+6": "1,500,000", "0E-8": "0.00000000"}
    assert {text: page.evaluate(plain, text) for text in told} == told
    average = "async (value) => (await import('/static/format.js')).average(value)"
    told = {
        "0.000013493199999797": "0.0000134931999998",
        "119539.291012531505329141": "119,539.291013",
        "100.000000000000000001": "100",
        "64000.5": "64,000.5",
        "1250000": "1,250,000",
    }
    assert {text: page.evaluate(average, text) for text in told} == told


def test_a_spot_market_is_told_from_the_perpetual_of_its_pair(page: Page, daemon: Daemon) -> None:
    """By its symbol and by its id."""
    log_in(page, daemon)
    short = "async (value) => (await import('/static/format.js')).short(value)"
    told = {
        "BTC/USDT:USDT": "BTC/USDT",
        "bybit:BTC-USDT:USDT": "BTC/USDT",
        "BTC/USDT": "BTC/USDT spot",
        "bybit:BTC-USDT": "BTC/USDT spot",
    }
    assert {name: page.evaluate(short, name) for name in told} == told


def test_why_a_market_stands_where_it_does_begins_with_what_is_wrong(page: Page, daemon: Daemon) -> None:
    """A signal of the time before says nothing of a market whose prices have stopped."""
    log_in(page, daemon)
    why = """async (more) => {
        const board = await import("/static/overview.js");
        return board.whyOf({ state: "live", signal: "above", reason: "37 bars", ...more });
    }"""
    told: list[tuple[dict[str, str], str]] = [
        ({}, "above"),
        ({"blocked": "spread"}, "spread"),
        ({"blocked": "spread", "stale": "the quote stream is down"}, "the quote stream is down"),
        ({"stale": "the quote stream is down", "quarantine": "drift"}, "drift"),
        ({"unprotected": "no stop is known", "quarantine": "drift"}, "no stop is known"),
        ({"state": "stopped", "stale": "the quote stream is down"}, "37 bars"),
    ]
    assert [page.evaluate(why, more) for more, _ in told] == [said for _, said in told]


def test_prices_that_have_stopped_are_told_with_the_streams_that_are_down(page: Page, daemon: Daemon) -> None:
    """And with what the last dial met."""
    log_in(page, daemon)
    told = """async (streams) => (await import("/static/verdict.js")).verdict({
        health: { status: "critical", score: 59, checks: [
            { name: "feeds", status: "critical", figure: 95.93, unit: "s", says: "since the last of A" },
        ] }, streams, recovered: true, config: {},
    }).reasons"""
    streams = [{"name": "bybit.linear.1", "down": "refused"}, {"name": "bybit.private.1", "down": ""}]
    expected = "Prices (95.9\N{NO-BREAK SPACE}s): since the last of A: bybit.linear.1 (refused)"
    assert page.evaluate(told, streams) == [["critical", expected]]


def test_a_market_s_page_says_why_it_has_no_rows(page: Page, daemon: Daemon) -> None:
    """In each list: a heading with nothing beneath it looks like a market that never traded."""
    away = "mysql://kangbot@db/kangbot: it cannot be reached"
    page.route(re.compile(r"/(fills|orders|events)\?"), lambda route: route.fulfill(status=503, json={"error": away}))
    log_in(page, daemon)
    page.locator(".board tbody tr a").first.click()
    expect(page.get_by_text(away)).to_have_count(4)  # the candles' place, and the three lists
    page.unroute(re.compile(r"/(fills|orders|events)\?"))
    expect(page.locator("table", has_text="run_state_changed")).to_be_visible()
    expect(page.get_by_text(away)).to_have_count(0)


def test_events_that_say_the_same_one_after_another_are_one_row(page: Page, daemon: Daemon) -> None:
    """Whoever often opens the page would fill the list with logins; what else happened stays to be seen."""
    login = {"at": "2026-11-29T04:00:00Z", "market": None, "kind": "control.command", "severity": "info"}
    rows = [{**login, "message": "login, by control token from 127.0.0.1"} for _ in range(7)]
    rows.insert(3, {**login, "kind": "feed.down", "severity": "warning", "message": "it broke off"})
    page.route(re.compile("/events"), lambda route: route.fulfill(json={"items": rows}))
    log_in(page, daemon)
    page.get_by_role("link", name="Errors", exact=True).click()
    said = page.locator(".rows").last.locator("td.said")
    expect(said).to_have_text(
        [re.compile(r"127\.0\.0\.1 \(3 times\)$"), "it broke off", re.compile(r"127\.0\.0\.1 \(4 times\)$")]
    )
