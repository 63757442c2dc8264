"""Who is let in, what a page does whose session or daemon is gone, and how it comes back."""

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.support.dashboard import SLOW_MS, Daemon, log_in
from tests.support.fault_proxy import FaultProxy

pytestmark = [pytest.mark.process, pytest.mark.browser]


def test_who_may_only_look_has_no_button_that_acts(page: Page, daemon: Daemon) -> None:
    """And is told so."""
    log_in(page, daemon, "read")
    expect(page.locator("#link")).to_contain_text("read only")
    expect(page.locator("#kill")).to_be_hidden()
    expect(page.locator("#stop-all")).to_have_count(0)
    expect(page.locator(".board tbody button")).to_have_count(0)


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


def test_a_page_that_was_open_over_an_upgrade_is_loaded_anew(page: Page, daemon: Daemon) -> None:
    """It would read the new daemon's report as the old one wrote it, for as long as the window is open."""
    sockets: list[WebSocketRoute] = []

    def another(socket: WebSocketRoute) -> None:
        """Serve one connection: of process 1, 2, …; from the third on of a newer version."""
        sockets.append(socket)
        server, number = socket.connect_to_server(), len(sockets)
        of = rf'"version":"1.0.{int(number > 2)}","mode":\1,"pid":{number},'
        server.on_message(
            lambda said: socket.send(re.sub(r'"version":"[^"]*","mode":("[^"]*"),"pid":\d+,', of, str(said)))
        )

    page.route_web_socket("**/stream", another)
    log_in(page, daemon)
    expect(page.locator("#foot")).to_contain_text("kangbot 1.0.0, process 1;")
    page.evaluate("document.body.dataset.old = 'yes'")
    sockets[0].close()
    expect(page.locator("#foot")).to_contain_text("kangbot 1.0.0, process 2;")
    expect(page.locator("body[data-old]")).to_have_count(1)
    sockets[1].close()
    expect(page.locator("body[data-old]")).to_have_count(0)
    expect(page.locator("#foot")).to_contain_text("kangbot 1.0.1")


def test_a_connection_that_leads_nowhere_is_given_up_for_another(page: Page, daemon: Daemon) -> None:
    """As after an hour's sleep: nobody tells the browser. No old price is called live, no button is silent for ever."""
    with FaultProxy(int(daemon.url.rpartition(":")[2])) as proxy:
        page.goto(f"http://127.0.0.1:{proxy.port}/#token={daemon.token()}")
        expect(page.locator("#link")).to_have_text("live")
        page.evaluate(  # either may be there for less than a look from outside takes
            """() => {
              const link = document.getElementById("link");
              const lost = () => link.textContent.includes("connection lost");
              const noted = () => { if (lost()) document.body.dataset.lost = "yes"; };
              new MutationObserver(noted).observe(link, { childList: true, characterData: true, subtree: true });
              const toasts = document.getElementById("toasts");
              const told = () => { document.body.dataset.told += toasts.textContent; };
              new MutationObserver(told).observe(toasts, { childList: true, subtree: true });
            }"""
        )
        proxy.freeze()
        page.get_by_role("button", name="Stop ALGO/USDT").click()
        expect(page.locator("body[data-lost]")).to_have_count(1)
        expect(page.locator("body[data-told*='no daemon answers']")).to_have_count(1)
        expect(page.locator("#link")).to_have_text("live")
        price = page.locator(".board tbody tr").first.locator("td.n").first
        before = price.inner_text()
        expect(price).not_to_have_text(before)


def test_silence_is_noticed_where_the_computers_clock_was_set_back(page: Page, daemon: Daemon) -> None:
    """By an hour: for as long the page would have called live what it heard before."""
    sockets: list[WebSocketRoute] = []
    mute: list[WebSocketRoute] = []

    def carried(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        server.on_message(lambda said: None if socket in mute else socket.send(said))

    page.route_web_socket("**/stream", carried)
    log_in(page, daemon)
    expect(page.locator("#link")).to_have_text("live")
    page.evaluate("const now = Date.now; Date.now = () => now() - 3600000")
    mute.extend(sockets)  # a machine that stood still for ten seconds may have had it dial anew already
    with page.expect_websocket(timeout=SLOW_MS):
        pass
    expect(page.locator("#link")).to_have_text("live")
    assert len(sockets) > len(mute)


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
