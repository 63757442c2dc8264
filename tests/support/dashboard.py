"""A real daemon of 27 markets with its dashboard, and what a person does first at its page."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from kangbot.cli.demo.processes import Sandbox
from tests.support.ports import own_port
from tests.support.processes import Life

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "pictures"
SLOW_MS = 120_000  # two cores may be shared by much else


class Daemon(Life):
    """The demo's 27 markets, with the dashboard on a port of its own."""

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        self.sandbox = Sandbox(seed=7, log=folder / "sandbox.log", options=("--history-minutes", "300", *options))
        self.url = f"http://127.0.0.1:{(port := own_port())}"
        environment = {
            "KANGBOT_CONTROL__PORT": str(port),
            "KANGBOT_VENUES__BYBIT__REST_URL": self.sandbox.rest_url,
            "KANGBOT_VENUES__BYBIT__WS_PUBLIC_URL": self.sandbox.ws_public_url,
            "KANGBOT_VENUES__BYBIT__WS_PRIVATE_URL": self.sandbox.ws_private_url,
        }
        super().__init__(folder, (ROOT / "config" / "demo.toml").read_text(), 27, environment)

    def token(self, kind: str = "control") -> str:
        """Return what the state folder holds."""
        return (self.state / f"{kind}.token").read_text().strip()

    def close(self) -> None:
        """End both."""
        super().close()
        self.sandbox.close()


def log_in(page: Page, daemon: Daemon, kind: str = "control") -> None:
    """Show the token, as a person types it."""
    page.goto(daemon.url)
    page.get_by_label("Access token").fill(daemon.token(kind))
    page.get_by_role("button", name="Enter").click()
    expect(page.locator(".board tbody tr")).to_have_count(27)


def picture(page: Page, name: str) -> None:
    """Keep what is seen, to be looked at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def few_rows(page: Page) -> None:
    """Let the history answer with eight of each: rows are alike, and a judge looks at every cell."""
    pattern = re.compile(r"limit=\d+")
    page.route(pattern, lambda route: route.continue_(url=pattern.sub("limit=8", route.request.url)))
