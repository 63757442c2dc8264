"""The sentry of one market: sees to it that what it holds has its stop at the venue, whatever else is going on.

Shell around `machines/guard.py`. It looks on every turn of the market, in every run state, with and without a target:
so after a restart a position gets its stop back as soon as the venue has shown that it has none, before the strategy
has decided anything. What it finds is told once when it begins, at each step, and once when it is over.
"""

from kangbot.execution.executor import Executor
from kangbot.machines.guard import Answer, CloseNow, Guard, Plight, SetStop, StopTerms
from kangbot.machines.sizing import below_minimum
from kangbot.market.inbox import Inbox
from kangbot.model.events import Severity
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import ZERO, Price, Quantity
from kangbot.model.orders import Purpose
from kangbot.runtime.world import SECOND_NS, Clock

_FRESH_NS = 30 * SECOND_NS  # an older quote says nothing of whether a stop would have been hit


class Sentry:
    """One market's sentry; called by the market's desk only."""

    def __init__(
        self, *, executor: Executor, instrument: Instrument, inbox: Inbox, clock: Clock, terms: StopTerms
    ) -> None:
        self._executor = executor
        self.instrument = instrument
        self._inbox = inbox
        self._clock = clock
        self._terms = terms
        self._guard = Guard()
        self._known = executor.position.net if executor.unprotected else ZERO  # without its stop: a former life told

    @property
    def engaged(self) -> bool:
        """Whether a stop is missing and being seen to: nobody else moves it meanwhile."""
        return bool(self._guard.since_ns)

    @property
    def waits(self) -> bool:
        """Whether a price is needed here: for a stop that is missing, or for what is too little for one."""
        return self.engaged or bool(self._guard.small_ns and not self._guard.told)

    @property
    def held(self) -> str:
        """Return why the market may not enter; "" where it may."""
        left_ns = self._guard.rests_until_ns - self._clock.now_ns()
        if left_ns <= 0:
            return ""
        return f"stop_policy: the last position could not be protected; the market rests {left_ns // SECOND_NS} s"

    def due_ns(self) -> int | None:
        """Return when to look again; None where only news can change anything."""
        return self._guard.due_ns(self._terms)

    def look(self, net: Quantity, wanted: Price | None) -> str:
        """Take one look at the position `net` with the stop that is `wanted`, and ask for it where it is missing.

        Return why the position must be closed; "" where it need not.
        """
        if not self._executor.reconciled_ns:
            return ""  # the venue has not been asked yet; what is remembered of the stop stands
        before = self._guard
        self._guard, answer = before.see(self._plight(net, wanted), self.instrument, self._terms)
        self._tell(before, net, answer)
        self._known = ZERO
        if isinstance(answer, SetStop):
            self._executor.protect(answer.price, again=answer.again)
        return answer.reason if isinstance(answer, CloseNow) else ""

    def _plight(self, net: Quantity, wanted: Price | None) -> Plight:
        executor, quote, now_ns = self._executor, self._inbox.quote, self._clock.now_ns()
        price = None
        if quote is not None and now_ns - self._inbox.priced_ns < _FRESH_NS:
            price = quote.bid if net > 0 else quote.ask
        dust = self._too_little(net, price)
        return Plight(
            now_ns=now_ns,
            net=net,
            entry=executor.position.entry,
            rests=not executor.unprotected or executor.stop_coming,
            stop=wanted,
            price=price,
            asked=executor.protection.wanted,
            refused=executor.protection.refused,
            dust=dust,
            small=not dust and self._has_no_stop(net, price),
        )

    def _too_little(self, net: Quantity, price: Price | None) -> bool:
        """Whether no order can close it; coins are worth too little only where their price is known."""
        if price is None and self.instrument.kind is InstrumentKind.SPOT:
            return False
        return bool(net and below_minimum(abs(net), price or ZERO, self.instrument, Purpose.EXIT))

    def _has_no_stop(self, net: Quantity, price: Price | None) -> bool:
        """Whether these are coins worth an order now, and worth none at their stop; not while an entry adds to them."""
        if self.instrument.kind is not InstrumentKind.SPOT or not net or self._executor.needed:
            return False
        at = price or self._executor.position.entry or ZERO
        worth = not below_minimum(net, at, self.instrument, Purpose.EXIT)
        return worth and all(order.intent.purpose is Purpose.EXIT for order in self._executor.orders)

    def unprotected(self, net: Quantity) -> str:
        """Return why what we hold has no stop at the venue, in words; "" where it has, or where its first is coming."""
        if self._guard.small_ns and (self._guard.told or self._guard.closing):
            return "it is too little for a stop of its own"
        return _unprotected(self._executor, net)

    def _tell(self, before: Guard, net: Quantity, answer: Answer) -> None:
        tell, after = self._executor.tell, self._guard
        if after.dust and not before.dust:
            if net != self._known:
                tell("stop.missing", Severity.WARNING, f"no stop rests for {net:f}, and no order closes so little")
        elif after.told and not before.told:
            tell("stop.missing", Severity.WARNING, f"no stop rests for {net:f}, and none can for so little")
        elif isinstance(answer, CloseNow):
            if not before.closing:
                tell("stop.closing", Severity.CRITICAL, f"closing {net:f}: {answer.reason}")
        elif isinstance(answer, SetStop):
            if not before.since_ns:
                tell("stop.missing", Severity.WARNING, f"no stop rests for {net:f}; asking for one at {answer.price:f}")
            elif after.tightened > before.tightened:
                tell("stop.tightened", Severity.WARNING, f"the stop of {net:f} is tried nearer, at {answer.price:f}")
        elif (before.since_ns or before.told) and not (after.since_ns or after.told):
            stop = self._executor.stop
            rests = "the position is closed" if stop is None or not net else f"the stop of {net:f} rests at {stop:f}"
            tell("stop.settled", Severity.INFO, rests)


def _unprotected(executor: Executor, net: Quantity) -> str:
    if not net or not executor.unprotected or executor.stop_coming or not executor.reconciled_ns:
        return ""
    wanted, refused = executor.protection.wanted, executor.protection.refused
    if wanted is None:
        return "no stop is known"
    return f"the venue refuses the stop {wanted:f}: {refused}" if refused else f"the stop {wanted:f} is being set"
