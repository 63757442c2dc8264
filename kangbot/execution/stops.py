"""Sees to it that a position's stop rests at the venue: which one is wanted, and when the next request for it leaves.

A perpetual's stop is the position's own. A holding of coins has an order of ours beside it, which follows each fill and
goes when the holding goes (`machines/cover.py`). What came of a request is learnt in `execution/learning.py`.
"""

from kangbot.execution.errands import Errands
from kangbot.execution.learning import Learning
from kangbot.machines.protection import Protection
from kangbot.machines.sizing import protective
from kangbot.model.ids import ClientId, holding_id
from kangbot.model.money import Price
from kangbot.model.orders import Purpose


class Stops:
    """One market's; called by its executor. `journal` is the journal's tag."""

    def __init__(self, *, learning: Learning, errands: Errands, journal: str) -> None:
        self._learning = learning
        self._errands = errands
        self._blotter, self._agreement = learning.blotter, learning.agreement
        self._journal = journal

    @property
    def protection(self) -> Protection:
        """How far the stop that was asked for last has come; `refused` where the venue will not have it."""
        return self._learning.protection

    @property
    def coming(self) -> bool:
        """Whether the stop that follows an entry is on its way for the first time, where none rides with the entry."""
        return self._agreement.covering is not None and self.protection.coming

    @property
    def due_ns(self) -> int | None:
        """When the next request is to leave; None where none is."""
        return self._learning.protection.due_ns()

    def want(self, stop: Price | None, now_ns: int, *, again: bool) -> bool:
        """Want the position's stop there (None: nowhere); False where it rests there already."""
        if stop == self._blotter.stop and not self.protection.asked_ns:
            return False
        self._learning.protection = self.protection.want(stop, now_ns, again=again)
        return True

    def follow(self, now_ns: int) -> None:
        """Want the stop beside a holding as the holding needs it, where the venue does not see to that itself."""
        agreement = self._agreement
        if agreement.covering is None or not agreement.reconciled_ns:
            return
        stop = self._blotter.stop or self._blotter.holding.stop
        if stop is not None:  # the tick may have changed since it was chosen; a holding is always long
            stop = protective(stop, 1, agreement.covering.instrument)
        self._learning.protection = agreement.cover.followed(
            self.protection, needed=agreement.needed, stop=stop, now_ns=now_ns
        )

    def step(self, now_ns: int) -> None:
        """Have the request leave that is due."""
        if self.protection.asked_ns and not self._engaged and not self.protection.flying:
            self._learning.protection = Protection()  # nothing left to protect
        due_ns, protection, agreement = self.due_ns, self.protection, self._agreement
        if protection.asked_ns and agreement.covering is None:
            agreement.carried(protection.wanted)  # by whichever request: the venue may show it before it answers
        if due_ns is None or due_ns > now_ns:
            return
        self._learning.protection = protection.trying(now_ns)
        if agreement.covering is None:
            self._errands.protect(protection.wanted)
            return
        fresh = not protection.tries and not agreement.cover.resting
        self._errands.cover(protection.wanted, agreement.needed, self._lender, fresh=fresh)

    @property
    def _engaged(self) -> bool:
        """Whether a request for a stop may leave: there is something to protect, or a stop without anything."""
        protection = self.protection
        removes = self._agreement.covering is not None and bool(protection.asked_ns) and protection.wanted is None
        return removes or bool(self._agreement.needed)

    @property
    def _lender(self) -> ClientId:
        """The order that lends its id to a stop: the newest entry that bought something, else the holding itself."""
        blotter = self._blotter
        bought = [one for one in blotter.orders if one.intent.purpose is Purpose.ENTRY and one.executed]
        if bought:
            return bought[-1].client_id
        return holding_id(self._journal, blotter.market, blotter.position.opened_ns)
