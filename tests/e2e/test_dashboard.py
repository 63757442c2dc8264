"""The dashboard in a real browser, over a real daemon with 27 markets on a real exchange on loopback."""

import itertools
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from kangbot.model.ids import MarketId
from tests.support.accessibility import heard, listen, violations
from tests.support.dashboard import SLOW_MS, Daemon, few_rows, log_in, picture
from tests.support.fault_proxy import FaultProxy

pytestmark = [pytest.mark.process, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        assert os.environ.get("CI") != "true", "there is no chromium, and CI skips nothing"
        pytest.skip("there is no chromium; tests/chromium.sh installs it")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    expect.set_options(timeout=SLOW_MS)
    with sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=path, args=quiet)
        yield one
        one.close()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that trades."""
    one = Daemon(tmp_path_factory.mktemp("dashboard"))
    try:
        one.start()
        one.live()
        yield one
    finally:
        one.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that has seen nothing yet, and that ends the test where a script of ours fails."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark", locale="en-GB")
    faults: list[str] = []
    one = context.new_page()
    one.on("pageerror", lambda error: faults.append(str(error)))
    one.set_default_timeout(SLOW_MS)
    yield one
    context.close()
    assert faults == []


def test_27_markets_are_live_behind_the_token(page: Page, daemon: Daemon) -> None:
    """A wrong token is told; the right one shows the board, and the board moves."""
    page.goto(daemon.url)
    page.get_by_label("Access token").fill("x" * 43)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert").filter(has_text="not the daemon's")).to_be_visible()
    log_in(page, daemon)
    expect(page.locator(".board tbody .badge", has_text="live")).to_have_count(27)
    expect(page.locator(".tile", has_text="Markets live")).to_contain_text("27/27")
    price = page.locator(".board tbody tr").first.locator("td.n").first
    before = price.inner_text()
    expect(price).not_to_have_text(before)
    page.wait_for_timeout(3000)  # so that the picture has lines in it
    picture(page, "board")


def test_the_score_has_its_reasons_beside_it_and_all_is_never_well_while_a_check_is_not(
    page: Page, daemon: Daemon
) -> None:
    """Most entry lanes are isolated, so the breakers are critical: the status, the score, and which check it is."""
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
        daemon.config.write_text(right.replace("grace_s = 10", "grace_s = 11", 1))
        expect(wrong).to_be_hidden()
        expect(page.locator("#config-restart")).to_contain_text("shutdown.grace_s: 10")
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
    page.get_by_role("link", name="BTC/USDT").click()
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


def test_the_profit_of_closed_trades_is_a_curve(page: Page, daemon: Daemon) -> None:
    """It ends at what they came to together, and says so to who does not see it."""
    deadline = time.monotonic() + 60
    while len(daemon.client.ask("/round-trips")["items"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    log_in(page, daemon)
    page.get_by_role("link", name="System", exact=True).click()
    curve = page.get_by_role("img", name=re.compile(r"Profit of closed trades, after fees: \d+ points"))
    expect(curve.locator(".scatterlayer .js-line")).to_have_count(1)
    picture(page, "profit")


def test_a_keyboard_is_enough_to_stop_a_market_and_to_think_better_of_the_kill_switch(
    page: Page, daemon: Daemon
) -> None:
    """The focus stays where it was, goes into the dialog, where Enter does nothing yet, and comes back."""
    log_in(page, daemon)
    page.reload()
    expect(page.locator(".board tbody tr")).to_have_count(27)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    button = page.locator(".board tbody tr", has_text="BTC/USDT").get_by_role("button")
    for _ in range(4):  # Start all, Stop all, the market's page, its button
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_css("outline-style", "solid")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_accessible_name("Start BTC/USDT")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_accessible_name("Stop BTC/USDT")
    kill = page.get_by_role("button", name="Kill switch")
    kill.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Stop every entry?")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(kill).to_be_focused()
    assert not daemon.client.report().killed


def test_a_screen_reader_has_a_name_for_every_control_and_picture(page: Page, daemon: Daemon) -> None:
    """In every room, and in the dialog."""
    nameless = re.compile(r"^\s*- (?:button|link|img|checkbox|textbox|dialog)(?: \[.*\])?:?$", re.MULTILINE)
    log_in(page, daemon)
    for room in ("Orders", "Errors", "System", "Markets"):
        page.get_by_role("link", name=room, exact=True).click()
        expect(page.get_by_role("heading", name=room, level=1, exact=True)).to_be_attached()
        assert nameless.findall(page.locator("body").aria_snapshot()) == []
    page.get_by_role("button", name="Kill switch").click()
    told = page.locator("dialog").aria_snapshot()
    assert 'checkbox "Close every open position as well"' in told
    assert nameless.findall(told) == []
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="BTC/USDT").click()
    expect(page.get_by_role("heading", name="BTC/USDT", level=1)).to_be_visible()
    assert nameless.findall(page.locator("body").aria_snapshot()) == []


def test_the_board_is_a_table_with_a_header_for_every_cell_at_every_width(page: Page, daemon: Daemon) -> None:
    """Also where a phone shows its rows as cards: no header is without a name, no cell without a header."""
    log_in(page, daemon)
    for width in (1440, 1000, 390):
        page.set_viewport_size({"width": width, "height": 844})
        headers = page.get_by_role("columnheader")
        assert re.findall(r"- columnheader$", page.locator(".board").aria_snapshot(), re.MULTILINE) == []
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="BTC/USDT"))
        assert headers.count() == row.get_by_role("cell").count() + 1, width
    expect(page.locator(".board tbody tr").first.get_by_role("rowheader")).to_have_text("BTC/USDT")


def test_what_is_read_out_is_a_change_of_concern_and_never_a_price(page: Page, daemon: Daemon) -> None:
    """The board moves all the time; only the kill switch and the health it brings are told, each once."""
    log_in(page, daemon)
    listen(page)
    price = page.locator(".board tbody tr").first.locator("td.n").first
    for _ in range(3):
        before = price.inner_text()
        expect(price).not_to_have_text(before)
    try:
        daemon.client.tell("/kill", {"reason": "listening", "flatten": False})
        expect(page.locator("#banner")).to_contain_text("listening")
    finally:
        daemon.client.tell("/release", {})
    expect(page.locator("#banner")).to_be_hidden()
    said, moved = heard(page)
    kill = [text for text in said if "listening" in text]
    assert len(kill) == 1
    words = [text for text in said if text not in kill]
    states = {"All is well", "Look at this", "Act now", "live", "connection lost, trying again"}
    assert set(words) <= states
    assert all(one != following for one, following in itertools.pairwise(words))
    assert moved > 20 * len(said)


def test_who_asks_for_less_motion_gets_none(page: Page, daemon: Daemon) -> None:
    """A price that changed is coloured for a moment only where motion is welcome."""
    log_in(page, daemon)
    moves = """frames => new Promise(told => {
        const over = () => document.getAnimations().length || !frames--;
        const look = () => over() ? told(frames >= 0) : requestAnimationFrame(look);
        look();
    })"""
    assert page.evaluate(moves, 600)
    page.emulate_media(reduced_motion="reduce")
    price = page.locator(".board tbody tr").first.locator("td.n").first
    for _ in range(2):  # the first has an end to wait for, of what had begun before
        expect(price).not_to_have_text(price.inner_text())
        page.wait_for_timeout(700)
    assert not page.evaluate(moves, 120)


@pytest.mark.parametrize(
    ("scheme", "width", "locale"),
    [("dark", 390, "en-GB"), ("dark", 1440, "id-ID"), ("light", 390, "id-ID"), ("light", 1440, "en-GB")],
)
def test_a_judge_that_is_not_ours_finds_nothing_to_mend(
    browser: Browser, daemon: Daemon, scheme: Literal["dark", "light"], width: int, locale: str
) -> None:
    """WCAG 2.1 A and AA in every view: each theme with each width, each width with each language, each with each."""
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, locale=locale)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    few_rows(page)
    found: dict[str, list[str]] = {}
    right = daemon.config.read_text()
    try:
        page.goto(daemon.url)
        expect(page.locator("#token")).to_be_focused()
        found["login"] = violations(page)
        page.locator("#token").fill(daemon.token())
        page.keyboard.press("Enter")
        expect(page.locator(".board tbody tr")).to_have_count(27)
        found["board"] = violations(page)
        page.locator("#kill").click()
        found["dialog"] = violations(page)
        page.keyboard.press("Escape")
        daemon.config.write_text(right.replace("leverage = 2", "levrage = 2", 1))
        for room, drawn in (
            ("orders", ".rows"),
            ("errors", ".rows"),
            ("system", ".rows"),
            ("market", ".cartesianlayer"),
        ):
            if room == "market":
                page.locator(".brand").click()
                page.locator(".board tbody a").first.click()
            else:
                page.locator(f".top nav a[href='#/{room}']").click()
            expect(page.locator(f"main {drawn}").first).to_be_visible()
            found[room] = violations(page)
        expect(page.locator("#config-problem")).to_contain_text("levrage")
        found["banner"] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        daemon.config.write_text(right)
        expect(page.locator("#config-problem")).to_be_hidden()  # the next test finds a daemon that is well
    finally:
        daemon.config.write_text(right)
        context.close()
    assert not any(found.values()), found


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


def test_it_speaks_indonesian_and_remembers_it(page: Page, daemon: Daemon) -> None:
    """Over a reload."""
    log_in(page, daemon)
    page.get_by_title("Bahasa Indonesia / English").click()
    expect(page.get_by_role("button", name="Sakelar darurat")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "id")
    expect(page.get_by_role("button", name="EN: English")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator(".tile", has_text="Pasar aktif")).to_contain_text("27/27")
    assert page.locator("html").get_attribute("lang") == "id"
    price = page.locator(".board tbody tr").first.locator("td.n").first
    expect(price).to_have_text(
        re.compile(r"^\d+\.\d{3},\d+$")
    )  # as its money and its charts, where a dot parts thousands


def leads_to_its_errors(page: Page, daemon: Daemon, row: Locator, market: MarketId) -> None:
    """The row counts what its market met of late, and its figure is the way to those errors, and to no other's."""
    cell = row.get_by_role("link", name=re.compile("^Errors of .*: [0-9]+$"))
    counted = int(cell.inner_text())
    cell.click()
    expect(page.get_by_role("heading", name="Errors by kind: ")).to_be_visible()
    mine = [one for one in daemon.client.report().errors if one.market == market]
    table = page.locator("table", has=page.get_by_role("columnheader", name="15 minutes")).locator("tbody tr")
    expect(table).to_have_count(len(mine))
    for one in mine:
        expect(table.filter(has=page.get_by_role("cell", name=one.kind, exact=True)).first).to_contain_text(one.message)
    assert 0 < counted <= sum(one.recent for one in mine)
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
    expect(page.locator(".board .slow:visible")).to_have_count(0)
    page.get_by_title("Bahasa Indonesia / English").click()
    assert page.evaluate(shown, {})[1] == "lambat, 1.235 ms"
    page.get_by_title("Bahasa Indonesia / English").click()


def test_who_may_only_look_has_no_button_that_acts(page: Page, daemon: Daemon) -> None:
    """And is told so."""
    log_in(page, daemon, "read")
    expect(page.locator("#link")).to_contain_text("read only")
    expect(page.locator("#kill")).to_be_hidden()
    expect(page.locator("#stop-all")).to_have_count(0)
    expect(page.locator(".board tbody button")).to_have_count(0)


def test_it_fits_a_phone(browser: Browser, daemon: Daemon) -> None:
    """Nothing is wider than the screen."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light", locale="en-GB")
    page = context.new_page()
    page.goto(f"{daemon.url}/#token={daemon.token()}")
    expect(page.locator(".board tbody tr")).to_have_count(27, timeout=SLOW_MS)
    assert "token" not in page.url
    width = page.evaluate("document.documentElement.scrollWidth")
    page.wait_for_timeout(2000)
    picture(page, "phone")
    context.close()
    assert width <= 390


def test_it_comes_back_after_the_daemon_did(page: Page, daemon: Daemon) -> None:
    """While it is away the page says so; its session outlives the daemon, so nobody is asked for the token again."""
    log_in(page, daemon)
    daemon.daemon.kill()
    expect(page.locator("#link")).to_contain_text("connection lost")
    expect(page.get_by_label("Why")).to_contain_text(
        re.compile(r"connection lost.* is from \d\d:\d\d:\d\d")
    )  # not well
    daemon.start()
    daemon.live()
    expect(page.locator("#link")).to_have_text(re.compile("live"))
    expect(page.get_by_label("Why")).not_to_contain_text("connection lost")
    expect(page.get_by_label("Access token")).to_be_hidden()


def test_a_connection_that_leads_nowhere_is_given_up_for_another(page: Page, daemon: Daemon) -> None:
    """As after an hour's sleep: nobody tells the browser. No old price is called live, no button is silent for ever."""
    with FaultProxy(int(daemon.url.rpartition(":")[2])) as proxy:
        page.goto(f"http://127.0.0.1:{proxy.port}/#token={daemon.token()}")
        expect(page.locator("#link")).to_have_text("live")
        page.evaluate(  # it may be there for less than a look from outside takes
            """() => {
              const link = document.getElementById("link");
              const lost = () => link.textContent.includes("connection lost");
              const noted = () => { if (lost()) document.body.dataset.lost = "yes"; };
              new MutationObserver(noted).observe(link, { childList: true, characterData: true, subtree: true });
            }"""
        )
        proxy.freeze()
        page.get_by_role("button", name="Stop ALGO/USDT").click()
        expect(page.locator("body[data-lost]")).to_have_count(1)
        expect(page.locator("#toasts")).to_contain_text("no daemon answers")
        expect(page.locator("#link")).to_have_text("live")
        price = page.locator(".board tbody tr").first.locator("td.n").first
        before = price.inner_text()
        expect(price).not_to_have_text(before)


def test_a_session_that_is_over_is_asked_for_the_token_by_the_next_button(page: Page, daemon: Daemon) -> None:
    """Half a day after it began, or because it was ended elsewhere, and nothing has told the page of it yet."""
    page.route_web_socket("**/stream", lambda socket: socket.connect_to_server().on_close(lambda *_: None))
    log_in(page, daemon)
    page.evaluate("fetch('/logout', { method: 'POST' })")
    page.get_by_role("button", name="Kill switch").click()
    page.get_by_role("button", name="Set the kill switch").click()
    expect(page.get_by_label("Access token")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="the session is over")).to_be_visible()
    assert not daemon.client.report().killed
    page.get_by_label("Access token").fill(daemon.token())
    page.get_by_role("button", name="Enter").click()
    expect(page.locator(".board tbody tr")).to_have_count(27)


def test_a_page_whose_session_is_over_shows_nothing_more_and_asks_for_the_token(page: Page, daemon: Daemon) -> None:
    """Ended in another window: the live connection ends with it."""
    log_in(page, daemon)
    page.evaluate("fetch('/logout', { method: 'POST' })")
    expect(page.get_by_label("Access token")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="the session is over")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Access token")).to_be_visible()
    expect(page.get_by_text("the session is over")).to_have_count(0)  # said once


def test_an_address_with_another_token_says_that_it_is_not_the_daemons(page: Page, daemon: Daemon) -> None:
    """One that was kept from before the token was replaced."""
    page.goto(f"{daemon.url}/#token={'x' * 43}")
    expect(page.get_by_role("alert").filter(has_text="not the daemon's")).to_be_visible()
    expect(page.get_by_label("Access token")).to_be_focused()


def test_closed_trades_are_long_or_short_and_figures_have_their_thousands(page: Page, daemon: Daemon) -> None:
    """As a trader says it, and as its money is written."""
    log_in(page, daemon)
    expect(page.locator(".board tbody tr").first.locator("td.n").first).to_have_text(re.compile(r"^\d+,\d{3}\.\d+$"))
    daemon.until(lambda report: report.orders.filled > 60)
    page.get_by_role("link", name="Orders").click()
    trips = page.locator(".rows").first.locator("tbody tr")
    expect(trips.first).to_be_visible()
    assert {row.locator("td").nth(2).inner_text() for row in trips.all()} <= {"long", "short"}


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
