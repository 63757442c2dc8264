"""The daemon with one safeguard taken out: a simulation that does not notice is worth nothing.

Each mutant replaces a collaborator, or one method, by what is commonly written in its place; the reasons are those of
the order protocol (docs/simulation.md). Nothing of this is known to the code that trades: `mutated` puts the
replacement in place for as long as it is entered.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from kangbot.errors import Ambiguous, DuplicateId, KangbotError
from kangbot.execution import account, circuits, errands, executor
from kangbot.execution.budget import Budget
from kangbot.execution.calls import Call
from kangbot.execution.learning import Learning
from kangbot.execution.numbers import Numbers
from kangbot.execution.outcome import CancelEnded, ProtectEnded, learnt_from
from kangbot.execution.settling import Settling
from kangbot.journal import compact, replay
from kangbot.journal.replay import Others
from kangbot.machines import blotter, resolve
from kangbot.machines import order as order_machine
from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter
from kangbot.machines.breakers import HOLDING, Breakers
from kangbot.machines.executions import Executions
from kangbot.machines.hands import Hands
from kangbot.machines.memory import MarketMemory, Memory
from kangbot.machines.order import Order
from kangbot.machines.order_table import Sign
from kangbot.machines.order_words import Absent, Learnt, RefusedByVenue, Reported
from kangbot.market import desk, floor
from kangbot.model.events import BreakerState
from kangbot.model.ids import ClientId, MarketId, VenueOrderId
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Evidence, Fill, Intent, OrderReport, OrderStatus
from kangbot.ports import Checkpoint
from kangbot.risk.account import AccountRisk
from kangbot.sim.proof.edit_mutants import OF_EDITS
from kangbot.sim.proof.market_mutants import OF_MARKETS
from kangbot.sim.proof.spot_mutants import SPOT
from kangbot.sim.world.disk import SimJournal
from kangbot.sim.world.port import SimPort

Put = Callable[[object, str, object], None]
_YEARS_NS = 10**18


def _journal_after_send(put: Put) -> None:
    """Send at once; the intent reaches the disk when it does."""

    async def at_once() -> int:
        return 0

    def send(self: errands.Errands, intent: Intent, written: Awaitable[int], depart: errands.Depart) -> None:
        del written
        self._tasks.spawn(f"send/{intent.client_id}", self._send(intent, at_once(), depart))

    put(errands.Errands, "send", send)


def _acknowledged_before_sync(put: Put) -> None:
    """Take a record for written once it is queued."""
    append = SimJournal.append

    def told(self: SimJournal, *events: Any, **how: Any) -> Awaitable[int]:
        ticket = append(self, *events, **how)
        ticket.settle(self.last + 1)  # type: ignore[attr-defined]  # it is a Ticket
        return ticket

    put(SimJournal, "append", told)


def _new_id_a_retry(put: Put) -> None:
    """Send an order that has no answer once more, under another id."""
    submit = SimPort.submit

    async def again(
        self: SimPort, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None
    ) -> OrderReport:
        try:
            return await submit(self, instrument, intent, sent_ns=sent_ns)
        except Ambiguous:
            renamed = msgspec.structs.replace(intent, client_id=ClientId(f"{intent.client_id}r"))
            return await submit(self, instrument, renamed)

    put(SimPort, "submit", again)


def _exception_means_failed(put: Put) -> None:
    """Take every exception for a refusal."""
    put(errands, "learnt_from", lambda error: RefusedByVenue("exception", str(error)))


def _duplicate_means_rejected(put: Put) -> None:
    """Take the refusal of a second copy for the refusal of the order, as ccxt's InvalidOrder suggests."""

    def learnt(error: Exception) -> Learnt:
        return RefusedByVenue("duplicate", str(error)) if isinstance(error, DuplicateId) else learnt_from(error)

    put(errands, "learnt_from", learnt)


def _five_not_founds(put: Put) -> None:
    """Conclude from five answers of "not found", however soon."""
    patient = order_machine._absent  # noqa: SLF001 -- taken out on purpose

    def absent(order: Order, learnt: Absent, now_ns: int) -> Order:
        if order.status is not OrderStatus.UNKNOWN:
            return patient(order, learnt, now_ns)
        counted = msgspec.structs.replace(order, missing=True, absences=order.absences + 1, last_absence_ns=0)
        if counted.absences < 5:
            return counted
        sign = Sign.GONE if order.seen else Sign.ABSENT
        return order_machine._move(counted, sign, Evidence.ABSENCE, now_ns)  # noqa: SLF001 -- taken out on purpose

    put(order_machine, "_absent", absent)


def _absence_before_deadline(put: Put) -> None:
    """Let absence prove something as soon as the order has left."""
    put(Settling, "ours_ns", lambda _self, sent_ns: sent_ns)
    _by_our_clock(put)
    put(blotter, "begin", lambda intent, _margin: Order(intent=intent, settle_ns=0, changed_ns=intent.at_ns))


def _no_settle_margin(put: Put) -> None:
    """Let absence prove something once the receive window has passed, as if the venue had no queue."""

    def begun(intent: Intent, _margin_ns: int) -> Order:
        return Order(intent=intent, settle_ns=intent.deadline_ns, changed_ns=intent.at_ns)

    put(Settling, "ours_ns", lambda self, sent_ns: sent_ns + self.window_ns)
    put(blotter, "begin", begun)
    _by_our_clock(put)


def _by_our_clock(put: Put) -> None:
    """Judge by our clock alone whether the venue's receive window has passed."""
    put(Settling, "venue_ns", lambda _self, **_named: 0)


def _resend_after_deadline(put: Put) -> None:
    """Send the decision of a while ago."""
    depart, left = executor.Executor._depart, errands.Errands._left  # noqa: SLF001 -- taken out on purpose

    def late(intent: Intent) -> Intent:
        deadline_ns, venue_settle_ns = intent.deadline_ns + _YEARS_NS, intent.venue_settle_ns + _YEARS_NS
        return msgspec.structs.replace(intent, deadline_ns=deadline_ns, venue_settle_ns=venue_settle_ns)

    def sendable(order: Order, at_ns: int) -> bool:
        del at_ns
        return order.status is OrderStatus.UNKNOWN and order.missing and not (order.seen or order.restarted)

    put(resolve, "_sendable", sendable)
    put(executor.Executor, "_depart", lambda self, intent, at: depart(self, late(intent), at))
    put(errands.Errands, "_left", lambda self, intent, written, go: left(self, late(intent), written, go))


def _restart_forgets(put: Put) -> None:
    """Begin with the position alone: what was in flight is forgotten."""
    begin = Blotter.__init__

    def forget(self: Blotter, memory: MarketMemory, **named: Any) -> None:
        ended = tuple(order for order in memory.orders if order.status.terminal)
        begin(self, msgspec.structs.replace(memory, orders=ended), **named)

    put(Blotter, "__init__", forget)


def _restart_gives_back(put: Put) -> None:
    """Begin without the quarantines that hands are the reason for."""
    begin = Blotter.__init__

    def forget(self: Blotter, memory: MarketMemory, **named: Any) -> None:
        seen = Hands(strangers=dict.fromkeys(memory.hands.strangers, True))
        begin(self, msgspec.structs.replace(memory, hands=seen), **named)

    put(Blotter, "__init__", forget)


def _ids_begin_anew(put: Put) -> None:
    """Count orders from one after each start."""

    class Anew(Numbers):
        def heed(self, used: Iterable[int]) -> int:  # noqa: ARG002 -- the venue would tell it better
            return 0

    put(floor, "Numbers", lambda _first, **_named: Anew(1))


def _trusts_failed_query(put: Put) -> None:
    """Take a question that failed for an empty answer."""
    ask = account.Account._ask  # noqa: SLF001 -- taken out on purpose

    async def trusting(self: account.Account, question: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await ask(self, question)
        except (KangbotError, TimeoutError):
            return ()

    put(account.Account, "_ask", trusting)


def _no_overlap(put: Put) -> None:
    """Ask for executions since the last question, and never from further back."""
    put(account, "OVERLAP_NS", 0)
    put(account, "START_OVERLAP_NS", 0)
    put(Agreement, "executions_since_ns", property(lambda _self: None))


def _fill_by_cumulative(put: Put) -> None:
    """Know a fill by its order and the quantity it makes, in place of the execution's id."""
    fill = Blotter.fill
    put(Executions, "__contains__", lambda _self, _execution: False)

    def keyed(self: Blotter, filled: Fill, now_ns: int) -> Any:
        order = self.order(filled.client_id, filled.venue_order_id)
        if order is not None and order.executed + filled.quantity > order.intent.quantity:
            return ()
        return fill(self, filled, now_ns)

    put(Blotter, "fill", keyed)


def _late_fills_dropped(put: Put) -> None:
    """Take no fill for an order that is over."""
    fill = Blotter.fill

    def dropped(self: Blotter, filled: Fill, now_ns: int) -> Any:
        order = self.order(filled.client_id, filled.venue_order_id)
        return () if order is not None and order.status.terminal else fill(self, filled, now_ns)

    put(Blotter, "fill", dropped)


def _denied_cancel_is_canceled(put: Put) -> None:
    """Take "no such open order" for a cancellation."""
    _canceled_by(put, lambda ended: ended.denied)


def _cancel_is_canceled(put: Put) -> None:
    """Take a request to cancel for a cancellation, whatever became of it."""
    _canceled_by(put, lambda ended: not ended.denied)


def _canceled_by(put: Put, believed: Callable[[CancelEnded], bool]) -> None:
    take = Learning.take

    def believing(self: Learning, message: Any, now_ns: int) -> Any:
        ended = isinstance(message, CancelEnded) and believed(message)
        order = self.blotter.order(message.client_id) if ended else None
        if order is None or order.status.terminal:
            return take(self, message, now_ns)
        report = OrderReport(
            market=order.intent.market,
            client_id=order.client_id,
            venue_order_id=order.venue_order_id or VenueOrderId(""),
            status=OrderStatus.CANCELED,
            side=order.intent.side,
            quantity=order.intent.quantity,
            filled=order.filled,
            at_ns=now_ns,
        )
        return self.blotter.learn(order.client_id, Reported(report), now_ns)

    put(Learning, "take", believing)


def _stop_not_set(put: Put) -> None:
    """Believe in a stop that nobody asked for."""
    submit = SimPort.submit

    def bare(
        self: SimPort, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None
    ) -> Awaitable[OrderReport]:
        return submit(self, instrument, msgspec.structs.replace(intent, stop=None), sent_ns=sent_ns)

    def believed(self: errands.Errands, stop: Price | None) -> None:
        self._post(ProtectEnded(stop=stop, done=True))

    put(SimPort, "submit", bare)
    put(errands.Errands, "protect", believed)


def _exposure_not_reserved(put: Put) -> None:
    """Count exposure when it is there, not when it is on its way."""
    put(AccountRisk, "reserve", lambda *_: None)


def _unknown_not_counted(put: Put) -> None:
    """Take an order of unknown outcome for one that will not happen."""

    def hopeful(order: Order) -> Quantity:
        return ZERO if order.status is OrderStatus.UNKNOWN else order_machine.worst_case(order)

    put(desk, "worst_case", hopeful)


def _enters_beside_unknown(put: Put) -> None:
    """Enter while an earlier order may live or not."""
    put(Learning, "unknown", property(lambda _self: ()))


def _budget_ignored(put: Put) -> None:
    """Ask for no turn."""

    async def at_once(_self: Budget, *_asked: object, **_how: object) -> int:
        """Return."""
        return 0

    put(Budget, "acquire", at_once)


def _calls_counted(put: Put) -> None:
    """Take a place for a call, however many requests it takes."""

    async def at_once(_self: Call) -> int:
        """Return."""
        return 0

    put(Call, "turn", at_once)


def _counted_as_it_leaves(put: Put) -> None:
    """Take it that a request is at the venue when it leaves."""

    def now(self: Budget, now_ns: int, _keep: str) -> int:
        self._allowance = self._allowance.admit(now_ns)
        return now_ns

    put(Budget, "_admit", now)


def _retry_after_ignored(put: Put) -> None:
    """Ask again at once when the venue wants to be left alone."""
    put(Budget, "pause", lambda *_: None)


def _checkpoint_without_orders(put: Put) -> None:
    """Let a checkpoint stand for positions alone: what was in flight is removed with the records."""
    whole = replay.checkpoint_of

    def bare(memory: Memory, others: Others) -> Checkpoint:
        markets = {name: msgspec.structs.replace(market, orders=()) for name, market in memory.markets.items()}
        return whole(msgspec.structs.replace(memory, markets=markets), others)

    put(compact, "checkpoint_of", bare)


def _breaker_counts_refusals(put: Put) -> None:
    """Count whatever did not end well: refusals, and our own cancellations."""
    put(circuits, "venues_fault", lambda error: error is not None)


def _half_open_admits_all(put: Put) -> None:
    """Once the cool-down is over let everybody try, not one probe."""
    held = Breakers.held

    def open_alone(self: Breakers, market: MarketId) -> str:
        trying = any(self.of(market, lane).state is BreakerState.HALF_OPEN for lane in HOLDING)
        return "" if trying else held(self, market)

    put(Breakers, "held", open_alone)


def _breakers_forgotten(put: Put) -> None:
    """Begin each life with every breaker closed."""

    def anew(self: Breakers, now_ns: int) -> None:
        del now_ns
        self._all.clear()

    put(Breakers, "begin", anew)


_ALL = (
    _journal_after_send,
    _acknowledged_before_sync,
    _new_id_a_retry,
    _exception_means_failed,
    _duplicate_means_rejected,
    _five_not_founds,
    _absence_before_deadline,
    _no_settle_margin,
    _by_our_clock,
    _resend_after_deadline,
    _restart_forgets,
    _restart_gives_back,
    _ids_begin_anew,
    _trusts_failed_query,
    _no_overlap,
    _fill_by_cumulative,
    _late_fills_dropped,
    _denied_cancel_is_canceled,
    _cancel_is_canceled,
    _stop_not_set,
    _exposure_not_reserved,
    _unknown_not_counted,
    _enters_beside_unknown,
    _budget_ignored,
    _calls_counted,
    _counted_as_it_leaves,
    _retry_after_ignored,
    _checkpoint_without_orders,
    _breaker_counts_refusals,
    _half_open_admits_all,
    _breakers_forgotten,
    *OF_MARKETS,
    *SPOT,
    *OF_EDITS,
)
MUTANTS: dict[str, Callable[[Put], None]] = {mutant.__name__.lstrip("_"): mutant for mutant in _ALL}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Run with that safeguard taken out; "" takes none. KeyError where there is no such mutant."""
    undo: list[tuple[object, str, object]] = []

    def put(owner: Any, attribute: str, replacement: object) -> None:
        undo.append((owner, attribute, vars(owner)[attribute]))
        setattr(owner, attribute, replacement)

    if name:
        MUTANTS[name](put)
    try:
        yield
    finally:
        for owner, attribute, original in reversed(undo):
            setattr(owner, attribute, original)
