"""That everybody can use the dashboard: by keyboard, by ear, on a phone, in both languages."""

import itertools
import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import heard, listen, violations
from tests.support.dashboard import SLOW_MS, Daemon, few_rows, log_in, picture

pytestmark = [pytest.mark.process, pytest.mark.browser]


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
    stops: list[str] = []  # Start all, Stop all, the market's page, its button; and its errors, where it has some
    while not stops or stops[-1] != "Stop BTC/USDT":
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_css("outline-style", "solid")
        stops.append(page.locator(":focus").get_attribute("aria-label") or page.locator(":focus").inner_text())
        assert len(stops) <= 5, stops
    assert [one for one in stops if "Errors of" not in one] == ["Start all", "Stop all", "BTC/USDT", "Stop BTC/USDT"]
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
    page.get_by_role("link", name="BTC/USDT", exact=True).click()
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
    page.wait_for_function("window.moved > 20 * window.said.length")  # a busy machine moves less in the same time
    said, moved = heard(page)
    kill = [text for text in said if "listening" in text]
    assert len(kill) == 1
    words = [text for text in said if text not in kill]
    states = {"All is well", "Needs attention", "Act now", "live", "connection lost, trying again"}
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
    [("dark", 390, "id-ID"), ("light", 1440, "en-GB")],
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
        expect(page.locator("#config-problem")).to_contain_text("levrage")  # once it stands there, nothing moves away
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
