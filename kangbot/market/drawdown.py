"""The drawdown, counted anew because a person accepts what was lost.

The highest equity never comes down by itself, so once the limit is reached nothing enters until equity is back. Whoever
has looked into the loss and wants to go on says so, once, and from then on the fall is counted from the equity of that
moment. The limit stays as it is; so do the day's loss, the kill switch and what a single market rests for.

It counts from the call on. An entry that follows is behind it in the journal, so what the disk has of the two is in
that order; where it takes neither, a restart counts as before.
"""

from collections.abc import Awaitable
from decimal import Decimal

import msgspec
import structlog

from kangbot.model.money import Money
from kangbot.ports import Journal
from kangbot.risk.account import AccountRisk

log = structlog.get_logger(__name__)


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: what a caller is answered."""

    reset: bool  # False: equity is at its highest, or not known, and nothing was changed
    currency: str
    equity: Money | None  # what the drawdown is counted from now; None where it is not known
    highest: Money | None  # what it was counted from before; None where nothing was reset
    drawdown_percent: Decimal  # that it was before
    held: tuple[str, ...]  # what keeps every market from entering all the same, in words


def count_anew(
    risk: AccountRisk, journal: Journal, caller: str, now_ns: int, *, again: bool = False
) -> tuple[Recount, Awaitable[int] | None]:
    """Count the drawdown anew; `journal` is one that `risk` hears. `again`: the disk may not have taken it before.

    Returns what became of it, and what resolves once that is on disk; None where there was nothing to reset.
    """
    before, event = round(risk.drawdown_percent, 2), risk.accepted(caller, now_ns, again=again)
    written = None
    if event is not None:
        written = journal.append(event, reserve=True)
        log.warning("drawdown.reset", caller=caller, highest=str(event.highest), equity=str(event.equity))
    killed = (f"the kill switch is set: {risk.killed}",) if risk.killed else ()
    recount = Recount(
        reset=event is not None,
        currency=risk.currency,
        equity=risk.newest_equity,
        highest=None if event is None else event.highest,
        drawdown_percent=before,
        held=(*risk.spent(now_ns), *killed),
    )
    return recount, written
