"""The safeguards of edits of the configuration, taken out one by one: see `mutants.py`, which puts them in place."""

from collections.abc import Callable, Sequence
from typing import Any

from kangbot.market.floor import Floor
from kangbot.market.spec import MarketSpec
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits

Put = Callable[[object, str, object], None]
Joins = Sequence[tuple[MarketSpec, Instrument | None]]


def edit_drops_books(put: Put) -> None:
    """Let a market that leaves hear nothing of its account any more."""

    def dropped(self: Floor, market: MarketId) -> None:
        self.account._members.pop(market)  # noqa: SLF001 -- taken out on purpose

    _on_leaving(put, dropped)


def edit_drops_stop(put: Put) -> None:
    """Withdraw all that a market has at the venue when it leaves, its stop too."""

    def dropped(self: Floor, market: MarketId) -> None:
        task = self.markets[market]
        vars(task.desk._sentry)["look"] = lambda _net, _wanted: ""  # noqa: SLF001 -- taken out on purpose
        task.desk.executor.protect(None)

    _on_leaving(put, dropped)


def edit_forgets_counts(put: Put) -> None:
    """Forget what a market did when it leaves: one that is back has made no entry yet."""

    def forgotten(self: Floor, market: MarketId) -> None:
        self._risk._record._markets.pop(market, None)  # noqa: SLF001 -- taken out on purpose

    _on_leaving(put, forgotten)


def edit_joins_by_old_books(put: Put) -> None:
    """Make a market that is back anew, by what the journal said at the start."""
    change = Floor.change

    def anew(self: Floor, *, joins: Joins, **named: Any) -> None:
        for spec, instrument in joins:
            if instrument is None:
                self._add(spec, self.markets[spec.market].instrument)
        change(self, joins=joins, **named)

    put(Floor, "change", anew)


def edit_keeps_limits(put: Put) -> None:
    """Keep for a whole life to the limits of its start."""
    slot: Any = vars(AccountRisk)["limits"]

    def first(self: AccountRisk, limits: Limits) -> None:
        if not hasattr(self, "_currency"):  # it is being made
            slot.__set__(self, limits)

    put(AccountRisk, "limits", property(slot.__get__, first))


def _on_leaving(put: Put, act: Callable[[Floor, MarketId], None]) -> None:
    change = Floor.change

    def changed(self: Floor, *, leaves: Sequence[MarketId], **named: Any) -> None:
        change(self, leaves=leaves, **named)
        for market in leaves:
            act(self, market)

    put(Floor, "change", changed)


OF_EDITS = (edit_drops_books, edit_drops_stop, edit_forgets_counts, edit_joins_by_old_books, edit_keeps_limits)
