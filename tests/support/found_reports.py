"""What a report of the past is made of, where a test says only what it is about."""

from decimal import Decimal
from typing import Any

from kangbot.cli.report.past import Found, Span
from kangbot.machines.performance import TradeFigures


def found_of(total: TradeFigures, **fields: Any) -> Found:
    """Return a report of all time with these trades and nothing else but `fields`."""
    usual: dict[str, Any] = {
        "by_market": {},
        "profits": (),
        "equity": None,
        "marks": (),
        "funding": Decimal(0),
        "other_fees": {},
        "moves": (),
        "accepted": (),
        "currency": "USDT",
    }
    return Found(span=Span(since_ns=None, until_ns=None), total=total, **{**usual, **fields})
