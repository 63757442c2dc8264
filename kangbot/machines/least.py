"""Whether a market's size is enough for any order: told where it goes live, not only once its strategy wants in."""

from kangbot.machines.sizing import below_minimum
from kangbot.model.data import Quote
from kangbot.model.market import Instrument
from kangbot.model.money import Money, floor_to
from kangbot.model.orders import Purpose


def too_small(size: Money, instrument: Instrument, quote: Quote | None) -> str:
    """Return why no entry is large enough, in words; "" where one is, or where nobody knows a price yet."""
    if quote is None or quote.bid <= 0 or quote.ask <= 0:
        return ""
    whole = floor_to(size / quote.bid, instrument.step)
    small = below_minimum(whole, quote.bid, instrument, Purpose.ENTRY)
    if not small:
        return ""
    return f"nothing can be entered: a size of {size:f} buys {whole:f} {instrument.base}, and {small}; raise `size`"
