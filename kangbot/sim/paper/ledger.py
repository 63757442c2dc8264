"""What a simulated account comes to by the journal: its coins and positions, as the fold of our own fills.

A paper account exists nowhere but in the daemon, so the journal is its only memory. Folding every fill and every cash
flow gives what `account.py` held when the last record was written: a fill that had not reached the disk has not
happened, for the daemon and for the account alike. Orders and stops are in the journal's `Memory`.
"""

import msgspec

from kangbot.model.events import CashFlowApplied, Event, FillApplied
from kangbot.model.ids import MarketId, VenueName
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Fill
from kangbot.model.written import Written
from kangbot.sim.exchange.position import Holding
from kangbot.sim.markets.arithmetic import exact


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    coins: dict[str, Money]
    holdings: dict[MarketId, Holding]


class Ledger:
    """The fold, for one venue. Large state with one writer, the replay: mutable.

    `currency` is what the account pays its contracts in, whatever they settle in.
    """

    def __init__(self, venue: VenueName, currency: str) -> None:
        self.coins: dict[str, Money] = {}  # by how much each has changed since the account's beginning
        self.holdings: dict[MarketId, Holding] = {}  # contracts
        self._prefix = f"{venue}:"
        self._currency = currency

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to."""
        return msgspec.json.encode(_Kept(coins=self.coins, holdings=self.holdings))

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood."""
        kept = msgspec.json.decode(state, type=_Kept)
        self.coins, self.holdings = kept.coins, kept.holdings

    @exact
    def observe(self, event: Event) -> None:
        """Take the next event of the journal."""
        if isinstance(event, FillApplied) and event.fill.market.startswith(self._prefix):
            self._filled(event.fill)
        elif isinstance(event, CashFlowApplied) and event.flow.market.startswith(self._prefix):
            self._add(self._currency, event.flow.amount)  # of contracts alone

    def _filled(self, fill: Fill) -> None:
        pair, contract, _ = fill.market.removeprefix(self._prefix).partition(":")
        if contract:
            holding, _, profit = self.holdings.get(fill.market, Holding()).traded(fill.signed, fill.price, fill.at_ns)
            self.holdings[fill.market] = holding
            self._add(self._currency, profit - fill.fee)
        else:
            base, _, quote = pair.partition("-")
            self._add(base, fill.signed)
            self._add(quote, -fill.signed * fill.price)
            self._add(fill.fee_currency, -fill.fee)

    def _add(self, currency: str, amount: Money) -> None:
        self.coins[currency] = self.coins.get(currency, ZERO) + amount
