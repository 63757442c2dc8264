"""The desk of one market: from what is wanted to what leaves, without an await.

target - position → plan → risk gate (checked and reserved in one breath) → executor. The desk is asked again whenever
something changed and answers with the next step only, so asking twice changes nothing. When to ask is left to the task,
how an order lives to the executor.
"""

import re
from enum import Enum, auto

import structlog

from kangbot.execution.executor import Executor
from kangbot.machines.order import Order, worst_case
from kangbot.machines.plan import Style, Working, plan
from kangbot.market.inbox import Inbox
from kangbot.market.pace import Pace
from kangbot.market.spec import MarketSpec
from kangbot.model.data import Quote
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO
from kangbot.model.orders import OrderKind, OrderStatus, Proposal, Purpose
from kangbot.model.target import Target
from kangbot.risk.account import AccountRisk
from kangbot.risk.facts import MarketFacts
from kangbot.risk.gate import Blocked
from kangbot.runtime.world import Clock

log = structlog.get_logger(__name__)

_FIGURES = re.compile(r"[0-9.]+")

_AT_ONCE = Style(exit_kind=OrderKind.MARKET)


class Leave(Enum):
    """What may leave the desk."""

    ANYTHING = auto()
    EXITS = auto()  # paused: the position stays managed
    CANCELS = auto()  # draining: nothing new


class Desk:
    """One market's desk; called by the market's task only."""

    def __init__(
        self,
        *,
        spec: MarketSpec,
        instrument: Instrument,
        executor: Executor,
        risk: AccountRisk,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        self.executor = executor
        self.target: Target | None = None
        self.blocked = ""  # why what is wanted did not leave; "" where it did, or where nothing is wanted
        self._told: dict[str, None] = {}  # the reasons in the log since an order left last
        self._spec = spec
        self._instrument = instrument
        self._risk = risk
        self._inbox = inbox
        self._clock = clock
        self._pace = Pace()
        self._reserved: dict[ClientId, None] = {}
        for order in executor.orders:
            self._reserve(order)
        self.account()  # before any market enters: what this one holds counts from the start

    # ------------------------------------------------------------------------------------------------------- exposure
    def _reserve(self, order: Order) -> None:
        """Count an order that an earlier life of the daemon left under way."""
        intent = order.intent
        self._risk.reserve(intent.client_id, intent.market, self._risk.worst_case(intent), intent.purpose)
        self._reserved[intent.client_id] = None

    def account(self) -> None:
        """Tell the ledger of exposure how orders and position stand; position first, so that nothing is uncounted."""
        quote = self._inbox.quote
        position = self.executor.position
        mark = quote.mid if quote is not None else position.entry or ZERO  # without an entry it is flat
        self._risk.position(self._spec.market, position.net, mark)
        self._pace.look(self.executor.orders, position.net, self._clock.now_ns())
        working = {order.client_id: order for order in self.executor.orders}
        for held in tuple(self._reserved):
            order = working.get(held)
            if order is None:
                self._risk.settle(held)
                del self._reserved[held]
            else:
                share = worst_case(order) / order.intent.quantity
                self._risk.order(held, self._risk.worst_case(order.intent) * share)

    # --------------------------------------------------------------------------------------------------------- action
    def act(self, leave: Leave, received_ns: int) -> None:
        """Take the next step towards the target. `received_ns`: when the frame that caused it was read, 0 for none.

        The kill switch stands above target and run state: entries are withdrawn, and where it wants that, the position
        is closed at the market, of a stopped market too.
        """
        closing = self._obey_kill_switch()
        if closing is not None:
            self._take_step(closing, self._inbox.quote or self._stand_in(), _AT_ONCE, Leave.EXITS, received_ns)
        elif self.target is not None and leave is not Leave.CANCELS:
            self._take_step(self.target, self._inbox.quote, self._spec.style, leave, received_ns)

    def deadline_ns(self) -> int | None:
        """Return when an order that had to wait may leave; None where none waits."""
        return self._pace.next_ns(self._clock.now_ns())

    def _obey_kill_switch(self) -> Target | None:
        """Withdraw entries while the switch is set; return what it wants of the position, None where nothing."""
        killed = self._risk.killed
        if killed:
            for order in self.executor.orders:
                if order.intent.purpose is Purpose.ENTRY and not order.cancel_requested_ns:
                    self.executor.cancel(order.client_id, f"the kill switch is set: {killed}")
        if not self._risk.flatten:
            return None
        self.target = None  # once it is released, the strategy decides anew
        return Target(exposure=ZERO, reason=f"the kill switch is set: {killed}")

    def _stand_in(self) -> Quote | None:
        """Return a quote to close a position by where the market has none: at the market, any reference will do."""
        at = self.executor.position.entry
        if at is None:
            return None
        return Quote(market=self._spec.market, bid=at, bid_quantity=ZERO, ask=at, ask_quantity=ZERO, at_ns=0)

    def _take_step(self, target: Target, quote: Quote | None, style: Style, leave: Leave, received_ns: int) -> None:
        if quote is None:
            return
        now_ns = self._clock.now_ns()
        step = plan(
            target=target,
            position=self.executor.position,
            working=[_working(order, now_ns) for order in self.executor.orders],
            instrument=self._instrument,
            quote=quote,
            size=self._spec.size,
            style=style,
            resting_stop=self.executor.stop,
        )
        for order_id in step.cancels:
            self.executor.cancel(order_id, "no longer wanted")
        if step.stop is not None:
            self.executor.protect(step.stop)
        blocked = step.refused
        for proposal in step.proposals:
            blocked = self._place(proposal, leave, now_ns, received_ns)
        self._tell(blocked)

    def _place(self, proposal: Proposal, leave: Leave, now_ns: int, received_ns: int) -> str:
        """Admit and place one proposal; return why it did not leave, "" where it did."""
        entry = proposal.purpose is Purpose.ENTRY
        if entry and leave is not Leave.ANYTHING:
            return "paused: no entries"
        if entry and (reason := self.executor.entries_blocked):
            return reason
        if self._pace.due_ns(proposal.purpose, now_ns) is not None:
            return "the last order came to nothing: the next one waits"
        verdict = self._risk.admit(proposal, self.executor.upcoming_id, self._facts(now_ns), now_ns)
        if isinstance(verdict, Blocked):
            return f"{verdict.rule}: {verdict.reason}"
        order = self.executor.place(proposal, decided_perf_ns=received_ns or None)
        self._told.clear()
        self._pace.placed(order, self.executor.position.net)
        if entry:
            self._reserved[order.client_id] = None
        return ""

    def _facts(self, now_ns: int) -> MarketFacts:
        return MarketFacts(
            instrument=self._instrument,
            quote=self._inbox.quote,
            quote_age_ns=now_ns - self._inbox.quote_seen_ns,
            unknown_orders=len(self.executor.unknown),
        )

    def _tell(self, blocked: str) -> None:
        """Log why nothing leaves, once a rule until an order leaves again: not on every bar, nor for other figures."""
        rule = _FIGURES.sub("", blocked.partition(":")[0])
        if rule and rule not in self._told:
            self._told[rule] = None
            log.info("order.blocked", market=self._spec.market, reason=blocked)
        self.blocked = blocked

    def at_rest(self, *, leave_entries: bool) -> bool:
        """Whether nothing is in flight; `leave_entries`: an entry that rests at the venue may stay there."""
        resting = (OrderStatus.ACKED, OrderStatus.PARTIAL) if leave_entries else ()
        return all(order.status in resting for order in self.executor.orders)

    def cancel_resting(self, reason: str, *, exits: bool) -> None:
        """Ask for the cancellation of every entry that may rest; with `exits` of every exit too.

        A stopped market leaves its position to its stop: an exit that rests would keep it from ever being at rest.
        """
        for order in self.executor.orders:
            if order.intent.kind is OrderKind.LIMIT and (exits or order.intent.purpose is Purpose.ENTRY):
                self.executor.cancel(order.client_id, reason)


def _working(order: Order, now_ns: int) -> Working:
    return Working(
        client_id=order.client_id,
        purpose=order.intent.purpose,
        side=order.intent.side,
        kind=order.intent.kind,
        remaining=order.intent.quantity - order.filled,
        age_ns=now_ns - order.intent.at_ns,
        unknown=order.status is OrderStatus.UNKNOWN,
        canceling=bool(order.cancel_requested_ns),
    )
