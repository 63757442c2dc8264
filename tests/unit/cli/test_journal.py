"""`kangbot journal rebuild`: a lost journal made anew from the history beside it, and what is said of it."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli import offline
from kangbot.cli.journal import rebuild
from kangbot.errors import NeedsHuman
from kangbot.journal.writer import FILE
from kangbot.model.orders import OrderStatus
from kangbot.settings import loading
from kangbot.storage.migrate import upgrade
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import SqliteUrl
from tests.support.records import MARKET, TAG, changed, fill_applied, intended, noted, records


async def nothing() -> None:
    """Bring no table up to date: they are."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose daemon has lost its journal, and holds a position by an order that is not over."""
    monkeypatch.setattr(offline, "load", loading.load)
    path, url = tmp_path / "kangbot.toml", SqliteUrl(path=tmp_path / "state" / "history.sqlite")
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    upgrade(url)
    told = (noted(0), intended(), changed(OrderStatus.SENT), fill_applied())

    async def store() -> None:
        history = SqliteHistory(url.path, nothing)
        await history.store(records(told))
        await history.aclose()

    asyncio.run(store())
    return path


def test_what_is_remembered_again_is_said(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is held, and how many orders the exchange is to be asked about: whoever rebuilds compares it there."""
    assert rebuild(config, None) == 0
    assert (config.parent / "state" / FILE).is_file()
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"journal {TAG} is rebuilt up to record 4",
        f"positions  {MARKET} 0.010",
        "orders     1 to be asked about; numbers go on 1,000,000 later",
    ]


def test_a_script_gets_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one object."""
    assert rebuild(config, TAG, as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["journal"], said["last_sequence"], said["open_orders"]) == (TAG, 4, 1)
    assert {market: Decimal(net) for market, net in said["positions"].items()} == {MARKET: Decimal("0.01")}


def test_another_journal_than_the_one_that_is_named_is_not_made(config: Path) -> None:
    """Nor one over another."""
    with pytest.raises(NeedsHuman, match="has no journal mistaken"):
        rebuild(config, "mistaken")
    assert not (config.parent / "state" / FILE).exists()
    assert rebuild(config, None) == 0
    with pytest.raises(NeedsHuman, match="is not overwritten"):
        rebuild(config, None)
