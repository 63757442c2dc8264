"""Recorded candles of real venues, as bars."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from kangbot.model.data import Bar
from kangbot.model.ids import MarketId
from tests.wire.recorded import recorded

_SECOND_NS = 1_000_000_000


def candles(name: str, market: MarketId, timeframe_s: int) -> Sequence[Bar]:
    """Return the candles of a file of `candles/basana` as that market's, oldest first."""
    with recorded("candles", "basana", name).open(newline="") as file:
        return [
            Bar(
                market=market,
                timeframe_s=timeframe_s,
                open_ns=int(datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp()) * _SECOND_NS,
                open=Decimal(row["open"]),
                high=Decimal(row["high"]),
                low=Decimal(row["low"]),
                close=Decimal(row["close"]),
                volume=Decimal(row["volume"]),
            )
            for row in csv.DictReader(file)
        ]
