"""Commands that look: each asks for what was typed, and no more."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kangbot.cli import offline
from kangbot.cli.main import app
from kangbot.model.ids import MarketId
from kangbot.ports import Listing
from kangbot.settings import loading
from tests.support.control_desk import MARKET, Served

Type = Callable[..., Awaitable[Result]]


@pytest.mark.parametrize(("command", "listing"), [("orders", Listing.ORDERS), ("events", Listing.EVENTS)])
async def test_the_newest_rows_are_asked_for(served: Served, typed: Type, command: str, listing: Listing) -> None:
    """Twenty, or as many as were typed; of every market, or of one."""
    assert (await typed(command, "--json")).exit_code == 0
    assert (await typed(command, "--json", "--market", MARKET, "--limit", "7")).exit_code == 0
    asked = [(page.listing, page.market, page.limit) for page in served.desk.asked]
    assert asked == [(listing, None, 20), (listing, MarketId(MARKET), 7)]


@pytest.mark.parametrize("limit", ["0", "2001"])
async def test_no_page_is_asked_for_that_the_daemon_would_refuse(served: Served, typed: Type, limit: str) -> None:
    """Wrong usage, told here."""
    assert (await typed("orders", "--limit", limit)).exit_code == 2
    assert served.desk.asked == []


@pytest.mark.parametrize(
    ("command", "name"), [("status", "markets"), ("top", "report"), ("health", "checks"), ("breakers", "breakers")]
)
async def test_a_script_gets_the_daemons_answer(served: Served, typed: Type, command: str, name: str) -> None:
    """In one object, or a list of rows."""
    said = json.loads((await typed(command, "--json")).stdout)
    assert name in (said if isinstance(said, dict) else {"breakers": said})


async def test_health_that_is_critical_is_an_exit_code(served: Served, typed: Type) -> None:
    """1, for whoever watches by it."""
    assert (await typed("health")).exit_code == 1
    assert (await typed("positions")).exit_code == 0


def test_a_report_is_of_the_days_and_on_the_page_that_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a daemon."""
    monkeypatch.setattr(offline, "load", loading.load)
    config, page = tmp_path / "kangbot.toml", tmp_path / "report.html"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    typed = ["report", "--from", "2026-09-22", "--to", "2026-09-24", "--config", str(config)]
    assert CliRunner().invoke(app, typed).stdout == "Nothing was traded in that time.\n"
    assert CliRunner().invoke(app, [*typed, "--html", str(page)]).stdout == f"written to {page}\n"
    assert "2026-09-22 to 2026-09-24 (UTC)" in page.read_text()
