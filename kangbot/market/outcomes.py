"""What becomes of how things end: the breakers count it, the desk of faults acts on it, and entries wait for it.

Everything that a market does and that may fail is told here once, and a market asks here before it enters. What is
answered holds entries only: an exit, a cancellation and a stop leave whatever is not well.
"""

from collections.abc import Mapping

import structlog

from kangbot.execution.account import Account
from kangbot.execution.circuits import Circuits
from kangbot.execution.venue_clock import VenueClock
from kangbot.health.faults import FaultDesk
from kangbot.machines.faults import LANES, Operation
from kangbot.market.rules import Rules
from kangbot.market.task import MarketTask
from kangbot.model.ids import MarketId
from kangbot.risk.account import AccountRisk

log = structlog.get_logger(__name__)


class Outcomes:
    """Those of one account; `markets` are the floor's own, as they join."""

    def __init__(
        self,
        *,
        risk: AccountRisk,
        account: Account,
        circuits: Circuits,
        faults: FaultDesk,
        rules: Rules,
        venue_clock: VenueClock,
        markets: Mapping[MarketId, MarketTask],
    ) -> None:
        self._risk = risk
        self._account = account
        self._circuits = circuits
        self._faults = faults
        self._rules = rules
        self._venue_clock = venue_clock
        self._markets = markets

    def held(self, market: MarketId) -> str:
        """Return why the market may not enter; "" where it may."""
        if self._risk.killed:
            return f"kill_switch: {self._risk.killed}"
        if self._account.fell_by:
            return f"account: nobody has compared our books with the venue's since {self._account.fell_by}"
        if reason := self._account.unread.get(market):
            return f"account: what the venue says of this market cannot be read: {reason}"
        if (task := self._markets.get(market)) is not None and task.inbox.missed_since_ns:
            return "inbox: news of the account did not fit, and are being asked for"
        return self._circuits.held(market) or self._faults.held(market)

    def ended(self, market: MarketId, operation: Operation, error: Exception | None, subject: str = "") -> None:
        """Learn how an operation of the market ended, None for well. `subject` is the id of what it was about."""
        self._venue_clock.heed(error)
        if (lane := LANES.get(operation)) is not None:
            self._circuits.ended(market, lane, error)
        self._rules.ended(market, operation, error)
        self._faults.ended(market, operation, error, subject)

    def account_fell(self, error: Exception, wait_ns: int | None) -> None:
        """Learn from the supervisor that the account's keeper fell. It is run again after a wait in any case."""
        self._account.fell(error, again=wait_ns is not None)
        self._faults.ended(None, Operation.TURN, error)
