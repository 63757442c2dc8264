"""One market's executor: decides without an await, sends in the background, learns from whatever comes back.

Shell around `machines/blotter.py`, called by one task only: the market's. `place`, `cancel` and `protect` return at
once; what came of them arrives as an outcome in the market's inbox and is handed to `handle`. Each call feeds what it
was given, writes what follows to the journal, does what is due, and leaves `deadline_ns` for the next turn.

The order of things is the promise: an intent is on disk before a byte of it leaves; what is learnt is journalled as one
atomic group; nothing is ever sent under a second name.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter_ns

import msgspec

from kangbot.errors import Refused
from kangbot.execution.again import Again, at_once
from kangbot.execution.budget import Budget
from kangbot.execution.clearance import Clearance
from kangbot.execution.errands import Ended, Errands
from kangbot.execution.learning import MESSAGES, Learning, Message
from kangbot.execution.numbers import Numbers
from kangbot.execution.outcome import Outcome, SendEnded, WriteEnded
from kangbot.execution.records import Records
from kangbot.execution.settling import Settling
from kangbot.execution.stops import Stops
from kangbot.execution.venue_clock import VenueClock
from kangbot.machines.agreement import Agreement
from kangbot.machines.blotter import Blotter, Counts
from kangbot.machines.cover import Covering
from kangbot.machines.holding import Holding
from kangbot.machines.memory import MarketMemory
from kangbot.machines.order import Order
from kangbot.machines.order_words import Asked, CancelAsked, CancelSent, Sent
from kangbot.machines.protection import Protection
from kangbot.machines.reconcile import EXPLAIN_NS
from kangbot.machines.resolve import Action, in_flight, next_step
from kangbot.model.events import Event, OrderIntended, Severity
from kangbot.model.ids import ClientId, client_id, stop_ids
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Money, Price, Quantity
from kangbot.model.orders import Intent, Proposal, Purpose
from kangbot.model.position import Position, RoundTrip
from kangbot.ports import IdRule, Journal, Venue
from kangbot.runtime.tasks import OnCrash, Tasks
from kangbot.runtime.world import SECOND_NS, World, earliest

__all__ = ["MESSAGES", "Executor", "Message", "Pulse"]


class Pulse(msgspec.Struct, frozen=True):
    """What the account's reconciler needs to know of a market."""

    in_flight: bool  # ask again soon
    executions_since_ns: int | None  # from when on executions are wanted; None where the usual overlap will do


class Executor:
    """See the module. `on_sent(ns)` hears how long it took from `decided_perf_ns` to the call to the venue.

    `hold` tells why no entry may leave; it is asked again the moment before one does, a second copy of one included.
    `ended` hears how each call to the venue ended, and each append that nobody waits for; `again` is as in `Errands`.
    `cancel_orphans`: orders under our prefix that the journal does not know are cancelled, else only told.
    `quarantine_hands`: a market in which somebody trades by hand is a person's until `release`; `adopt_hands`: what
    they trade is the strategy's, and its stop covers it.
    `venue_clock` is what requests are stamped by.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        venue: Venue,
        instrument: Instrument,
        budget: Budget,
        numbers: Numbers,
        post: Callable[[Outcome], None],
        on_crash: OnCrash,
        memory: MarketMemory,
        born_ns: int,
        strategy: str,
        venue_clock: VenueClock,
        receive_window_ns: int = 5 * SECOND_NS,
        settle_margin_ns: int = 2 * SECOND_NS,
        cancel_orphans: bool = True,
        quarantine_hands: bool = False,
        adopt_hands: bool = False,
        hold: Callable[[], str] | None = None,
        on_sent: Callable[[int], None] | None = None,
        ended: Ended = lambda _operation, _error, _subject: None,
        again: Again = at_once,
    ) -> None:
        self._clock = world.clock
        self._journal = journal
        self._ids_for_ever = venue.id_rule is IdRule.FOR_EVER
        self._numbers = numbers
        self._settling = Settling(window_ns=receive_window_ns, margin_ns=settle_margin_ns, venue_clock=venue_clock)
        self._cancel_orphans = cancel_orphans
        self._on_sent = on_sent
        now_ns = self._clock.now_ns()
        settled_ns = self._settling.ours_ns(now_ns)
        self._blotter = Blotter(
            memory,
            journal=journal.tag,
            strategy=strategy,
            born_ns=born_ns or now_ns,
            settle_ns=settled_ns,
            now_ns=now_ns,
            quarantine_hands=quarantine_hands,
        )
        covering = Covering(mine=stop_ids(journal.tag), instrument=instrument, adopted=adopt_hands)
        spot = instrument.kind is InstrumentKind.SPOT
        self._agreement = Agreement(
            self._blotter,
            covering=covering if spot else None,
            settled_ns=settled_ns if memory.last_execution_ns else 0,  # who never held anything asked for no stop
        )
        self._learning = Learning(self._blotter, self._agreement)
        self._tasks = Tasks(f"executor/{instrument.market}", on_crash)
        self._errands = Errands(
            instrument=instrument,
            venue=venue,
            budget=budget,
            clock=self._clock,
            tasks=self._tasks,
            post=post,
            timeout_s=(receive_window_ns + settle_margin_ns) / SECOND_NS,
            ended=ended,
            again=again,
        )
        self._stops = Stops(learning=self._learning, errands=self._errands, journal=journal.tag)
        self._records = Records(journal=journal, errands=self._errands)
        self._clearance = Clearance(self._learning, self._records, hold=hold, quarantine_hands=quarantine_hands)

    # ------------------------------------------------------------------------------------------------------- reading
    def traded_by(self, strategy: str) -> None:
        """Name the strategy whose round trips are closed from now on."""
        self._blotter.strategy = strategy

    @property
    def position(self) -> Position:
        """The sum of our fills."""
        return self._blotter.position

    @property
    def orders(self) -> Sequence[Order]:
        """Every order that may still change the position, oldest first: open, unknown, or with fills on their way."""
        return self._blotter.unsettled

    @property
    def unknown(self) -> Sequence[Order]:
        """The orders of which nobody knows what became."""
        return self._learning.unknown

    @property
    def stop(self) -> Price | None:
        """The position's stop that rests at the venue, as far as we know."""
        return self._blotter.stop

    @property
    def holding(self) -> Holding:
        """What lies behind the position: the stop that belongs to it, and how much of it was traded by hand."""
        return self._blotter.holding

    @property
    def lacking(self) -> Quantity:
        """How many of the coins that were bought here are not in the account."""
        return self._agreement.lacking

    @property
    def foreign_orders(self) -> Sequence[str]:
        """The orders in words that rest in this market and are not ours, as far as we know."""
        return tuple(self._agreement.foreign.values())

    @property
    def touched(self) -> str:
        """The newest that somebody, or the venue, did past us since the start, stops apart; "" for nothing."""
        return self._blotter.touched

    @property
    def needed(self) -> Quantity:
        """How much a stop must close; 0 where nothing is held, or too little for any stop."""
        return self._agreement.needed

    @property
    def unprotected(self) -> bool:
        """Whether a position is open and no stop rests at the venue."""
        return self._agreement.unprotected

    @property
    def stop_coming(self) -> bool:
        """Whether the stop that follows an entry is on its way for the first time, where none rides with the entry."""
        return self._stops.coming

    @property
    def protection(self) -> Protection:
        """How far the stop that was asked for last has come; `refused` where the venue will not have it."""
        return self._stops.protection

    @property
    def entries_blocked(self) -> str | None:
        """Why no entry may leave; None where one may."""
        return self._clearance.entries_blocked

    @property
    def overfull(self) -> bool:
        """Whether no more can be learnt of the account until the journal has taken some of what was learnt."""
        return self._records.full

    @property
    def quarantine(self) -> str:
        """Why a person must look at this market; "" where nobody needs to."""
        return self._clearance.quarantine

    @property
    def reconciled_ns(self) -> int:
        """When everything was last compared with the venue, by our clock; 0 for never."""
        return self._agreement.reconciled_ns

    @property
    def settled(self) -> bool:
        """Whether a market may go live on it: compared with the venue, and nothing of an earlier life in question."""
        return self._clearance.settled

    @property
    def counts(self) -> Counts:
        """What happened in this process."""
        return self._blotter.counts

    @property
    def last_trip(self) -> RoundTrip | None:
        """The newest closed round trip."""
        return self._blotter.last_trip

    @property
    def realised_by_day(self) -> dict[int, Money]:
        """Profit after fees and cash flows, by day number since the epoch (UTC)."""
        return self._blotter.realised_by_day

    @property
    def funding(self) -> Money:
        """Funding and whatever else moved money without a trade, ever; negative where it was paid."""
        return self._blotter.funding

    def refusal(self, client_id: ClientId) -> str:
        """Return the code by which the venue refused the newest order that it refused for good; "" for any other."""
        refused, code = self._learning.refused
        return code if client_id == refused else ""

    @property
    def upcoming_id(self) -> ClientId:
        """The client id that the next `place` will give, if nobody places before."""
        return client_id(self._journal.tag, self._numbers.upcoming)

    def memory(self) -> MarketMemory:
        """Return what another executor of this market needs to go on from here."""
        return self._blotter.memory()

    def pulse(self, missed_since_ns: int = 0) -> Pulse:
        """Return what the account's reconciler needs to know of this market.

        `missed_since_ns`: from then on its news did not reach us; 0 where they did.
        """
        flying, since = False, []
        if unsettled := self._blotter.unsettled:
            now_ns = self._clock.now_ns()
            flying = any(in_flight(order, now_ns) for order in unsettled)
            since = [order.intent.at_ns for order in unsettled if order.restarted]
            # Fills that were reported and have not come may be in a list that is further behind than rounds overlap.
            late = [order.intent.at_ns for order in unsettled if order.executed < order.reported]
            since += [max(at_ns, now_ns - EXPLAIN_NS) for at_ns in late]
        if (explain_ns := self._agreement.executions_since_ns) is not None:
            since.append(explain_ns)
        if missed_since_ns:
            since.append(missed_since_ns)
        protecting = self._stops.protection.asked_ns > 0
        urgent = flying or protecting or self._agreement.unsettled or missed_since_ns > 0
        return Pulse(urgent, min(since, default=None))

    # --------------------------------------------------------------------------------------------------------- doing
    def place(self, proposal: Proposal, decided_perf_ns: int | None = None) -> Order:
        """Make the proposal an intent with an id and a deadline, journal it, and send it once it is on disk.

        Returns at once. Refused (code `entries_blocked`) for an entry while entries are blocked; nothing has happened.
        """
        if proposal.purpose is Purpose.ENTRY and (reason := self.entries_blocked) is not None:
            raise Refused(reason, code="entries_blocked")
        now_ns, window_ns = self._clock.now_ns(), self._settling.window_ns
        number = self._numbers.take(proposal.market)
        intent = Intent(
            client_id=client_id(self._journal.tag, number),
            number=number,
            market=proposal.market,
            purpose=proposal.purpose,
            side=proposal.side,
            kind=proposal.kind,
            quantity=proposal.quantity,
            price=proposal.price,
            time_in_force=proposal.time_in_force,
            reduce_only=proposal.purpose is Purpose.EXIT,
            stop=proposal.stop,
            reference=proposal.reference,
            reason=proposal.reason,
            at_ns=now_ns,
            deadline_ns=now_ns + window_ns,
            venue_settle_ns=self._settling.venue_ns(later_ns=window_ns),
        )
        written = self._records.intend(OrderIntended(intent=intent, at_ns=now_ns))
        order = self._blotter.open(intent, self._settling.margin_ns)
        self._errands.send(intent, written, lambda: self._depart(intent, decided_perf_ns))
        return order

    def cancel(self, client_id: ClientId) -> None:
        """Want the order cancelled; asked for until it is over. Harmless for one that is over or not remembered."""
        now_ns = self._clock.now_ns()
        self._records.write(self._blotter.learn(client_id, CancelAsked(), now_ns))
        self._step(now_ns)

    def protect(self, stop: Price | None, *, again: bool = False) -> None:
        """Want the position's stop there (None: nowhere); tried until it rests, is refused, or the position ends.

        `again`: the very stop that was refused, once more.
        """
        now_ns = self._clock.now_ns()
        if self._stops.want(stop, now_ns, again=again):
            self._step(now_ns)

    def ruled(self, instrument: Instrument) -> None:
        """Have the stop beside a holding fit these rules of the venue from now on."""
        self._agreement.ruled(instrument)
        self._step(self._clock.now_ns())

    def release(self, caller: str) -> None:
        """Lift a quarantine, over restarts too: a person has looked."""
        if reason := self.quarantine:
            self.tell("market.released", Severity.WARNING, f"{caller} lifted the quarantine: {reason}")
        self._agreement.release()

    async def kept(self) -> None:
        """Wait until all that was learnt and told so far is on disk; what the journal raises where it is not."""
        await self._records.kept()

    def tell(self, kind: str, severity: Severity, message: str) -> None:
        """Note something about this market in the journal and in the log."""
        self._records.write((self._blotter.note(kind, severity, message, self._clock.now_ns()),))

    async def aclose(self) -> None:
        """End the errands. An order on its way becomes a matter of the next start."""
        await self._tasks.aclose()

    # ------------------------------------------------------------------------------------------------------- learning
    def handle(self, message: Message) -> Sequence[Event]:
        """Take one message of the market's inbox; return what was journalled because of it."""
        now_ns = self._clock.now_ns()
        if isinstance(message, WriteEnded):
            self._records.ended(message, now_ns)
        events = self._learning.take(message, now_ns)
        if isinstance(message, SendEnded) and message.unwritten:
            events = ()  # a full disk has better use for its reserve, and a dead one need not be told later
        self._records.write(events)
        self._step(now_ns)
        return events

    def tick(self, now_ns: int) -> Sequence[Event]:
        """Do what is due; return what was journalled because of it."""
        self._records.tick(now_ns)
        events = self._learning.unresolved(now_ns)
        self._records.write(events)
        self._step(now_ns)
        return events

    def deadline_ns(self) -> int | None:
        """Return when `tick` has something to do next; None where only a message can bring something."""
        due_ns = earliest(self._records.due_ns, self._stops.due_ns)
        if orders := self._blotter.unsettled:
            now_ns = self._clock.now_ns()
            due_ns = earliest(due_ns, self._learning.unresolved_ns())
            for order in orders:
                step = next_step(order, now_ns, ids_for_ever=self._ids_for_ever)
                if step.due_ns is not None and not self._flying(step.action, order):
                    due_ns = earliest(due_ns, step.due_ns)
        return due_ns

    # -------------------------------------------------------------------------------------------------------- private
    def _depart(self, intent: Intent, decided_perf_ns: int | None) -> str:
        """Note that the order leaves now, or say why it stays. Called by its errand just before it calls the venue."""
        now_ns = self._clock.now_ns()
        sent = Sent(self._settling.ours_ns(now_ns), self._settling.venue_ns())
        if reason := self._clearance.stays(intent, sent, now_ns):
            return reason
        # Not journalled: a restart may believe nothing of it, for the record is no proof that the send did not happen.
        self._blotter.learn(intent.client_id, sent, now_ns)
        self._learning.departs(intent.client_id, now_ns)
        if decided_perf_ns is not None and self._on_sent is not None:
            self._on_sent(perf_counter_ns() - decided_perf_ns)
        return ""

    # ------------------------------------------------------------------------------------------------------ what is due
    def _step(self, now_ns: int) -> None:
        """Start the errands that are due."""
        self._cancel_orphaned()
        for oversold in self._agreement.oversold:
            self._records.write(self._blotter.learn(oversold, CancelAsked(), now_ns))
        self._stops.follow(now_ns)
        for order in self._blotter.unsettled:
            step = next_step(order, now_ns, ids_for_ever=self._ids_for_ever and not self._clearance.held(order))
            if step.due_ns is None or step.due_ns > now_ns or self._flying(step.action, order):
                continue
            if step.action is Action.CANCEL:
                self._blotter.learn(order.client_id, CancelSent(), now_ns)
                self._errands.cancel(order.client_id)
                continue
            self._blotter.learn(order.client_id, Asked(), now_ns)
            if step.action is Action.RESEND:
                intent = order.intent
                self._errands.resend(intent, partial(self._depart, intent, None))
            else:
                self._errands.ask(order.client_id, again=order.asks > 0)
        self._stops.step(now_ns)

    def _flying(self, action: Action, order: Order) -> bool:
        return self._errands.flying("cancel" if action is Action.CANCEL else "ask", order.client_id)

    def _cancel_orphaned(self) -> None:
        orphans, self._learning.orphans = self._learning.orphans, []
        for orphan in orphans if self._cancel_orphans else ():
            if not self._errands.flying("cancel", orphan):
                self._errands.cancel(orphan)
