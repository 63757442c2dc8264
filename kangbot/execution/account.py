"""One venue account: routes its private stream to the markets, and asks it in bulk whether all agree.

A stream that is up proves nothing about what it did not say. So the account is asked for its open orders, positions
and executions at start, on every reconnect of the private stream and whenever something it said cannot be read, on a
slow beat, and every few seconds while anything is in flight; each market gets the answers as one `Reconciled` in its
inbox. What they mean is `machines/agreement.py`. A market that needs executions from long ago is asked for by itself:
those of all the others since then would fill pages.

A round counts only as a whole: where one question fails, nobody hears of the others' answers. Where an answer has
something of one market that cannot be read, that market alone hears nothing, and enters nothing until it can be.

Where spot markets trade, the account's equity is its money and their coins, counted together: `machines/worth.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from kangbot.errors import NeedsHuman, PartlyRead, RateLimited, named, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.execution.executor import Pulse
from kangbot.execution.numbers import Numbers
from kangbot.machines.backoff import Backoff
from kangbot.machines.priority import Priority
from kangbot.machines.reconcile import Reconciled
from kangbot.machines.told import Told
from kangbot.machines.worth import Stake, Stated, worth
from kangbot.model.data import MarketData
from kangbot.model.events import EquityMarked, Noted, Severity
from kangbot.model.ids import MarketId, number_of
from kangbot.model.money import ZERO, Money, Quantity
from kangbot.model.orders import AccountEvent, Balance, CashFlow, Fill, OrderReport, VenuePosition
from kangbot.ports import Journal, Topic, Venue
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)

T = TypeVar("T")
_Event = TypeVar("_Event", OrderReport, Fill | CashFlow)
Deliver = Callable[[AccountEvent | Reconciled], None]

OVERLAP_NS = 60 * SECOND_NS  # executions are asked for again from so long before the last round
START_OVERLAP_NS = 3600 * SECOND_NS  # so long before the last one we know, after a start, and of who joins later
_REACH_NS = 2 * 3600 * SECOND_NS  # who needs them from further back than so long before that is asked for by itself
_SLOW_NS = 50 * SECOND_NS  # and the next look: a minute after a round at the latest a hand's order is heard of
_LEAP = 50  # an equity that changed by more than a fiftieth at once: money may have been moved
_GAP_S = 0.25  # between two rounds: markets that start one after another share them


class _Member(msgspec.Struct, kw_only=True, eq=False):
    """A market of this account that runs."""

    deliver: Deliver
    pulse: Callable[[], Pulse]
    since_ns: int  # it has heard of every execution before this
    stake: Callable[[], Stake] | None  # what its coins are worth; None for a market that holds none

    def wanted_ns(self) -> int:
        """Return from when on executions are to be asked for."""
        since_ns = self.pulse().executions_since_ns
        return self.since_ns if since_ns is None else min(self.since_ns, since_ns)


class _Answers(msgspec.Struct, frozen=True):
    """What the venue said in one round."""

    open_orders: Sequence[OrderReport]
    positions: Sequence[VenuePosition]
    executed: Mapping[MarketId, Sequence[Fill | CashFlow]]
    coins: Mapping[MarketId, Quantity]  # of spot markets, that no other one counts


class Account:
    """Implements `ports.Sink` for the account's private stream. `run` is its task; one for each venue account.

    `last_execution_ns` is the newest execution in the journal, `born_ns` the journal's first record; 0 for none.
    `offset_ns` is how far the venue's clock is ahead of ours: behind ours, its executions are asked for from earlier.
    `ended` hears how each round ended, None for well. `twin` hears of another daemon that goes on with a copy of this
    journal: each would take the other's orders for its own. `unheard` is called where the private stream does not
    tell what is executed: it is to be connected anew.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        venue: Venue,
        budget: Budget,
        numbers: Numbers,
        last_execution_ns: int,
        born_ns: int,
        equity: Mapping[str, Money],
        busy_s: float = 5.0,
        timeout_s: float = 15.0,
        offset_ns: Callable[[], int] = lambda: 0,
        ended: Callable[[Exception | None], None] = lambda _error: None,
        twin: Callable[[str], None] = lambda _words: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = world.clock
        self._ended = ended
        self._twin = twin
        self._renew = unheard
        self._leapt: Callable[[], None] = lambda: None
        self._told = Told()
        self._draws = world.fork(f"account/{venue.name}")
        self._journal = journal
        self._venue = venue
        self._budget = budget
        self._numbers = numbers
        self._busy_s = busy_s
        self._timeout_s = timeout_s
        self._offset_ns = offset_ns
        remembered_ns = last_execution_ns or born_ns
        # Without a memory there is nothing of ours to catch up with.
        self._since_ns = remembered_ns - START_OVERLAP_NS if remembered_ns else self._clock.now_ns()
        self._equity = dict(equity)
        self.marked_ns: dict[str, int] = {}  # when each currency's equity was known last; absent: before this process
        self._stated: dict[str, Stated] = {}  # balances that are not counted yet, by currency
        self._members: dict[MarketId, _Member] = {}
        self._kick = asyncio.Event()
        self._backoff = Backoff(first_ns=SECOND_NS, ceiling_ns=15 * SECOND_NS)
        self._began_ns = 0  # the first round that succeeded began then, by the venue's clock
        self._asked_ns = 0  # the last one
        self._tried_ns = 0  # the last round began then, whatever became of it
        self._unheard = False  # the private stream said what cannot be read, and no round has begun since
        self.live = False  # the private stream is up
        self.tries = 0  # rounds that began, and pages after the first, whatever became of them: for the watchdog
        self.reconciled = asyncio.Event()  # the first of them has succeeded
        self.failures = 0  # of rounds, since the last that succeeded
        self.unread: dict[MarketId, str] = {}  # markets of which the venue says what cannot be read, and why
        self.fell_by = ""  # the error that ended `run`; "" once a round has succeeded since
        self.unrouted: dict[MarketId, int] = {}  # events of markets that do not run here

    @property
    def paused_until_ns(self) -> int:
        """Until when the venue asked to be left alone; in the past where it did not."""
        return self._budget.paused_until_ns

    @property
    def equity(self) -> Mapping[str, Money]:
        """The account's equity by currency, as known last: what the venue states, and the coins of our markets."""
        return self._equity

    # -------------------------------------------------------------------------------------------------------- markets
    def register(
        self,
        market: MarketId,
        deliver: Deliver,
        pulse: Callable[[], Pulse],
        stake: Callable[[], Stake] | None = None,
    ) -> None:
        """Route the market's events to `deliver` for good, and reconcile it soon. `pulse` tells how urgently.

        `stake` tells what the market's coins are worth: a spot market's.
        """
        since_ns = self._since_ns - START_OVERLAP_NS if self.reconciled.is_set() else self._since_ns
        self._members[market] = _Member(deliver=deliver, pulse=pulse, since_ns=since_ns, stake=stake)
        self._kick.set()

    def hurry(self) -> None:
        """Reconcile now, not on the next beat: a breaker has closed, an operator asks."""
        self._kick.set()

    def on_leap(self, leapt: Callable[[], None]) -> None:
        """Have `leapt` told when the equity differs from the one before by more than trading makes likely."""
        self._leapt = leapt

    # ---------------------------------------------------------------------------------------------------------- stream
    def offer(self, event: MarketData | AccountEvent, received_ns: int) -> None:
        """Take one event of the private stream."""
        del received_ns  # what is urgent in it is measured by its market
        if isinstance(event, Balance):
            if not self._stakes(event.currency):  # beside coins a balance means nothing by itself: a round asks for it
                self._mark(event.currency, event.equity)
        elif isinstance(event, OrderReport | Fill | CashFlow | VenuePosition):
            if isinstance(event, OrderReport | Fill):
                self._beware((event,))
            if isinstance(event, Fill):
                self._told.heard(event)
            member = self._members.get(event.market)
            if member is not None:
                member.deliver(event)
            else:
                self._unrouted(event.market, event)

    def feed_changed(self, topic: Topic, live: bool, reason: str) -> None:  # noqa: ARG002 -- the port's signature
        """Reconcile whenever the private stream is back: what was said meanwhile was said to nobody."""
        if live is not self.live:  # its topics come and go together; each of them would say the same
            log.info("account.stream", venue=self._venue.name, live=live, reason=reason)
        if live and not self.live:
            self._told.listens(self._clock.now_ns() + self._offset_ns())
        self.live = live
        if live:
            self._kick.set()

    def garbled(self, topic: Topic) -> None:  # noqa: ARG002 -- the port's signature
        """Reconcile where something the stream said cannot be read: at once, or `busy_s` after the round before."""
        self._unheard = True
        if self._clock.now_ns() - self._tried_ns >= self._busy_s * SECOND_NS:
            self._kick.set()

    # --------------------------------------------------------------------------------------------------------- rounds
    async def run(self) -> None:
        """Reconcile for ever."""
        while True:
            await self._wait()
            self._kick.clear()
            if await self.reconcile():
                await asyncio.sleep(_GAP_S)
            else:
                await asyncio.sleep(self._backoff.wait_ns(self._draws.random()) / SECOND_NS)
                self._kick.set()

    def fell(self, error: Exception, *, again: bool) -> None:
        """Learn that `run` raised, which begins anew after a wait; `again` is False where that comes too often."""
        said = named(error)
        told, self.fell_by = self.fell_by, said
        self._kick.set()
        if said != told:  # the same again says nothing new
            log.error("account.fell", venue=self._venue.name, again=again, exc_info=error)
            self._note("account.fell", Severity.ERROR, f"nobody compares our books, nothing enters: {said}")

    async def _wait(self) -> None:
        """Wait for a reason to reconcile: a kick, something in flight, or the slow beat."""
        while not self._kick.is_set():
            try:
                async with asyncio.timeout(self._busy_s):
                    await self._kick.wait()
            except TimeoutError:
                self._count()
                if self._clock.now_ns() - self._asked_ns >= _SLOW_NS or self._busy():
                    return

    def _busy(self) -> bool:
        return self._unheard or any(member.pulse().in_flight for member in self._members.values())

    async def reconcile(self) -> bool:
        """Ask the venue for everything once and deliver the answers; False where a question failed."""
        self.tries += 1
        self._unheard = False  # what cannot be read while the questions run is asked for again
        self._count()
        asked_ns = self._tried_ns = self._clock.now_ns()
        members = dict(self._members)  # a market that joins meanwhile may need executions from further back
        wanted, held = {market: member.wanted_ns() for market, member in members.items()}, self._held()
        deep = {market: at_ns for market, at_ns in wanted.items() if at_ns < self._since_ns - _REACH_NS}
        since_ns = min((at_ns for market, at_ns in wanted.items() if market not in deep), default=self._since_ns)
        unread: dict[MarketId, str] = {}
        try:
            open_orders = await self._ask_of_all(self._venue.open_orders, unread)
            positions = await self._ask_of_all(self._venue.positions, unread)
            balances = await self._ask(self._venue.balances)
            # Last, so that whatever the answers above include is among them.
            executions = await self._ask_of_all(partial(self._executions, since_ns), unread)
            executed = _by_market(event for event in executions if isinstance(event, Fill | CashFlow))
            for market, at_ns in deep.items():
                of_it = await self._ask_of_all(partial(self._executions, at_ns, market), unread)
                executed[market] = [event for event in of_it if isinstance(event, Fill | CashFlow)]
        except Exception as error:  # noqa: BLE001 -- whatever it was: a question that failed is no evidence
            self._failed(error)
            return False
        for balance in balances:
            self._state(balance)
        self._tell_unread(unread)
        for market in unread:
            members.pop(market, None)
        self._listen([event for event in executions if isinstance(event, Fill)], asked_ns)
        self._heed([*open_orders, *(event for told in executed.values() for event in told if isinstance(event, Fill))])
        coins = self._coins(balances, held)
        since = dict.fromkeys(members, since_ns) | deep
        self._deliver(members, _Answers(open_orders, positions, executed, coins), since=since, asked_ns=asked_ns)
        self._succeeded(asked_ns)
        return True

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        async with calling(self._budget, Priority.RECONCILE, within_s=self._timeout_s, page=self._turned):
            return await question()

    def _turned(self) -> None:
        """Learn that a question goes on with another page: a round of many is none that hangs."""
        self.tries += 1

    async def _ask_of_all(
        self, question: Callable[[], Awaitable[Sequence[T]]], unread: dict[MarketId, str]
    ) -> Sequence[T]:
        """Return the answer of every market but those that join `unread`."""
        try:
            return await self._ask(question)
        except PartlyRead as answer:
            unread.update({MarketId(market): reason for market, reason in answer.unread.items()})
            return answer.rest

    async def _executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        return await self._venue.executions(since_ns + min(0, self._offset_ns()), market)

    def _deliver(
        self, members: Mapping[MarketId, _Member], answers: _Answers, *, since: Mapping[MarketId, int], asked_ns: int
    ) -> None:
        """Give each market its part of the answers, and take note of what belongs to none."""
        answered_ns, self._since_ns = self._clock.now_ns(), asked_ns - OVERLAP_NS
        stated = {position.market: position for position in answers.positions}
        resting = _by_market(answers.open_orders)
        for market, member in members.items():
            flat = VenuePosition(market=market, net=ZERO, entry=None, stop=None, mark=None)
            snapshot = Reconciled(
                market=market,
                open_orders=resting.get(market, ()),
                executions=answers.executed.get(market, ()),
                executions_since_ns=since[market],
                position=stated.get(market, flat),
                coins=answers.coins.get(market),
                asked_ns=asked_ns,
                answered_ns=answered_ns,
            )
            member.since_ns = self._since_ns
            member.deliver(snapshot)
        for report in answers.open_orders:
            if report.market not in self._members:
                self._unrouted(report.market, report)
        for position in answers.positions:
            if position.market not in self._members:
                self._unrouted(position.market, position)

    # -------------------------------------------------------------------------------------------------------- private
    def _failed(self, error: Exception) -> None:
        if isinstance(error, RateLimited):
            self._budget.pause(error.retry_after_ns)
        self._backoff = self._backoff.failed()
        self._ended(error)
        self.failures += 1
        if self.failures == 1:
            message = words(error)
            remedy = {"remedy": error.remedy} if isinstance(error, NeedsHuman) else {}
            log.warning("account.unreconciled", venue=self._venue.name, error=message, **remedy)
            self._note("account.unreconciled", Severity.WARNING, f"{self._venue.name} cannot be asked: {message}")

    def _succeeded(self, asked_ns: int) -> None:
        if self.failures:
            log.info("account.reconciled", venue=self._venue.name, after_failures=self.failures)
            text = f"{self._venue.name} answers again, after {self.failures} failed rounds"
            self._note("account.reconciled", Severity.INFO, text)
        self._ended(None)
        self.failures, self.fell_by = 0, ""
        self.reconciled.set()
        self._backoff = self._backoff.reset()
        self._asked_ns = asked_ns
        self._began_ns = self._began_ns or asked_ns + self._offset_ns()

    def _tell_unread(self, unread: dict[MarketId, str]) -> None:
        """Tell once of each market whose rows cannot be read, and once when they can be again.

        The reason may quote what differs from round to round, such as a time: other words are no news.
        """
        known, self.unread, name = self.unread, unread, self._venue.name
        for market, reason in unread.items():
            if market not in known:
                log.error("account.unread", venue=name, market=market, reason=reason)
                text = f"what {name} says of it cannot be read, so nothing enters there: {reason}"
                self._note("account.unread", Severity.ERROR, text, market)
        for market in (market for market in known if market not in unread):
            log.info("account.read", venue=name, market=market)
            self._note("account.read", Severity.INFO, f"what {name} says of it can be read again", market)

    def _listen(self, fills: Sequence[Fill], asked_ns: int) -> None:
        """Have the private stream connected anew where it is acknowledged and says nothing: fills would come late."""
        if self.live and self._told.mute(fills, asked_ns + self._offset_ns()):
            text = f"{self._venue.name}'s private stream has not told of executions: it is connected anew"
            log.warning("account.unheard", venue=self._venue.name, message=text)
            self._note("account.unheard", Severity.WARNING, text)
            self._renew()

    def _heed(self, known: Sequence[OrderReport | Fill]) -> None:
        """Give no number that the venue knows: of a journal that was put back it knows later orders than we do."""
        self._beware(known)
        tag, name = self._journal.tag, self._venue.name
        orders = {number_of(one.client_id, tag): one.client_id for one in known}
        if not (unknown := self._numbers.heed(orders)):
            return
        text = (
            f"an older copy of the journal was put in place: {name} knows order {orders[unknown]} of it, and it does "
            "not. New orders get numbers far beyond, and what was traded in between is in the books by its fills"
        )
        log.error("journal.behind", venue=name, order=orders[unknown], message=text)
        self._note("journal.behind", Severity.CRITICAL, text)

    def _beware(self, known: Sequence[OrderReport | Fill]) -> None:
        """Tell of an order under this journal's name that was sent past us.

        What rested of a life that the journal has forgotten was listed in the first round, and its number is heeded. An
        order that has no number of ours, and rests or is filled since then, was sent since then.
        """
        if not self._began_ns:
            return
        for one in known:
            number = number_of(one.client_id, self._journal.tag)
            since = isinstance(one, OrderReport) or one.at_ns > self._began_ns
            if number and since and self._numbers.strange(number, one.market):
                self._numbers.leap(number)
                self._twin(
                    f"order {one.client_id} was sent under this journal's name and not by this daemon: a copy of its "
                    "state folder runs elsewhere. Stop one of the two, then release"
                )

    def _held(self) -> Mapping[MarketId, Stake]:
        """Return what each spot market has in the account."""
        return {market: member.stake() for market, member in self._members.items() if member.stake is not None}

    def _coins(self, balances: Sequence[Balance], before: Mapping[MarketId, Stake]) -> Mapping[MarketId, Quantity]:
        """Return the coins that each spot market may find its own among, the first to join before the others.

        `before` is what they had when the venue was asked: what is bought meanwhile is in no balance yet.
        """
        left, found = {balance.currency: balance.equity for balance in balances}, dict[MarketId, Quantity]()
        for market, stake in self._held().items():
            if (then := before.get(market)) is None or not stake.coin:
                continue
            found[market] = left.get(stake.coin, ZERO)
            left[stake.coin] = max(ZERO, found[market] - max(ZERO, min(stake.held, then.held)))
        return found

    def _stakes(self, currency: str) -> Sequence[Stake]:
        """Return what each spot market of that currency has in the account."""
        stakes = (member.stake() for member in self._members.values() if member.stake is not None)
        return [stake for stake in stakes if stake.currency == currency]

    def _state(self, balance: Balance) -> None:
        """Take a balance of a round: equity by itself, or to be counted with the coins once the markets have heard."""
        if self._stakes(balance.currency):
            told_ns = self._clock.now_ns()
            self._stated[balance.currency] = Stated(money=balance.equity, at_ns=balance.at_ns, told_ns=told_ns)
        else:
            self._mark(balance.currency, balance.equity)

    def _count(self) -> None:
        """Count the balances whose moment the books of every spot market are known to be of."""
        for currency, stated in tuple(self._stated.items()):
            whole = worth(stated, self._stakes(currency))
            if whole is not None:
                del self._stated[currency]
                self._mark(currency, whole)

    def _mark(self, currency: str, equity: Money) -> None:
        """Journal the equity where it changed."""
        now_ns = self.marked_ns[currency] = self._clock.now_ns()
        before = self._equity.get(currency)
        if before == equity:
            return
        self._equity[currency] = equity
        if before is not None and abs(equity - before) * _LEAP > abs(before):
            self._leapt()
        self._journal.append(
            EquityMarked(
                venue=self._venue.name,
                currency=currency,
                equity=equity,
                at_ns=now_ns,
                venue_ns=now_ns + self._offset_ns(),
            ),
            later=True,
        )

    def _unrouted(self, market: MarketId, event: object) -> None:
        """Count what belongs to a market that does not run here; say so once a market."""
        self.unrouted[market] = self.unrouted.get(market, 0) + 1
        if self.unrouted[market] == 1:
            kind = type(event).__name__
            log.warning("account.unrouted", venue=self._venue.name, market=market, kind=kind)
            self._note("account.unrouted", Severity.WARNING, f"a {kind} of {market}, which does not run here")

    def _note(self, kind: str, severity: Severity, message: str, market: MarketId | None = None) -> None:
        self._journal.append(
            Noted(kind=kind, severity=severity, market=market, message=message, at_ns=self._clock.now_ns())
        )


def _by_market(events: Iterable[_Event]) -> dict[MarketId, list[_Event]]:
    """Return the events of each market, in their order: looking through all of them for each market is quadratic."""
    sorted_out: dict[MarketId, list[_Event]] = {}
    for event in events:
        sorted_out.setdefault(event.market, []).append(event)
    return sorted_out
