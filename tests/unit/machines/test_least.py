"""A size that is too little for any order."""

from decimal import Decimal

import msgspec

from kangbot.machines.least import too_small
from kangbot.model.data import Quote
from tests.support.trade_words import MARKET, START, instrument


def test_what_no_order_is_small_enough_for_is_said() -> None:
    """With what it would buy; a book without a price says nothing."""
    one = Decimal(1)
    quote = Quote(market=MARKET, bid=Decimal(100), bid_quantity=one, ask=Decimal(101), ask_quantity=one, at_ns=START)
    empty = Quote(market=MARKET, bid=Decimal(0), bid_quantity=one, ask=Decimal(101), ask_quantity=one, at_ns=START)
    assert too_small(Decimal("0.05"), instrument(), quote).startswith(
        "nothing can be entered: a size of 0.05 buys 0.000"
    )
    unsold = msgspec.structs.replace(quote, ask=Decimal(0))
    assert [too_small(Decimal("0.05"), instrument(), none) for none in (None, empty, unsold)] == ["", "", ""]
    cheap = msgspec.structs.replace(quote, bid=Decimal("0.4"), ask=Decimal("0.5"))
    assert "buys 2.5 BTC, and the least value is 5 USDT" in too_small(Decimal(1), instrument(), cheap)
    assert too_small(Decimal(200), instrument(), quote) == ""
