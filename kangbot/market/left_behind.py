"""What the journal remembers of a market that does not run here any more: nobody looks after it.

A market leaves by an edit of the configuration, or because the venue trades it no longer. While the daemon runs, its
books are kept all the same. After a restart they are not, and the venue is not even asked for it: so whoever starts the
daemon is told what it leaves behind, at each start, and for as long as it runs. On paper there is no venue at which it
goes on: it stands still.
"""

from collections.abc import Collection, Iterable

from kangbot.machines.memory import MarketMemory
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import MarketId, spot_base
from kangbot.model.money import ZERO, Quantity


def left_behind(
    memories: Iterable[MarketMemory],
    running: Collection[MarketId],
    now_ns: int,
    *,
    on_paper: bool,
    configured: Collection[MarketId] = (),
) -> list[Noted]:
    """Return a note on each market that is not `running` and has something left.

    One that is `configured` does not run because the venue does not list it.
    """
    return [
        Noted(
            kind="market.left_behind",
            severity=Severity.WARNING,
            market=known.market,
            message=f"{what}; {_remedy(on_paper=on_paper, configured=known.market in configured)}",
            at_ns=now_ns,
        )
        for known in memories
        if known.market not in running and (what := _left(known, on_paper=on_paper))
    ]


def held(known: MarketMemory) -> Quantity:
    """Return what is held there, signed, as far as an order of ours could close it.

    Coins that no stop covered are too few to be sold, or somebody's: they lie where they are.
    """
    return ZERO if known.stop is None and spot_base(known.market) else known.position.net


def _left(known: MarketMemory, *, on_paper: bool) -> str:
    """Return in words what is held there and what is under way; "" for nothing."""
    said = []
    stop = known.stop
    if net := held(known):
        watched = " that nobody watches" if on_paper else ""
        said.append(f"{net:f} is held {'without a stop' if stop is None else f'with a stop at {stop:f}{watched}'}")
    if flying := [order.client_id for order in known.orders if not order.settled]:
        said.append(f"what became of {', '.join(flying)} is not known")
    lot = "it stands still" if on_paper else "nobody looks after it any more"
    return f"{lot}, and {', and '.join(said)}" if said else ""


def _remedy(*, on_paper: bool, configured: bool) -> str:
    """Return in words what goes before it is looked after again."""
    if configured:
        return "the venue does not list it, and is asked again every ten minutes"
    back = "put the market back into the configuration"
    return f"{back}, and it goes on" if on_paper else f"look at it at the venue, or {back}"
