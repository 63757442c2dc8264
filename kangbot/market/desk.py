"""The desk of one market: from what is wanted to what leaves, without an await.

target - position → plan → risk gate (checked and reserved in one breath) → executor. The desk is asked again whenever
something changed and answers with the next step only, so asking twice changes nothing. When to ask is left to the task,
how an order lives to the executor.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, auto

import msgspec
import structlog

from kangbot.execution.executor import Executor
from kangbot.machines.guard import StopTerms
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.order import Order, worst_case
from kangbot.machines.plan import Style, Working, plan
from kangbot.machines.resolve import in_flight
from kangbot.machines.sizing import below_minimum
from kangbot.machines.worth import Stake
from kangbot.market.inbox import Inbox
from kangbot.market.pace import Pace
from kangbot.market.rules import difference
from kangbot.market.sentry import Sentry
from kangbot.market.spec import MarketSpec
from kangbot.model.data import Quote
from kangbot.model.events import Severity
from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import OrderKind, OrderStatus, Proposal, Purpose
from kangbot.model.position import Position
from kangbot.model.target import Target
from kangbot.risk.account import AccountRisk
from kangbot.risk.facts import MarketFacts
from kangbot.risk.gate import Blocked
from kangbot.runtime.world import SECOND_NS, Clock, earliest

log = structlog.get_logger(__name__)

_FIGURES = re.compile(r"[0-9.]+")

_AT_ONCE = Style(exit_kind=OrderKind.MARKET)
_PRICED_NS = 50 * SECOND_NS  # a price that is asked for, for the sake of equity alone, is good for about a round


class Leave(Enum):
    """What may leave the desk."""

    ANYTHING = auto()
    EXITS = auto()  # paused: the position stays managed
    CANCELS = auto()  # draining: nothing new


class Desk:
    """One market's desk; called by the market's task only.

    `doubt` tells why an entry cannot be stamped; `exits_slow` whether exits are in trouble at the venue; `mark` is the
    venue's mark price, None where it is not known.
    """

    def __init__(
        self,
        *,
        spec: MarketSpec,
        instrument: Instrument,
        executor: Executor,
        risk: AccountRisk,
        inbox: Inbox,
        clock: Clock,
        stops: StopTerms | None = None,
        foreign: ForeignPolicy = ForeignPolicy.REPORT,
        doubt: Callable[[], str] = lambda: "",
        exits_slow: Callable[[], bool] = lambda: False,
        mark: Callable[[], Price | None] = lambda: None,
    ) -> None:
        self.executor = executor
        self.target: Target | None = None
        self.stale = ""  # why the market's data cannot be relied on; kept by the task
        self.blocked = ""  # why what is wanted did not leave; "" where it did, or where nothing is wanted
        self._told: dict[str, None] = {}  # the reasons in the log since an order of ours was news,
        self._news = 0  # of so many
        self.spec = spec
        self._instrument = instrument
        self._risk = risk
        self._inbox = inbox
        self._clock = clock
        self._pace = Pace()
        self._paced: tuple[Decimal, Money] | None = None  # exposure and size that its waits are about
        self._foreign = foreign
        self._doubt = doubt
        self._exits_slow = exits_slow
        self._mark = mark
        self._touched = executor.touched
        self._sentry = Sentry(
            executor=executor, instrument=instrument, inbox=inbox, clock=clock, terms=stops or StopTerms()
        )
        self._reserved: dict[ClientId, None] = {}
        for order in executor.orders:
            self._reserve(order)
        self.account()  # before any market enters: what this one holds counts from the start

    # ------------------------------------------------------------------------------------------------------- exposure
    def _reserve(self, order: Order) -> None:
        """Count an order that is under way, and was not admitted now: an earlier life of the daemon left it."""
        intent = order.intent
        self._risk.reserve(intent.client_id, intent.market, self._risk.worst_case(intent), intent.purpose)
        self._reserved[intent.client_id] = None

    def account(self) -> None:
        """Tell the ledger of exposure how orders and position stand; position first, so that nothing is uncounted."""
        quote = self._inbox.quote
        position = self.executor.position
        mark = quote.mid if quote is not None else position.entry or ZERO  # without an entry it is flat
        exposed = self.position if self.holds_coins else position  # a venue's position is ours to answer for as a whole
        rest = bool(exposed.net) and not self._closable(exposed.net)
        self._risk.position(self.spec.market, exposed.net, mark, rest=rest)
        now_ns = self._clock.now_ns()
        orders = self.executor.orders
        self._pace.look(orders, position.net, now_ns, exits_slow=self._exits_slow, refusal=self.executor.refusal)
        for entry in (one for one in orders if one.intent.purpose is Purpose.ENTRY):
            if entry.client_id not in self._reserved:  # it was believed dead, and shows itself
                self._reserve(entry)
        if not self._reserved:
            return
        working = {order.client_id: order for order in orders}
        for held in tuple(self._reserved):
            order = working.get(held)
            if order is None:
                self._risk.settle(held)
                del self._reserved[held]
            else:
                share = worst_case(order) / order.intent.quantity
                self._risk.order(held, self._risk.worst_case(order.intent) * share)

    @property
    def holds_coins(self) -> bool:
        """Whether what is bought here is coins in the account, and no position that the venue keeps."""
        return self._instrument.kind is InstrumentKind.SPOT

    @property
    def heeds_mark(self) -> bool:
        """Whether entries are held against the venue's mark price."""
        return not self.holds_coins and self._risk.limits.mark_distance_percent is not None

    def stake(self) -> Stake:
        """Return what the market's coins are worth; without a price for them nobody knows."""
        now_ns, quote, position = self._clock.now_ns(), self._inbox.quote, self.executor.position
        value = None if quote is None else (position.net - self.executor.lacking) * quote.mid
        flying = any(in_flight(order, now_ns) for order in self.executor.orders)
        return Stake(
            currency=self._instrument.settle,
            value=value if position.net else ZERO,
            traded_ns=position.last_fill_ns,
            compared_ns=self.executor.reconciled_ns,
            in_flight=flying or self._inbox.missed_since_ns > 0,
            coin=self._instrument.base,
            held=position.net,
        )

    @property
    def unpriced(self) -> bool:
        """Whether coins are held whose price nobody has told for a while."""
        held = self.holds_coins and bool(self.executor.position.net)
        return held and self._clock.now_ns() - self._inbox.priced_ns >= _PRICED_NS

    def ruled(self, instrument: Instrument) -> None:
        """Have orders and stops fit these rules of the venue from now on."""
        words = f"the venue's rules changed: {difference(self._instrument, instrument)}"
        self._instrument = self._sentry.instrument = instrument
        self.executor.ruled(instrument)
        self.executor.tell("market.rules_changed", Severity.INFO, words)
        self._pace.renewed()

    # --------------------------------------------------------------------------------------------------------- action
    def act(self, leave: Leave, received_ns: int) -> None:
        """Take the next step towards the target. `received_ns`: when the frame that caused it was read, 0 for none.

        The kill switch and a stop that cannot be placed stand above target and run state: they close a position at the
        market, of a stopped market too. Without a target (a fall has forgotten it, and the strategy has not said a word
        since) all that happens is that an order is withdrawn once it has rested for long enough.
        """
        self._notice_hands()
        paced = None if self.target is None else (self.target.exposure, self.spec.size)
        if paced != self._paced:
            self._paced = paced
            self._pace.renewed()
        held = self.position
        killed = self._obey_kill_switch()
        unsafe = self._sentry.look(held.net, self._wanted_stop(held.net))
        if killed or unsafe:
            self.target = None  # once this is over, the strategy decides anew
            flat = Target(exposure=ZERO, reason=killed or unsafe)
            position = self._condemned if killed else held
            self._take_step(flat, position, self._inbox.quote or self._stand_in(), Leave.EXITS, received_ns)
        elif leave is not Leave.CANCELS:
            self._take_step(self.target, held, self._inbox.quote, leave, received_ns)

    @property
    def position(self) -> Position:
        """The position as far as it is ours to manage: less what somebody holds by hand, or took from the account."""
        position, lacking = self.executor.position, self.executor.lacking
        if self._foreign is not ForeignPolicy.ADOPT and self.executor.holding.by_hand:
            position = msgspec.structs.replace(position, net=self.executor.holding.ours(position.net))
        return msgspec.structs.replace(position, net=max(ZERO, position.net - lacking)) if lacking else position

    @property
    def stance(self) -> Position:
        """The same as a strategy sees it: what no order can close is nothing.

        Of coins something is left by almost every sale: fees make them uneven, and steps are whole. It would have a
        strategy believe that it is in the market, with its stop beside an entry of long ago.
        """
        position = self.position
        return position if self._closable(position.net) else msgspec.structs.replace(position, net=ZERO)

    @property
    def holds(self) -> bool:
        """Whether something is held, ours or not, that an order can close."""
        return self._closable(self.executor.position.net)

    def _closable(self, net: Quantity) -> bool:
        if not net:
            return False
        quote = self._inbox.quote
        price = self.executor.position.entry if quote is None else quote.bid or quote.ask
        return not below_minimum(abs(net), price or ZERO, self._instrument, Purpose.EXIT)

    @property
    def unflattened(self) -> Quantity:
        """What the kill switch has yet to close here, signed; 0 for nothing, and for what no order can close."""
        if not self._risk.flatten:
            return ZERO
        net = self._condemned.net
        return net if self._closable(net) else ZERO

    @property
    def _condemned(self) -> Position:
        """What the kill switch closes: a position whole, but coins that are somebody's are no position of ours."""
        return self.position if self.holds_coins else self.executor.position

    @property
    def by_hand(self) -> str:
        """What somebody holds or has resting here by hand, in words; "" for nothing."""
        said = [f"order: {words}" for words in self.executor.foreign_orders]
        share = self.executor.holding.by_hand
        gone = self.holds_coins and share < 0 and not self.holds  # sold, with all that could be: nobody holds them
        if share and not gone and self._foreign is not ForeignPolicy.ADOPT:
            said.append(f"position: {share}")
        lacking = self.executor.lacking
        if lacking >= self._instrument.min_quantity and self._closable(self.position.net):
            said.append(f"coins: {lacking} are not in the account")
        return ", ".join(said)

    @property
    def unguarded(self) -> bool:
        """Whether a stop is missing, and what becomes of that is a matter of the price."""
        return self._sentry.waits

    @property
    def unprotected(self) -> str:
        """Why what we hold has no stop at the venue, in words; "" where it has, or where its first is under way."""
        return self._sentry.unprotected(self.position.net)

    def deadline_ns(self) -> int | None:
        """Return when to act again without any news: an order or a stop that had to wait; None where none waits."""
        return earliest(self._pace.next_ns(self._clock.now_ns()), self._sentry.due_ns())

    def _notice_hands(self) -> None:
        """Have the strategy decide anew where somebody, or the venue, traded past it: it had wanted another position.

        What rests of that to enter would wait for its next word, which nobody knows the hour of.
        """
        touched = self.executor.touched
        if touched and touched != self._touched:
            self.target = None
            self.cancel_resting(exits=False)
        self._touched = touched

    def _wanted_stop(self, net: Quantity) -> Price | None:
        """Return where the stop belongs: where the target has it, else where it was last."""
        target = self.target
        if target is not None and target.stop is not None and target.exposure * net > 0:
            return target.stop
        return self.executor.holding.stop

    def _obey_kill_switch(self) -> str:
        """Withdraw entries while the switch is set; return why the position must be closed, "" where it need not."""
        killed = self._risk.killed
        if killed:
            for order in self.executor.orders:
                if order.intent.purpose is Purpose.ENTRY and not order.cancel_requested_ns:
                    self.executor.cancel(order.client_id)
        return f"the kill switch is set: {killed}" if self._risk.flatten else ""

    def _stand_in(self) -> Quote | None:
        """Return a quote to close a position by where the market has none: at the market, any reference will do."""
        at = self.executor.position.entry
        if at is None:
            return None
        return Quote(market=self.spec.market, bid=at, bid_quantity=ZERO, ask=at, ask_quantity=ZERO, at_ns=0)

    def _take_step(
        self, target: Target | None, position: Position, quote: Quote | None, leave: Leave, received_ns: int
    ) -> None:
        if quote is None:
            return
        now_ns = self._clock.now_ns()
        style = self.spec.style if target is self.target else _AT_ONCE
        step = plan(
            target=target,
            position=position,
            working=[_working(order, now_ns) for order in self.executor.orders],
            instrument=self._instrument,
            quote=quote,
            size=self.spec.size,
            style=style,
            resting_stop=self.executor.stop,
        )
        for order_id in step.cancels:
            self.executor.cancel(order_id)
        if step.stop is not None and not self._sentry.engaged:
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
        if entry and (reason := self.executor.entries_blocked or self._sentry.held):
            return reason
        if self._pace.due_ns(proposal.purpose, now_ns) is not None:
            return "the last order came to nothing: the next one waits" + self._pace.because(proposal.purpose)
        upcoming = self.executor.upcoming_id
        verdict = self._risk.admit(proposal, upcoming, self._facts(now_ns), now_ns)
        if isinstance(verdict, Blocked):
            return f"{verdict.rule}: {verdict.reason}"
        if entry:
            self._reserved[upcoming] = None  # first: what falls before there is an order is released at the next look
        order = self.executor.place(proposal, decided_perf_ns=received_ns or None)
        self._pace.placed(order, self.executor.position.net)
        return ""

    def _facts(self, now_ns: int) -> MarketFacts:
        return MarketFacts(
            instrument=self._instrument,
            quote=self._inbox.quote,
            quote_age_ns=now_ns - self._inbox.quote_seen_ns,
            mark=self._mark(),
            stale=self.stale,
            clock=self._doubt(),
            by_hand=bool(self.by_hand),
            unknown_orders=len(self.executor.unknown),
        )

    def _tell(self, blocked: str) -> None:
        """Log why nothing leaves, once a rule until an order has come to something: not on every bar.

        Nor for other figures, nor after each of the orders that the venue refuses with one and the same code.
        """
        before, self.blocked = self.blocked, blocked
        if not blocked or (blocked == before and self._news == self._pace.news):
            return
        if self._news != self._pace.news:
            self._news = self._pace.news
            self._told.clear()
        rule = _FIGURES.sub("", blocked.partition(":")[0])
        if rule and rule not in self._told:
            self._told[rule] = None
            log.info("order.blocked", market=self.spec.market, reason=blocked)

    def release(self, caller: str) -> None:
        """Lift the market's quarantine: a person has looked."""
        self.executor.release(caller)
        self._pace.renewed()

    def renewed(self) -> None:
        """Learn that a person wants the market to go on: what the venue refuses is tried again soon."""
        self._pace.renewed()

    def at_rest(self, *, leave_entries: bool) -> bool:
        """Whether nothing is in flight, no stop either; `leave_entries`: an entry that rests may stay at the venue.

        A stop that was refused is a matter of the policy for stops, which may take for ever.
        """
        resting = (OrderStatus.ACKED, OrderStatus.PARTIAL) if leave_entries else ()
        protection = self.executor.protection
        stop_flies = bool(protection.asked_ns) and not protection.refused
        return not stop_flies and all(order.status in resting for order in self.executor.orders)

    def cancel_resting(self, *, exits: bool) -> None:
        """Ask for the cancellation of every entry that may rest; with `exits` of every exit too.

        A stopped market leaves its position to its stop: an exit that rests would keep it from ever being at rest.
        """
        for order in self.executor.orders:
            of_those = order.intent.kind is OrderKind.LIMIT and (exits or order.intent.purpose is Purpose.ENTRY)
            if of_those and not order.cancel_requested_ns:
                self.executor.cancel(order.client_id)


def _working(order: Order, now_ns: int) -> Working:
    return Working(
        client_id=order.client_id,
        purpose=order.intent.purpose,
        side=order.intent.side,
        kind=order.intent.kind,
        remaining=order.quantity - order.filled,
        age_ns=now_ns - order.intent.at_ns,
        unknown=order.status is OrderStatus.UNKNOWN,
        canceling=bool(order.cancel_requested_ns),
    )
