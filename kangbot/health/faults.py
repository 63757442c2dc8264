"""The one place where every error that reaches a shell is classified, told and acted on.

Shell around `machines/faults.py` (what a kind means) and `machines/fault_book.py` (what is due because of it). Whoever
calls the outside says how it ended; what that changes for entries is asked by `held`. Nothing here is waited for, and
nothing here holds back an exit, a cancellation or a stop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from kangbot.errors import NeedsHuman, words
from kangbot.machines.entry_holds import EntryHolds, Hold
from kangbot.machines.fault_book import Fault, FaultBook, Tally, Verdict
from kangbot.machines.faults import DEFAULTS, Action, Gravity, Kind, Operation, Policy, kind_of
from kangbot.model.events import EntriesPaused, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.ports import Journal
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)

_TOLD_BY_THEMSELVES = frozenset(
    {
        Operation.DATA,  # venue.asking_again
        Operation.RECONCILE,  # account.unreconciled
        Operation.FEED,  # feed.down
        Operation.HISTORY,  # history.away
        Operation.JOURNAL,  # journal.behind
        Operation.TURN,  # market.fell, account.fell
        Operation.TASK,  # the end of the process
    }
)
_PROLONGED_NS = 30 * SECOND_NS
_LOUD = {
    Gravity.LOW: Severity.WARNING,
    Gravity.MEDIUM: Severity.WARNING,
    Gravity.HIGH: Severity.ERROR,
    Gravity.CRITICAL: Severity.CRITICAL,
}


class FaultDesk:
    """One for the daemon; `holds` are those of a former life.

    `shut_down` ends the daemon in order; `mask` takes secrets out of a text.

    Whoever has the markets attends to `changed(market)`, told when entries may leave again (None: of every market), and
    `reset()`, which compares the books with the venue's.
    """

    def __init__(
        self,
        *,
        world: World,
        journal: Journal,
        policy: Policy = DEFAULTS,
        shut_down: Callable[[str, BaseException], None] = lambda _name, _error: None,
        mask: Callable[[str], str] = str,
        holds: EntryHolds | None = None,
    ) -> None:
        self._clock = world.clock
        self._journal = journal
        self._book = FaultBook(policy)
        self._shut_down = shut_down
        self._mask = mask
        self._changed: Callable[[MarketId | None], None] = lambda _market: None
        self._reset: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._alerted: dict[tuple[MarketId | None, Operation], dict[Kind, None]] = {}  # of what a person was told
        self._kept: dict[MarketId | None, int] = {}  # until when each pause lasts by the journal
        for hold in () if holds is None else holds.left(self._clock.now_ns()):
            self._book.restore(hold)
            self._kept[hold.market] = hold.until_ns
            self._arm()
            log.warning("entries.still_paused", market=hold.market, why=hold.why)

    def attend(self, *, changed: Callable[[MarketId | None], None], reset: Callable[[], None]) -> None:
        """Take in who carries out what concerns markets."""
        self._changed = changed
        self._reset = reset

    def close(self) -> None:
        """Let nothing more become of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -------------------------------------------------------------------------------------------------------- results
    def ended(
        self, market: MarketId | None, operation: Operation, error: BaseException | None, subject: str = ""
    ) -> None:
        """Learn how an operation ended, None for well. `subject` is the id of what it was about.

        What is the account's matter is one fault of the account, and is told once, whichever markets meet it.
        """
        if error is None:
            self._well(market, operation)
            if market is not None:
                self._well(None, operation)
            return
        said = words(error)
        if isinstance(error, NeedsHuman):
            said = f"{said.rstrip('.')}. {error.remedy}"
            market = None if error.of_account else market
        self.met(kind_of(error, operation), operation, market, said, subject=subject)

    def met(
        self, kind: Kind, operation: Operation, market: MarketId | None, message: str, *, subject: str = ""
    ) -> None:
        """Learn of an error by its kind and words, where its shell has made words of it."""
        now_ns = self._clock.now_ns()
        fault = Fault(kind=kind, operation=operation, market=market, message=self._mask(message))
        verdict = self._book.met(fault, now_ns)
        if not verdict.told and operation not in _TOLD_BY_THEMSELVES:
            severity = verdict.rule.severity.value
            log.warning("error.met", severity=severity, message=fault.message, **_context(fault, subject))
        if verdict.action is not None:
            self._act(verdict.action, verdict, fault, subject)
        if verdict.rule.action is Action.PAUSE:
            self._keep(market, now_ns)

    def _well(self, market: MarketId | None, operation: Operation) -> None:
        over = self._book.well(market, operation)
        if over is not None and operation not in _TOLD_BY_THEMSELVES:
            lasted_s = round((self._clock.now_ns() - over.since_ns) / SECOND_NS, 1)
            log.info("error.over", market=market, operation=operation.value, count=over.count, lasted_s=lasted_s)
            for kind in self._alerted.pop((market, operation), ()):
                text = f"{operation} works again, after {over.count} error{'s' * (over.count != 1)}"
                self._tell_end("error.over", market, text, {"kind": kind.value, "operation": operation.value})
        if over is not None:
            self._tell_over(market)

    def _act(self, action: Action, verdict: Verdict, fault: Fault, subject: str) -> None:
        severity = verdict.rule.severity
        match action:
            case Action.RESET:
                self._reset()
            case Action.BACKOFF:
                self._arm()
            case Action.PAUSE:
                self._arm()
                wait_s = verdict.rule.wait_ns // SECOND_NS
                also = "" if fault.market else " of any market, and exits may be refused too"
                text = f"no entry for {wait_s} s at a time{also}: {fault.message}"
                if self._book.pauses(fault):
                    self._note("entries.paused", severity, text, _context(fault, subject))
                else:
                    log.warning("entries.paused_again", message=text, **_context(fault, subject))
            case Action.ALERT if fault.operation not in _TOLD_BY_THEMSELVES:
                self._alerted.setdefault((fault.market, fault.operation), {})[fault.kind] = None
                text = f"{fault.operation} failed, {verdict.count} in a row: {fault.message}"
                self._note("error.alert", severity, text, _context(fault, subject))
            case Action.SHUTDOWN if fault.operation is not Operation.TASK:  # a task's end is an end already
                end = NeedsHuman(
                    f"the configuration has the daemon end at an error of this kind: {fault.kind}: {fault.message}",
                    remedy=f"put right what failed, or give [errors.{fault.kind}] another action",
                )
                self._shut_down(f"{fault.operation} of {fault.market or 'the account'}", end)
            case _:
                pass  # nothing to do that whoever met it does not do anyway

    # ---------------------------------------------------------------------------------------------------------- holds
    def held(self, market: MarketId) -> str:
        """Return why the market may not enter; "" where it may."""
        return self._book.held(market, self._clock.now_ns())

    def hold(self, market: MarketId) -> Hold | None:
        """Return what keeps the market from entering, and until when; None where nothing does."""
        return self._book.hold(market, self._clock.now_ns())

    def forgive(self, market: MarketId | None, caller: str) -> Awaitable[int] | None:
        """Let the market (None: whatever the account holds back) enter again because somebody says so.

        Returns what resolves once it is on disk; None where there was nothing to forget.
        """
        for kind in self._book.pardon(market):
            self._tell_resumed(market, kind, f"{caller} has them tried again")
        if not self._book.forgive(market):
            return None
        written = None
        log.info("entries.resumed", market=market, caller=caller)
        if self._kept.pop(market, None) is not None:
            ended = EntriesPaused(market=market, until_ns=0, cause="", caller=caller, at_ns=self._clock.now_ns())
            written = self._journal.append(ended, reserve=True)
        self._changed(market)
        return written

    def _keep(self, market: MarketId | None, now_ns: int) -> None:
        """Have a restart obey the pause; one that is prolonged again and again is written down twice a minute."""
        hold = self._book.hold(market, now_ns)
        if hold is None or hold.until_ns - self._kept.get(market, 0) < _PROLONGED_NS:
            return
        self._kept[market] = hold.until_ns
        paused = EntriesPaused(market=market, until_ns=hold.until_ns, cause=hold.why, at_ns=now_ns)
        self._journal.append(paused, reserve=True)

    def _arm(self) -> None:
        self.close()
        if (until_ns := self._book.until_ns()) is not None:
            wait_s = max(0.0, (until_ns - self._clock.now_ns()) / SECOND_NS)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._release)

    def _release(self) -> None:
        for market in self._book.released(self._clock.now_ns()):
            self._kept.pop(market, None)
            log.info("entries.tried_again", market=market)
            self._tell_over(market)
            self._changed(market)
        self._arm()

    def _tell_over(self, market: MarketId | None) -> None:
        """Tell of the pauses that are over because what failed works again."""
        for kind in self._book.pauses_over(market, self._clock.now_ns()):
            self._tell_resumed(market, kind, f"what failed works again: {kind}")

    def _tell_resumed(self, market: MarketId | None, kind: Kind, why: str) -> None:
        self._tell_end("entries.resumed", market, f"entries may leave again: {why}", {"kind": kind.value})

    def _tell_end(self, kind: str, market: MarketId | None, text: str, fields: Mapping[str, str]) -> None:
        """Write down that what people were told of is over."""
        noted = Noted(
            kind=kind,
            severity=Severity.INFO,
            market=market,
            message=text,
            fields=dict(fields),
            at_ns=self._clock.now_ns(),
        )
        self._journal.append(noted)

    # ---------------------------------------------------------------------------------------------------------- counts
    def errors(self) -> dict[Kind, int]:
        """Return how many errors of each kind were met of late: one that many markets meet at once is one."""
        return self._book.errors(self._clock.now_ns())

    def tallies(self) -> list[Tally]:
        """Return how often each kind was met, what came of late first."""
        return self._book.tallies(self._clock.now_ns())

    def _note(self, kind: str, gravity: Gravity, message: str, context: Mapping[str, str]) -> None:
        severity = _LOUD[gravity]
        market = MarketId(context["market"]) if "market" in context else None
        log.warning(kind, message=message, **context)
        fields = {name: value for name, value in context.items() if name != "market"}
        self._journal.append(
            Noted(
                kind=kind,
                severity=severity,
                market=market,
                message=message,
                fields=fields,
                at_ns=self._clock.now_ns(),
            )
        )


def _context(fault: Fault, subject: str) -> dict[str, str]:
    """Return where it happened: what is not known is absent."""
    context = {"kind": fault.kind.value, "operation": fault.operation.value}
    if fault.market is not None:
        context["market"] = fault.market
    if subject:
        context["subject"] = subject
    return context
