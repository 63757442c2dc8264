"""A real browser, and a real daemon with 27 markets on a real exchange on loopback."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.dashboard import SLOW_MS, Daemon

_CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")  # the cheapest one first; see tests/chromium.sh


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    path = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
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
    """A daemon that trades, and whose history can be asked."""
    one = Daemon(tmp_path_factory.mktemp("dashboard"))
    try:
        one.start()
        one.live()
        one.until(lambda report: report.history_backlog < report.journal_sequence)  # its tables are made
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
