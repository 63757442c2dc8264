"""A market, proposals and facts for the rules of risk."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from kangbot.model.data import Quote
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.model.orders import OrderKind, Proposal, Purpose, Side
from kangbot.risk.facts import MarketFacts
from tests.support.instruments import instrument_of

MARKET = MarketId("bybit:BTC-USDT:USDT")


@pytest.fixture
def instrument() -> Instrument:
    """A perpetual with a tick of 0.1 and a step of 0.01."""
    return instrument_of(step=Decimal("0.01"), min_quantity=Decimal("0.02"), max_quantity=Decimal(50))


@pytest.fixture
def facts(instrument: Instrument) -> MarketFacts:
    """A fresh, narrow quote around 100."""
    quote = Quote(
        market=MARKET,
        bid=Decimal("99.9"),
        bid_quantity=Decimal(1),
        ask=Decimal(100),
        ask_quantity=Decimal(1),
        at_ns=0,
    )
    return MarketFacts(instrument=instrument, quote=quote, quote_age_ns=0, mark=Decimal(100))


@pytest.fixture
def propose() -> Callable[..., Proposal]:
    """Return a proposal of one unit at the market, entry with a stop, with the fields that are given."""
    base = Proposal(
        market=MARKET,
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        kind=OrderKind.MARKET,
        quantity=Decimal(1),
        stop=Decimal(95),
        reference=Decimal(100),
        reason="because",
    )

    def with_fields(**fields: object) -> Proposal:
        return msgspec.structs.replace(base, **fields)

    return with_fields
