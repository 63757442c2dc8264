"""A history of twelve days of trading, and what a report says of it."""

import asyncio
import json
import shutil
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kangbot.cli.report import command
from kangbot.model.events import (
    CashFlowApplied,
    EquityMarked,
    Event,
    RoundTripClosed,
)
from kangbot.storage.migrate import upgrade_apart
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import SqliteUrl
from tests.support.records import NOON_NS, records, round_trip
from tests.support.trade_words import funding

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


def twelve_days(folder: Path) -> Path:
    """Make a history of twelve days in the folder, a closed trade and a mark of the equity each, and return it."""
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
    url = SqliteUrl(path=folder / "history.sqlite")

    async def store() -> None:
        history = SqliteHistory(url.path, partial(upgrade_apart, url))
        await history.store(records(events))
        await history.aclose()

    asyncio.run(store())
    return url.path


def configured(folder: Path, history: Path) -> Path:
    """Return a configuration whose history is a copy of that."""
    (folder / "state").mkdir()
    shutil.copy(history, folder / "state")
    path = folder / "kangbot.toml"
    path.write_text(CONFIG)
    return path


def figures(config: Path, capsys: pytest.CaptureFixture[str], **options: str) -> dict[str, object]:
    """Return what `--json` prints."""
    start, end = options.get("start"), options.get("end")
    assert command(config, start=start, end=end, html=None, as_json=True) == 0
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said
