"""The promises of the order protocol, held against the venue's own books after every change there and each commit here.

    1  at most one venue order an intent
    2  every venue order with our prefix is a journalled intent that is neither REJECTED nor NOT_ACCEPTED
    3  the journal's commit precedes the send; nothing leaves after its deadline
    4  each execution is applied once, and the position is the sum of the fills
    5  a terminal state has evidence, and the venue agrees with it
    6  an UNKNOWN order counts in exposure; the venue's exposure never exceeds the limits
       breakers open for the venue's failures alone, and hold entries back until they close (`breaking.py`)
       what hands do is told and left alone (`hands.py`), and their coins are not sold (`coins.py`)
       the kill switch keeps what `killing.py` says
       every entry is what its strategy decided last (`targets.py`), and none comes once too much is lost (`losses.py`),
       too many came in an hour (`rate.py`), or the market may not enter for another reason (`entering.py`)
       money that people move is no gain and no loss (`moving.py`), and a drawdown that they accept is counted anew
    9  the request budget is kept, and the venue is left alone for as long as it asked

Liveness (7) and replay (8) need an end of the faults: `kangbot/scenario/`. The numbers are those of the documentation.
The venue's books are the truth here: a simulation can look into them, which the daemon cannot.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from kangbot.execution.executor import Executor
from kangbot.machines.breaker import DEFAULTS, BreakerTerms
from kangbot.machines.breakers import Breakers
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.order import worst_case
from kangbot.model.data import Quote, Trade
from kangbot.model.events import (
    BreakerChanged,
    CashFlowApplied,
    Event,
    FillApplied,
    Noted,
    OrderChanged,
    OrderIntended,
    RequestsPaused,
)
from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId, ExecutionId, MarketId, is_stop_id, spot_base
from kangbot.model.money import ZERO, Quantity
from kangbot.model.orders import Evidence, Fill, Intent, OrderStatus, Purpose
from kangbot.ports import IdRule
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.sim.exchange.events import Executed, Funded, SimEvent
from kangbot.sim.exchange.events import OrderChanged as AtVenue
from kangbot.sim.exchange.orders import SimOrder
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.klines import Candle
from kangbot.sim.proof.behind import BehindWatch
from kangbot.sim.proof.breaking import BreakerWatch
from kangbot.sim.proof.coins import CoinWatch
from kangbot.sim.proof.entering import EntryWatch
from kangbot.sim.proof.exposure import ExposureWatch
from kangbot.sim.proof.hands import HandWatch
from kangbot.sim.proof.killing import KillWatch
from kangbot.sim.proof.losses import LossWatch
from kangbot.sim.proof.moving import MoveWatch
from kangbot.sim.proof.targets import TargetWatch
from kangbot.sim.proof.trace import Trace

SECOND_NS = 1_000_000_000
_WANDERS_NS = SECOND_NS  # what is on its way for longer than any connection takes, the daemon cannot foresee
# Alarms of the daemon's own that no session gives a reason for: there is one daemon.
_ALARMS = frozenset(
    {
        "order.resurrected",
        "order.second",
        "order.overfilled",
        "order.impossible",
        "order.orphan",
        "position.quarantine",
        "stop.moved",
        "position.liquidated",
        "fill.forgotten",
        "fill.too_old",
    }
)
# These have a reason where somebody traded by hand.
_OF_HANDS = frozenset({"order.foreign", "position.by_hand", "market.quarantine"})
_CLOCK_NS = 2 * SECOND_NS  # a commit's delay, and by how much the clocks of two lives may differ
_ROUND_NS = 70 * SECOND_NS  # in which the account is asked for its executions at least once
_PUBLIC = (Quote, Trade, Candle)
_DEAD = (OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that was not kept. `invariant` is its number, or a word where it has none."""

    invariant: str
    message: str
    at_ns: int  # since the start of the session


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a session holds its daemon to. Requests are counted a second."""

    limits: Limits
    id_rule: IdRule
    account_requests: int
    data_requests: int
    breakers: BreakerTerms = DEFAULTS


class Invariants:
    """Watches one session. Only the first violation counts: what follows from it says nothing new."""

    def __init__(self, *, engine: SimVenue, rules: Rules, trace: Trace, now_ns: Callable[[], int]) -> None:
        self.violation: Violation | None = None
        self._engine = engine
        self._rules = rules
        self._trace = trace
        self._now_ns = now_ns
        self.intents: dict[ClientId, Intent] = {}  # on disk
        self.statuses: dict[ClientId, OrderStatus] = {}  # on disk
        self.applied: dict[ExecutionId, Fill] = {}  # on disk
        self._flows: dict[ExecutionId, None] = {}
        self._nets: dict[MarketId, Quantity] = {}
        self._fills: dict[ExecutionId, Fill] = {}  # at the venue
        self._funded_ns: dict[ExecutionId, int] = {}  # likewise; when, since the session's start
        self._funded: dict[ExecutionId, MarketId] = {}  # and where
        self.venue_orders: dict[ClientId, str] = {}
        self._sends: dict[ClientId, int] = {}
        self._left: dict[bool, deque[int]] = {False: deque(), True: deque()}
        self._arrived: deque[int] = deque()  # requests of the account, at the venue's door
        self._born_ns = 0
        self._wait_until_ns = {False: 0, True: 0}
        self._kept_until_ns = {False: 0, True: 0}  # as the journal has it, which a later life obeys
        self._books: tuple[AccountRisk, list[Executor]] | None = None
        self.adopts = False  # what somebody trades by hand is the daemon's, in the life that runs
        self.looked_after: dict[MarketId, None] = {}  # by the daemon, or by its last life
        self._breakers: Breakers | None = None
        self.deeds: Counter[str] = Counter()  # what happened that is no fault
        self.breaking = BreakerWatch(rules.breakers, now_ns, lambda what: self.fail("breaker", what), self.deeds)
        self.hands = HandWatch(lambda what: self.fail("hands", what), self.deeds)
        self.behind = BehindWatch(engine, self.hands)
        self._coins = CoinWatch(lambda what: self.fail("coins", what))
        self.killing = KillWatch(lambda what: self.fail("kill", what), self.deeds)
        self.moving = MoveWatch(engine.transfers, lambda what: self.fail("moved", what))
        self.losses = LossWatch(rules.limits, lambda what: self.fail("loss", what))
        self.entering = EntryWatch(
            engine=engine,
            hands=self.hands,
            limits=rules.limits,
            intents=self.intents,
            fail=lambda what: self.fail("entry", what),
        )
        self.exposure = ExposureWatch(
            engine=engine,
            hands=self.hands,
            limits=rules.limits,
            intents=self.intents,
            statuses=self.statuses,
            fail=lambda what: self.fail(6, what),
        )
        self.targets = TargetWatch(lambda what: self.fail("target", what), self.exposure.still, now_ns)

    def fail(self, invariant: int | str, message: str) -> None:
        """Note a violation."""
        if self.violation is None:
            self.violation = Violation(invariant=str(invariant), message=message, at_ns=self._now_ns())
            self._trace.note(self._now_ns(), "VIOLATED", f"({invariant}) {message}")

    def attend(
        self,
        risk: AccountRisk | None,
        executors: Iterable[Executor] = (),
        breakers: Breakers | None = None,
        *,
        foreign: ForeignPolicy = ForeignPolicy.REPORT,
    ) -> None:
        """Watch the books of this life of the daemon, which begins; None: it is dead.

        `foreign` is what becomes in that life of what somebody trades by hand.
        """
        self._books = None if risk is None else (risk, list(executors))
        self._breakers = breakers
        if self._books is None or risk is None:
            return
        self.adopts = self._coins.adopts = foreign is ForeignPolicy.ADOPT
        self.hands.quarantines = foreign is ForeignPolicy.QUARANTINE
        self.looked_after = {executor.position.market: None for executor in self._books[1]}
        self.exposure.begins(self.looked_after, risk.limits)
        self.deeds["market_left_behind"] += self.behind.begins(self.looked_after)
        self.losses.limits = risk.limits
        self.entering.limited(risk.limits)
        self.hands.begins({executor.position.market: executor.quarantine for executor in self._books[1]})

    def joins(self, executor: Executor) -> None:
        """Learn of a market that this life looks after from now on."""
        assert self._books is not None
        market = executor.position.market
        self._books[1].append(executor)
        self.looked_after[market] = None
        self.exposure.joins(market)
        self.behind.joins(market)
        self.hands.begins({market: executor.quarantine})

    def limited(self, limits: Limits) -> None:
        """Learn which limits hold from now on."""
        self.losses.limits = limits
        self.deeds["limit_of_entries_reached"] += self.entering.limited(limits)
        self.deeds["limit_below_exposure"] += self.exposure.limited(limits)

    def intended(self, event: Event) -> None:
        """Learn of an event as it is made."""
        if isinstance(event, OrderIntended):
            self.targets.intended(event.intent)
            self.exposure.intended(event.intent)

    def forgive(self) -> None:
        """Begin the counting of requests anew: of what the last process heard, one that starts knows the journal."""
        self._left = {False: deque(), True: deque()}
        self._arrived.clear()
        self._born_ns = self._now_ns()
        self._wait_until_ns = dict(self._kept_until_ns)

    # ------------------------------------------------------------------------------------------------------- leaving
    def sends(self, intent: Intent, now_ns: int) -> None:
        """Learn that an order leaves; `now_ns` is the daemon's clock."""
        self._trace.request(self._now_ns(), intent)
        known = self.intents.get(intent.client_id)
        if known is None:
            self.fail(3, f"order {intent.client_id} leaves and its intent is not on disk")
        elif known != intent:
            self.fail(3, f"order {intent.client_id} leaves as another than was journalled")
        if now_ns > intent.deadline_ns:
            self.fail(
                3, f"order {intent.client_id} leaves {(now_ns - intent.deadline_ns) / 1e9:.3f} s after its deadline"
            )
        if self._breakers is not None and intent.client_id not in self._sends:
            self.breaking.sends(intent, self._breakers)
        self.killing.sends(intent, again=intent.client_id in self._sends)
        self.hands.sends(intent, again=intent.client_id in self._sends)
        if intent.client_id not in self._sends:
            self._coins.sends(intent)
        self._sends[intent.client_id] = self._sends.get(intent.client_id, 0) + 1
        if self._rules.id_rule is IdRule.WHILE_OPEN and self._sends[intent.client_id] > 1:
            self.fail(1, f"order {intent.client_id} is sent again to a venue that forgets its ids")

    def departs(self, *, public: bool) -> int:
        """Learn that a request leaves; return when."""
        now_ns, left = self._now_ns(), self._left[public]
        left.append(now_ns)
        while left[0] <= now_ns - SECOND_NS:
            left.popleft()
        most = self._rules.data_requests if public else self._rules.account_requests
        if len(left) > most:
            self.fail(9, f"{len(left)} requests within a second, the budget is {most}")
        if now_ns < self._wait_until_ns[public]:
            wait_s = (self._wait_until_ns[public] - now_ns) / 1e9
            self.fail(9, f"a request leaves {wait_s:.3f} s before the venue wants to hear of us again")
        return now_ns

    def arrives(self, left_ns: int, *, public: bool) -> None:
        """Learn that a request is at the venue's door, which counts it. Of public data it allows more than we ask."""
        now_ns, arrived = self._now_ns(), self._arrived
        if public or left_ns < self._born_ns or now_ns - left_ns > _WANDERS_NS:
            return
        arrived.append(now_ns)
        while arrived[0] <= now_ns - SECOND_NS:
            arrived.popleft()
        most = self._rules.account_requests
        if len(arrived) > most:
            self.fail(9, f"{len(arrived)} requests arrive within a second, the budget is {most}")

    def told_to_wait(self, for_ns: int, *, public: bool) -> None:
        """Learn that the venue asked to be left alone."""
        # Whoever had a turn in this very moment may still leave.
        self._wait_until_ns[public] = max(self._wait_until_ns[public], self._now_ns() + for_ns)

    # ---------------------------------------------------------------------------------------------------- at the venue
    def told(self, events: Sequence[SimEvent]) -> None:
        """Learn what changed at the venue."""
        moved = False
        for event in events:
            if isinstance(event, _PUBLIC):
                continue
            if isinstance(event, AtVenue):
                self._trace.venue(self._now_ns(), event)
                self._order(event.order)
                moved = True
            elif isinstance(event, Executed):
                self._trace.venue(self._now_ns(), event)
                self._fills[event.fill.execution_id] = event.fill
                self.hands.executed(event.fill, event.order)
                self._order(event.order)
                moved = True
            elif isinstance(event, Funded):
                self._funded_ns[event.flow.execution_id] = self._now_ns()
                self._funded[event.flow.execution_id] = event.flow.market
        if moved:
            self.exposure.look()

    def _order(self, order: SimOrder) -> None:
        client_id = ClientId(order.request.client_id)
        if is_stop_id(client_id):
            # The stop beside a holding: that it is the right one is asked once the faults are over (`held.py`).
            self.deeds["spot_stop"] += order.untriggered and order.created_ns == order.updated_ns
            self.deeds["spot_stop_sold"] += order.status is OrderStatus.FILLED
            return
        if not client_id.startswith(CLIENT_ID_PREFIX):
            self.hands.order(order)
            return
        if self.venue_orders.setdefault(client_id, order.order_id) != order.order_id:
            self.fail(1, f"intent {client_id} has a second venue order {order.order_id}")
        if order.status is OrderStatus.CANCELED and self.killing.set:
            self.deeds["kill_withdrawn"] += 1
        if client_id not in self.intents:
            self.fail(2, f"the venue has order {client_id}, the journal does not")
        elif self.statuses.get(client_id) in _DEAD and order.status is not OrderStatus.REJECTED:
            self.fail(2, f"order {client_id} is {order.status.value} and was believed {self.statuses[client_id].value}")

    # ------------------------------------------------------------------------------------------------------ exposure
    def reserved(self) -> None:
        """Hold the ledger of exposure against the orders whose outcome is not known."""
        if self._books is None:
            return
        risk, executors = self._books
        for executor in executors:
            orders = executor.orders
            if not orders:
                continue
            unknown = [
                order
                for order in orders
                if order.status is OrderStatus.UNKNOWN and order.intent.purpose is Purpose.ENTRY
            ]
            if not unknown:
                continue
            worst = sum((risk.worst_case(o.intent) * worst_case(o) / o.intent.quantity for o in unknown), ZERO)
            market = unknown[0].intent.market
            if risk.market_exposure(market) < worst:
                self.fail(6, f"UNKNOWN orders of {market} may cost {worst:.2f} and are not counted in exposure")
            if executor.entries_blocked is None:
                self.fail(6, f"entries of {market} are open while {unknown[0].client_id} is UNKNOWN")

    # ------------------------------------------------------------------------------------------------------- on disk
    def synced(self, rows: Sequence[tuple[Event, str]]) -> None:
        """Learn what is on disk now."""
        for event, text in rows:
            self._trace.journal(self._now_ns(), event, text)
            self.losses.synced(event)
            self.entering.synced(event)
            self.moving.synced(event)
            match event:
                case OrderIntended(intent=intent):
                    if intent.client_id in self.intents:
                        self.fail(1, f"two intents are journalled under the id {intent.client_id}")
                    self.intents[intent.client_id] = intent
                    self.statuses[intent.client_id] = OrderStatus.INTENT
                case OrderChanged():
                    self._changed(event)
                case FillApplied():
                    self._applied(event)
                case BreakerChanged():
                    self.breaking.changed(event)
                case RequestsPaused(budget=budget, until_ns=until_ns, at_ns=at_ns):
                    rests_ns = until_ns - at_ns - _CLOCK_NS
                    self._kept_until_ns[budget.endswith("data")] = self._now_ns() + rests_ns
                case CashFlowApplied(flow=flow):
                    if flow.execution_id in self._flows:
                        self.fail(4, f"cash flow {flow.execution_id} is booked twice")
                    self._flows[flow.execution_id] = None
                case Noted(kind=kind) if kind in _ALARMS or (kind in _OF_HANDS and not self.hands.noted(event)):
                    self.fail(kind, event.message)
                case _:
                    pass

    def _changed(self, event: OrderChanged) -> None:
        order = self._engine.orders.find(client_id=event.client_id)
        self.statuses[event.client_id] = event.status
        named = f"order {event.client_id} is journalled {event.status.value}"
        withheld = event.evidence is Evidence.UNSENT  # a full disk refused the intent, so it never left
        if event.client_id not in self.intents and not withheld:
            self.fail(3, f"{named} and has no intent on disk")
        if not event.status.terminal:
            return
        if event.evidence is Evidence.NONE:
            self.fail(5, f"{named} without evidence")
        if event.status in _DEAD:
            if order is not None and order.status is not OrderStatus.REJECTED:
                self.fail(2, f"{named} and is {order.status.value} at the venue")
        elif order is None:
            self.fail(5, f"{named} and the venue never had it")
        elif not order.status.terminal:
            self.fail(5, f"{named} by {event.evidence.value} and lives at the venue, {order.status.value}")
        elif event.filled > order.filled:
            self.fail(4, f"{named} with {event.filled} filled, the venue filled {order.filled}")

    def _applied(self, event: FillApplied) -> None:
        fill = event.fill
        if fill.execution_id in self.applied:
            self.fail(4, f"execution {fill.execution_id} is applied twice")
        self.applied[fill.execution_id] = fill
        self._coins.applied(event)
        truth = self._fills.get(fill.execution_id)
        if truth is None:
            self.fail(4, f"execution {fill.execution_id} is applied and the venue never told it")
        elif (truth.side, truth.quantity, truth.price) != (fill.side, fill.quantity, fill.price):
            self.fail(4, f"execution {fill.execution_id} is applied as another than it was")
        base = spot_base(fill.market)
        taken = fill.fee if fill.fee_currency == base else ZERO  # coins that never arrived
        net = self._nets.get(fill.market, ZERO) + fill.signed - taken
        if base and fill.market in self.hands.traded_ns:
            net = event.net  # what a sale by hand took of it is held against the venue in the end
        self._nets[fill.market] = net
        if net != event.net:
            self.fail(4, f"fills of {fill.market} sum to {net}, the journal says {event.net}")

    # ---------------------------------------------------------------------------------------------------- in the end
    def net(self, market: MarketId) -> Quantity:
        """Return the sum of the journalled fills."""
        return self._nets.get(market, ZERO)

    def missed(self) -> list[ExecutionId]:
        """Return the executions that the venue told and the journal does not have; cash flows a round later."""
        late = (flow for flow, at_ns in self._funded_ns.items() if at_ns < self._now_ns() - _ROUND_NS)
        here = self.looked_after
        return [
            *(one for one, fill in self._fills.items() if one not in self.applied and fill.market in here),
            *(flow for flow in late if flow not in self._flows and self._funded[flow] in here),
        ]

    @property
    def in_step(self) -> bool:
        """Whether the journal has everything that the venue has executed or paid so far."""
        if len(self.applied) + len(self._flows) == len(self._fills) + len(self._funded_ns):
            return True
        paid = (flow for flow, market in self._funded.items() if market in self.looked_after)
        return not self.missed() and all(flow in self._flows for flow in paid)

    def open_ended(self) -> list[ClientId]:
        """Return the journalled intents that have no end, and do not rest at the venue either."""
        resting = {order.request.client_id for order in self._engine.orders.open()}
        return [
            client_id
            for client_id, status in self.statuses.items()
            if not status.terminal
            and client_id not in resting
            and client_id in self.intents
            and self.intents[client_id].market in self.looked_after
        ]
