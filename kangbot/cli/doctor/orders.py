"""What the configuration means for orders, where that is less than a person would expect of it."""

from collections.abc import Iterator

from kangbot.cli.doctor.finding import Look, Mark
from kangbot.model.ids import spot_base
from kangbot.risk.facts import slipped
from kangbot.settings import Settings


def orders(settings: Settings) -> Iterator[Look]:
    """Say once, for all markets that each concerns, what keeps entries back and what they risk."""
    yield from _kept_back(settings)
    yield from _without_stop(settings)


def _kept_back(settings: Settings) -> Iterator[Look]:
    """Find entries that a limit lets in only by chance: at the market they count with their slippage."""
    risk = settings.risk
    limits = [most for most in (risk.market_notional, risk.total_notional) if most]
    least = min(limits, default=None)
    worst = {
        market.symbol: slipped(market.size, risk.slippage_percent) if market.entry_order == "market" else market.size
        for market in settings.trading
        if market.enabled
    }
    named = [symbol for symbol, most in worst.items() if least is not None and most > least]
    if named:
        yield Look(
            name="orders",
            mark=Mark.WARNING,
            says=f"[risk] holds entries of {', '.join(named)} back: at its worst a full one is worth"
            f" {worst[named[0]]:f} with {risk.slippage_percent:f} % of slippage, and the limit is {least:f}",
            remedy="make size smaller there, or raise market_notional and total_notional in [risk]",
        )


def _without_stop(settings: Settings) -> Iterator[Look]:
    """Tell what a limit entry risks at a venue that keeps no position."""
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
