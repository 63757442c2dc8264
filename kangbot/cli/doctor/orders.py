"""What the configuration means for stops, where that is less than a person would expect of one."""

from collections.abc import Iterator

from kangbot.cli.doctor.finding import Look, Mark
from kangbot.model.ids import spot_base
from kangbot.settings import Settings


def orders(settings: Settings) -> Iterator[Look]:
    """Say once, for all markets that it concerns, what a limit entry risks at a venue that keeps no position."""
    named = [
        market.symbol
        for market in settings.trading
        if market.enabled and market.entry_order == "limit" and spot_base(market.id)
    ]
    if named:
        yield Look(
            name="orders",
            mark=Mark.WARNING,
            says=f"limit entries of {', '.join(named)} bring no stop: it is placed when the first fill is known. What"
            " they buy after a crash or a kill -9 has none until the daemon is back; an orderly stop withdraws them",
            remedy='entry_order = "market" there, where that is too long',
        )
