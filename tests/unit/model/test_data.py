"""What a quote and a bar say beside what the venue told."""

from decimal import Decimal

from kangbot.model.data import Bar, Quote
from tests.support.trade_words import MARKET, SECOND, START


def test_the_middle_lies_between_bid_and_ask() -> None:
    """Exactly, whatever the tick."""
    one = Decimal(1)
    quote = Quote(market=MARKET, bid=Decimal("99.9"), bid_quantity=one, ask=Decimal(100), ask_quantity=one, at_ns=0)
    assert quote.mid == Decimal("99.95")


def test_a_bar_ends_where_the_next_one_begins() -> None:
    """The instant is not in it."""
    one = Decimal(1)
    bar = Bar(market=MARKET, timeframe_s=60, open_ns=START, open=one, high=one, low=one, close=one, volume=one)
    assert bar.close_ns == START + 60 * SECOND
