"""Fees in a currency that no profit is counted in: told once a currency and life, for the sums look right without them.

What such a fee is, and why it counts nowhere, says `model/position.py`.
"""

from collections.abc import Callable

from kangbot.model.events import Event, FillApplied, Severity
from kangbot.model.ids import MarketId
from kangbot.model.position import fee_counts

Note = Callable[[str, Severity, MarketId | None, str], None]


class ForeignFees:
    """Hears of every event of the journal; `note` writes one down."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._told: dict[str, None] = {}  # currencies that the exchange takes fees in: a handful

    def observe(self, event: Event) -> None:
        """Tell of the first fee of its currency."""
        if not isinstance(event, FillApplied) or fee_counts(event.fill) or event.fill.fee_currency in self._told:
            return
        fill, currency = event.fill, event.fill.fee_currency
        self._told[currency] = None
        text = (
            f"a fee of {fill.fee:f} {currency} was taken in {fill.market}: profit and the day's loss leave out what is "
            f"paid in {currency}. Switch paying fees in it off at the exchange, or look after it yourself"
        )
        self._note("fee.foreign", Severity.WARNING, None, text)
