"""One market's task: it empties the inbox, decides, and has the desk act. It runs from the daemon's start to its end.

A turn is synchronous: messages first (what concerns money), then bars, then the strategy, then the desk. Whatever takes
time (subscribing, fetching, orders) is an errand whose outcome comes back through the inbox.

A turn that raises is a fall: the supervisor waits and runs the task again, which begins anew with what the executor and
the journal know. Past its intensity the market is FAILED: its strategy no longer runs, its books are still kept.
"""

from collections.abc import Callable, Iterator
from typing import get_args

import msgspec
import structlog

from kangbot.errors import Refused, named
from kangbot.execution.executor import Message
from kangbot.health.latency import Latencies
from kangbot.machines.least import too_small
from kangbot.machines.reconcile import Reconciled
from kangbot.machines.runstate import Signal, accepts
from kangbot.market.bars import bars_of
from kangbot.market.desk import Desk, Leave
from kangbot.market.errand import Answered
from kangbot.market.inbox import Batch, FeedChanged, Inbox, Released
from kangbot.market.intake import Intake
from kangbot.market.levered import Levered
from kangbot.market.marks import Marked, Marks
from kangbot.market.overflow import Overflow
from kangbot.market.overseer import Overseer
from kangbot.market.preparation import Fetched, Preparation, PreparationFailed, Subscribed
from kangbot.market.prices import Priced, Prices
from kangbot.market.roster import Command, Roster
from kangbot.market.rules import Ruled
from kangbot.market.spec import MarketSpec
from kangbot.market.strategist import Strategist
from kangbot.market.together import Say
from kangbot.model.data import Bar
from kangbot.model.events import BarStored, RunState, Severity
from kangbot.model.market import Instrument
from kangbot.model.orders import Purpose
from kangbot.ports import Journal
from kangbot.runtime.supervisor import Supervisor
from kangbot.runtime.world import Clock, earliest

log = structlog.get_logger(__name__)

_FOR_THE_EXECUTOR = get_args(Message)
_RUNNING = (RunState.STARTING, RunState.WARMING, RunState.LIVE, RunState.PAUSED)
_DECIDING = (RunState.LIVE, RunState.PAUSED)


class MarketTask:
    """One market. The roster commands it, the feed and the account fill its inbox.

    `data_ended` is told what befalls its data, for the breaker of their lane; while `data_held`, no data are asked for
    that only entries need. `deaf`: no venue watches its stop, and nothing is heard of the market. Bars begin and end by
    the venue's clock, which is `offset_ns` ahead of ours. `ended` hears of each fall.
    """

    def __init__(
        self,
        *,
        spec: MarketSpec,
        instrument: Instrument,
        clock: Clock,
        inbox: Inbox,
        desk: Desk,
        roster: Roster,
        preparation: Preparation,
        prices: Prices,
        marks: Marks,
        overseer: Overseer,
        data_ended: Callable[[Exception | None], None],
        data_held: Callable[[], bool],
        deaf: Callable[[], bool],
        supervisor: Supervisor,
        journal: Journal,
        decisions: Latencies,
        cancel_entries: bool,
        offset_ns: Callable[[], int],
        ended: Callable[[Exception], None],
        say: Say,
    ) -> None:
        self.spec = spec
        self.instrument = instrument
        self.inbox = inbox
        self.desk = desk
        self.supervisor = supervisor
        self.overseer = overseer
        self.strategist = Strategist(
            instrument=instrument, clock=clock, inbox=inbox, desk=desk, overseer=overseer, latencies=decisions
        )
        self.intake = Intake(
            market=spec.market,
            clock=clock,
            preparation=preparation,
            ended=data_ended,
            offset_ns=offset_ns,
            say=say,
        )
        self._clock = clock
        self._roster = roster
        self._preparation = preparation
        self._levered = Levered(desk.executor, clock)
        self._prices = prices
        self._marks = marks
        self._data_held = data_held
        self._deaf = deaf
        self._journal = journal
        self._cancel_entries = cancel_entries
        self._ended = ended
        self._act_due = False
        self._untaken: Iterator[object] = iter(())  # of the messages of this turn
        self._overflow = Overflow(spec.market, desk.executor.tell)
        self._waits_ns: int | None = None  # when an order that came to nothing may be tried again
        self._received_ns = 0
        self._wanted: MarketSpec | None = None  # how it is to be traded, where that is not the case yet

    @property
    def wanted(self) -> MarketSpec:
        """How the market is to be traded: `spec`, or what comes after it."""
        return self.inbox.edited or self._wanted or self.spec

    @property
    def state(self) -> RunState:
        """Where the market stands."""
        return self._roster[self.spec.market].state

    @property
    def at_rest(self) -> bool:
        """Whether nothing of the market is in flight: no order that is not to be left at the venue, and no stop."""
        return self.desk.at_rest(leave_entries=not self._cancel_entries)

    def obey(self, command: Command) -> None:
        """Take a command of the operator into the inbox."""
        self.inbox.command(command)

    # ----------------------------------------------------------------------------------------------------------- life
    async def keep(self) -> None:
        """Run under supervision until cancelled."""
        await self.supervisor.keep(self.run, self.fell, self.wait)

    async def run(self) -> None:
        """Empty the inbox for ever. Beginning anew after a fall, a market that should run is prepared again."""
        self._streams_changed()
        if self.state is RunState.STARTING and not self.intake.begun:
            self._begin()
        while True:
            self._turn(await self.inbox.take(self._deadline_ns()))

    async def wait(self, for_ns: int) -> None:
        """Empty the inbox for so long after a fall, without a strategy.

        It is the strategy that falls, as a rule: what is held must hear of its fills and its stop all the same, and
        the kill switch closes it now.
        """
        until_ns = self._clock.now_ns() + for_ns
        while self._clock.now_ns() < until_ns:
            self._turn(await self.inbox.take(earliest(self._deadline_ns(), until_ns)))

    def fell(self, error: Exception, wait_ns: int | None) -> None:
        """Learn from the supervisor that a turn raised; `wait_ns` None: it gave up."""
        words = named(error)
        log.error("market.fell", market=self.spec.market, error=words, again=wait_ns is not None, exc_info=error)
        self._ended(error)
        for message in self._untaken:  # data are fetched anew; what a person said, and how an order ended, is said once
            if isinstance(message, Command | Released):
                self.inbox.command(message)
            elif isinstance(message, _FOR_THE_EXECUTOR):
                self.inbox.put(message)
        self._forget()
        self.inbox.look_again()  # and what the turn would have done is done by the next one
        if wait_ns is None:
            self._move(Signal.GAVE_UP, f"fell too often: {words}")
        else:
            self._move(Signal.CRASHED, words)

    def _stop_strategy(self, reason: str) -> None:
        """Stop the strategy that takes too long: the market alone is FAILED, its books and its stop are kept."""
        self.desk.executor.tell("strategy.stopped", Severity.ERROR, reason)
        self._forget()
        self._move(Signal.GAVE_UP, reason)

    def _begin(self) -> None:
        try:
            bars = bars_of(self.instrument, self.spec.timeframe_s, self.spec.strategy.lookback)
            self.strategist.begin()
        except Refused as error:
            self._move(Signal.GAVE_UP, error.message)
            return
        self.intake.begin(bars, self.spec.timeframe_s, eager=self.spec.eager)
        self._streams_changed()

    def _forget(self) -> None:
        self.intake.end()
        self._streams_changed()
        self.strategist.forget()

    # ----------------------------------------------------------------------------------------------------------- turn
    def _turn(self, batch: Batch) -> None:
        self._received_ns, self.overseer.spent_ns = batch.received_ns, 0
        if batch.renewed:
            self.desk.renewed()
        if batch.edit is not None:
            self._wanted = batch.edit
        self._untaken = iter((*batch.messages, *batch.topics.values()) if batch.topics else batch.messages)
        for message in self._untaken:
            self._take(message)
        self._act_due |= batch.looks
        now_ns = self._clock.now_ns()
        if batch.dropped or self._overflow.lasts:
            self._overflow.look(batch.dropped, now_ns, in_all=self.inbox.dropped)
        if batch.holed:
            self.intake.holed()
        executor = self.desk.executor
        if (due_ns := executor.deadline_ns()) is not None and due_ns <= now_ns:
            executor.tick(now_ns)
            self._act_due = True
        if self._waits_ns is not None and self._waits_ns <= now_ns:
            self._act_due = True
        if self.intake.begun:
            self._take_data(batch, now_ns)
        if self.strategist.spoilt:
            self._begin_anew("its strategy was interrupted in the middle of a bar")
        self._change(renew=False)
        self._put_back()
        self._prices.look(now_ns, needed=self._needs_price)
        self._marks.look(now_ns, needed=self._needs_mark)
        self._advance()
        self.strategist.look()
        if self.overseer.why and self.intake.begun:
            self._stop_strategy(self.overseer.why)
        if self._act_due:
            self._act_due = False
            self._act()

    def _take_data(self, batch: Batch, now_ns: int) -> None:
        for bar in self.intake.closed(batch, now_ns):
            if self._renews:
                self._keep_bar(bar)
                self._change(renew=True)
                break  # history has the rest
            self._closed(bar)
        if (due_ns := self._fetch_ns()) is not None and due_ns <= now_ns:
            self.intake.fetch()
        if batch.quoted and self.state in _DECIDING:
            self._decide()

    def _take(self, message: object) -> None:
        if isinstance(message, _FOR_THE_EXECUTOR):
            self._heard(message)
        elif isinstance(message, Command):
            self._command(message)
        elif isinstance(message, Released):
            self.desk.release(message.caller)
            message.lifted.set()
            self._act_due = True
        elif isinstance(message, Ruled):
            self.instrument = self.strategist.instrument = message.instrument
            self.desk.ruled(message.instrument)
            self._act_due = True
        elif isinstance(message, FeedChanged):
            self._feed_changed(message)
        elif isinstance(message, Priced):
            self._act_due = self._prices.take(message) or self._act_due
        elif isinstance(message, Marked):
            self._marks.take(message)
        elif isinstance(message, Answered):
            if message.attempt == self.strategist.attempt:
                self._received_ns = self.strategist.take(message) or self._received_ns
                self._act_due = True
        elif isinstance(message, Subscribed | Fetched | PreparationFailed):
            if message.attempt == self._preparation.attempt:
                self._prepared(message)
        else:
            raise TypeError(f"nobody takes a {type(message).__name__} here")

    def _heard(self, message: Message) -> None:
        self.desk.executor.handle(message)
        self._levered.heard(message)
        if isinstance(message, Reconciled):
            self.inbox.compared(message)
        self._act_due = True

    # ------------------------------------------------------------------------------------------------------- commands
    def _command(self, command: Command) -> None:
        state = self.state
        if command in (Command.START, Command.RESUME):
            self.desk.renewed()
            self._act_due = True
        if command is Command.START and state in (RunState.STOPPED, RunState.FAILED, RunState.DRAINING):
            self.supervisor.forgive()
            self.overseer.forgive()
            self._move(Signal.START, "started")
            self._begin()
        elif command is Command.STOP and state not in (RunState.STOPPED, RunState.DRAINING):
            self._forget()
            self._move(Signal.STOP, "stopped")
        elif command is Command.PAUSE and state is RunState.LIVE:
            self._move(Signal.PAUSE, "paused")
            self.desk.cancel_resting(exits=False)
        elif command in (Command.RESUME, Command.START) and state is RunState.PAUSED:
            self._move(Signal.RESUME, "resumed")

    def _move(self, signal: Signal, reason: str) -> None:
        self._roster.move(self.spec.market, signal, reason)

    def _advance(self) -> None:
        """Take the steps that need nothing but what is there: WARMING to LIVE, DRAINING to STOPPED."""
        state, executor = self.state, self.desk.executor
        if state not in _RUNNING and self._cancel_entries:
            self.desk.cancel_resting(exits=True)  # nobody decides on it any more, or a crash has left it behind
        if state is RunState.WARMING and self.intake.joined:
            if self.strategist.warm and executor.settled:
                self._move(Signal.WARMED, f"{self.strategist.shown} bars")
                if small := too_small(self.spec.size, self.instrument, self.inbox.quote):
                    executor.tell("market.too_small", Severity.WARNING, small)
                if self._roster.wants_pause(self.spec.market):
                    self._command(Command.PAUSE)
                self._decide()
        elif state is RunState.DRAINING and self.at_rest:
            self._move(Signal.DRAINED, self._roster[self.spec.market].reason)

    # -------------------------------------------------------------------------------------------------------- changes
    @property
    def _renews(self) -> bool:
        """Whether the next bar is for another strategy, or of another length."""
        return self._wanted is not None and self.state in _DECIDING and not self.spec.decides_as(self._wanted)

    def _change(self, *, renew: bool) -> None:
        """Take on what can be taken on by now. A position, or an order under way, keeps size, style, leverage.

        With other bars, another strategy or another leverage the market is prepared anew, as after a fall.
        """
        wanted, before = self._wanted, self.spec
        if wanted is None:
            return
        deciding = renew or self.state not in _DECIDING
        spec = before.with_some_of(wanted, deciding=deciding, ordering=not self._manages)
        self.spec = self.desk.spec = spec
        if spec == wanted:
            self._wanted = None
        if spec == msgspec.structs.replace(before, size=spec.size, style=spec.style):
            return
        self._preparation.leverage = spec.leverage
        self.desk.executor.traded_by(spec.strategy.name)
        self.strategist.changed()
        if spec.strategy is not before.strategy:
            self.overseer.forgive()
        if self.intake.begun:
            self._begin_anew("its configuration changed")

    def _put_back(self) -> None:
        """Prepare the market anew where somebody changed its leverage at the venue, once nothing is held."""
        why = self._levered.due  # nearly always ""
        if why and self.state in _DECIDING and not self.desk.holds and not self.desk.executor.orders:
            self._levered.put_back()
            self._begin_anew(why)

    def _begin_anew(self, reason: str) -> None:
        """Prepare the market once more, as after a fall."""
        self._forget()
        self._move(Signal.CHANGED, reason)
        self._begin()

    # ----------------------------------------------------------------------------------------------------------- data
    def _prepared(self, message: Subscribed | Fetched | PreparationFailed) -> None:
        match message:
            case Subscribed():
                self._levered.placed(self._preparation.leverage)
                if accepts(self.state, Signal.SUBSCRIBED):
                    self._move(Signal.SUBSCRIBED, "every topic is acknowledged")
            case PreparationFailed(reason=reason):
                self._forget()
                self._move(Signal.GAVE_UP, reason)
            case Fetched(history=history):
                for bar in self.intake.fetched(history):
                    self._closed(bar, fetched=True)

    def _feed_changed(self, change: FeedChanged) -> None:
        if self.intake.begun:
            self.intake.feed_changed(change)
            self._streams_changed()
            self._act_due = True  # what waits for fresh data may go

    def _streams_changed(self) -> None:
        """Let everybody know which streams flow: the desk for entries, the prices for the quotes."""
        self.desk.stale = self.intake.why_stale
        self._prices.changed(live=self.intake.quoted)

    @property
    def _manages(self) -> bool:
        """Whether a price is needed, whatever the streams say: something is held or under way.

        Where the strategy does not run, only for a stop that is missing, or that is simulated here and hears no price:
        nothing else asks for one then.
        """
        if not self.intake.begun:
            return self.desk.unguarded or self._deaf()
        executor = self.desk.executor
        if self.desk.holds or any(order.intent.purpose is Purpose.EXIT for order in executor.orders):
            return True
        return bool(executor.orders) and not self._data_held()

    def _needs_price(self) -> bool:
        """Whether a price is asked for while the quotes are silent: coins are part of the account's equity."""
        return self._manages or self.desk.unpriced

    def _needs_mark(self) -> bool:
        """Whether a mark price is asked for: an entry may leave, and is held against it."""
        return self.intake.begun and self.desk.heeds_mark

    def _fetch_ns(self) -> int | None:
        """Return when history is to be fetched; None where it need not, or is under way."""
        due_ns = self.intake.fetch_ns()
        if due_ns is None:
            return None
        bare = self.state in _DECIDING and not self.desk.holds  # a position is managed by its bars
        return None if bare and self._data_held() else due_ns

    def _closed(self, bar: Bar, *, fetched: bool = False) -> None:
        """Show one closed bar to the strategy, and keep it for the history while the market runs."""
        if self.overseer.why or self.strategist.spoilt:
            return  # it has to be stopped, or begins anew: there is no use in having all wait for it once more
        self.strategist.show(bar, fetched=fetched)
        if self.state in _DECIDING:
            self.strategist.bars_seen += 1
            self._keep_bar(bar)
            self._decide()

    def _keep_bar(self, bar: Bar) -> None:
        self._journal.append(BarStored(bar=bar, at_ns=self._clock.now_ns()), later=True)

    def _decide(self) -> None:
        self.strategist.decide(self._received_ns)
        self._act_due = True

    def _act(self) -> None:
        self.desk.account()
        state = self.state
        leave = Leave.ANYTHING if state is RunState.LIVE else Leave.EXITS if state in _DECIDING else Leave.CANCELS
        self.desk.act(leave, self._received_ns)

    def _deadline_ns(self) -> int | None:
        """When a turn is due without a message."""
        self._waits_ns = self.desk.deadline_ns()
        self.inbox.quotes_wake = self.state in _DECIDING and self.spec.strategy.decides_on_quotes
        self.inbox.wake_trade_ns = self.intake.wake_trade_ns
        return earliest(
            self.desk.executor.deadline_ns(),
            self.intake.deadline_ns(),
            self._fetch_ns(),
            self._prices.due_ns(needed=self._needs_price),
            self._marks.due_ns(needed=self._needs_mark),
            self._waits_ns,
            self.strategist.deadline_ns(),
        )
