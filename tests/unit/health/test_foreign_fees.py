"""Fees that no profit counts: the first of a currency is told."""

from decimal import Decimal

import msgspec

from kangbot.health.foreign_fees import ForeignFees
from kangbot.model.events import CashFlowApplied, Event, FillApplied, Severity
from kangbot.model.ids import MarketId
from tests.support.trade_words import MARKET, START, fill, funding

PAIR = MarketId("bybit:BTC-USDT")


def applied(currency: str, fee: str = "0.5", market: MarketId = MARKET) -> Event:
    """Return a fill that has entered a position, with its fee."""
    taken = msgspec.structs.replace(fill("e1", 1, fee=fee), fee_currency=currency, market=market)
    return FillApplied(fill=taken, net=Decimal(1), at_ns=START)


def told(*events: Event) -> list[tuple[str, Severity, MarketId | None, str]]:
    """Return the notes that follow."""
    notes: list[tuple[str, Severity, MarketId | None, str]] = []
    fees = ForeignFees(lambda *note: notes.append(note))
    for event in events:
        fees.observe(event)
    return notes


def test_the_first_fee_of_a_currency_is_told() -> None:
    """Once, whichever market has it; another currency is another matter."""
    notes = told(applied("MNT"), applied("MNT"), applied("MNT", market=PAIR), applied("BNB"))
    assert [(kind, severity, market) for kind, severity, market, _ in notes] == [
        ("fee.foreign", Severity.WARNING, None)
    ] * 2
    assert notes[0][3].startswith(f"a fee of 0.5 MNT was taken in {MARKET}: profit and the day's loss leave out")
    assert "paid in BNB. Switch paying fees in it off" in notes[1][3]


def test_what_a_profit_counts_is_not_told() -> None:
    """The currency of the profit, the traded coin of a spot market, no fee at all; and what is no fill."""
    assert not told(applied("USDT"), applied("BTC", market=PAIR), applied(""), applied("MNT", "0"))
    assert not told(CashFlowApplied(flow=funding("f1", 1), at_ns=START))
    assert len(told(applied("BTC"))) == 1  # a coin that no perpetual holds
