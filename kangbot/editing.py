"""Edits of the configuration while the daemon runs: read apart, prepared whole, then applied at once or not at all.

The file is looked at once a second: one `stat`. `machines/edits.py` says when it is worth reading, a process of its own
reads it, `settings/change.py` says what is different. Whatever can fail comes first: strategies are loaded, the venue
is asked for the rules of markets that join. Then the floor takes all of it without an await.

What is wrong with an edit is told once: in the log, as an event, and in the report until it is put right. What only
stands in its way (no process to read it with, a venue that does not answer) is waited out. So is a venue that did not
list a market at the start: one that was closed for a while joins without anybody's edit, and may hold a position.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

import msgspec
import structlog

from kangbot.errors import ConfigInvalid, ConfigUnread, KangbotError, Problem, Refused, named
from kangbot.health.report import ConfigReport, Reloaded
from kangbot.machines.edits import Edits, Look
from kangbot.market.floor import Floor
from kangbot.market.spec import MarketSpec
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId, VenueName, market_id
from kangbot.model.market import Instrument, timeframe_seconds
from kangbot.risk.account import AccountRisk
from kangbot.runtime.threads import Worker
from kangbot.runtime.world import World
from kangbot.settings import MarketSettings, Settings
from kangbot.settings.change import Change, difference
from kangbot.settings.file import ConfigFile, Saved
from kangbot.settings.lines import locate
from kangbot.settings.plain import read_plain
from kangbot.settings.versions import Versions
from kangbot.strategy import registry
from kangbot.strategy.parameters import StrategyInvalid

log = structlog.get_logger(__name__)

T = TypeVar("T")
BEAT_S = 1.0
ABSENT_BEATS = 600  # between two questions for markets that the venue did not list
Note = Callable[[str, Severity, MarketId | None, str], None]
Joins = Sequence[tuple[MarketSpec, Instrument | None]]


class Bench(Protocol):
    """Where work is done apart from the loop, until it is closed: `runtime.threads.Worker`."""

    async def run(self, call: Callable[[], T]) -> T:
        """Return what the call returns, or raise what it raised."""
        ...

    async def aclose(self, timeout_s: float) -> bool:
        """End; False where what was begun goes on."""
        ...


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A change with everything it needs."""

    joins: list[tuple[MarketSpec, Instrument | None]]
    leaves: list[MarketId]
    changes: list[MarketSpec]


def spec_of(market: MarketSettings) -> MarketSpec:
    """Return what the market's task is made from.

    ConfigUnread where its strategy, which was in order when the file was read, cannot be made any more: somebody is
    at work on it.
    """
    try:
        strategy = registry.load(market.strategy, market.parameters)
    except StrategyInvalid as error:
        raise ConfigUnread(error.problems) from error
    except Exception as error:  # a strategy of the user's own may raise anything
        raise ConfigUnread((Problem(message=f"{market.strategy} cannot be made: {named(error)}"),)) from error
    return MarketSpec(
        market=market_id(VenueName(market.venue), market.symbol),
        symbol=market.symbol,
        strategy=strategy,
        timeframe=market.timeframe,
        timeframe_s=timeframe_seconds(market.timeframe),
        size=market.size,
        leverage=market.leverage,
        style=market.style,
    )


class Editor:
    """Takes the file's edits into the running daemon. `settings` is what runs.

    `hold` says why nothing can be changed now, "" where it can; `note` writes an event; `learnt` hears of settings
    that were read, before anything is said of them: their secrets must be known to whoever masks them; `joined`
    of a market that has a task from now on. `bench` makes the place where files are read and written, by a name.
    """

    def __init__(
        self,
        *,
        saved: Saved,
        file: ConfigFile,
        versions: Versions,
        world: World,
        floor: Floor,
        risk: AccountRisk,
        hold: Callable[[], str],
        note: Note,
        learnt: Callable[[Settings], None],
        joined: Callable[[MarketId], None],
        bench: Callable[[str], Bench] = Worker,
    ) -> None:
        self.settings = saved.settings
        self._text = saved.text
        self._file = file
        self._world = world
        self._floor = floor
        self._risk = risk
        self._hold = hold
        self._note = note
        self._learnt = learnt
        self._joined = joined
        self._edits = Edits(judged=saved.mark)
        self._versions = versions
        self._bench = bench
        self._accepted_ns = world.clock.now_ns()
        self._version = 0
        self._problem = ""
        self._waiting: tuple[str, ...] = ()
        self._turn = asyncio.Lock()
        self._asked = asyncio.Event()
        self._asked_by = ""
        self._asking: list[asyncio.Future[Reloaded]] = []  # who waits for what becomes of it
        self._beats = 0

    def report(self) -> ConfigReport:
        """Return how the file stands."""
        return ConfigReport(
            accepted_ns=self._accepted_ns,
            version=self._version,
            problem=self._problem,
            restart=list(self._waiting),
            unlisted=[*(one.symbol for one in self._absent()), *self._floor.unlisted]
            if self._floor.markets
            else [],  # not asked yet
        )

    def ask(self, caller: str) -> None:
        """Have the file read soon: SIGHUP."""
        self._asked_by = caller
        self._asked.set()

    async def run(self) -> None:
        """Keep the version that runs, then look after the file for ever."""
        await self._keep(self._text, "start")
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._asked.wait()
            if self._asked.is_set():
                await self._answer()
            else:
                async with self._turn:
                    await self._look()
                    await self._look_for_absent()

    async def _answer(self) -> None:
        """Do what was asked for, and tell those who wait."""
        self._asked.clear()
        asking, self._asking = self._asking, []
        try:
            became = await self.reload(self._asked_by)
        except BaseException as error:
            why = error if isinstance(error, Exception) else Refused("the daemon is stopping")
            for one in asking:
                if not one.done():
                    one.set_exception(why)
            raise
        for one in asking:
            if not one.done():
                one.set_result(became)

    async def reload_within(self, caller: str, within_s: float) -> Reloaded:
        """Have the file read by `run`; return what became of it, or after `within_s` that it is still going on.

        A strategy's own file, whose import never ends, and a disk that does not answer take a minute to be refused.
        """
        became: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
        self._asking.append(became)
        self.ask(caller)
        try:
            async with asyncio.timeout(within_s):
                return await became
        except TimeoutError:
            return Reloaded(
                waiting=f"{self._file.path} is still being read, or the venue asked about it, after {within_s:g} s: "
                "what becomes of it is told as config.applied or config.invalid"
            )

    async def reload(self, caller: str) -> Reloaded:
        """Read the file now and apply what is different; what became of it is the answer."""
        async with self._turn:
            mark = self._file.mark()
            try:
                saved = await self._read()
            except ConfigUnread as error:
                self._edits = self._edits.put_off(mark)
                return self._refused(error.problems)
            except ConfigInvalid as error:
                self._edits = self._edits.understood(mark)
                return self._refused(error.problems, await self._set_aside())
            return await self._take(saved, caller)

    async def _look(self) -> None:
        if self._hold():
            return  # it is seen as soon as it can be applied
        mark = self._file.mark()
        self._edits, look = self._edits.look(mark)
        if look is Look.NOTHING:
            return
        try:
            saved = await self._read()
        except ConfigInvalid as error:
            before = self._edits
            self._edits, tell = before.misread(mark)
            if tell and isinstance(error, ConfigUnread):
                self._edits = before.put_off(mark)
                self._refused(error.problems)
            elif tell:
                self._refused(error.problems, await self._set_aside())
            return
        await self._take(saved, "edit")

    def _absent(self) -> list[MarketSettings]:
        """Return the markets that are to be traded and that the venue did not list."""
        there = self._floor.markets
        return [market for market in self.settings.trading if market.enabled and market.id not in there]

    async def _look_for_absent(self) -> None:
        """Have markets join that the venue did not list and lists by now."""
        self._beats += 1
        if self._beats % ABSENT_BEATS or self._hold():
            return
        absent = self._absent()
        if not absent:
            return
        try:
            rules = await self._floor.instruments([market.symbol for market in absent])
            joins = await self._in_thread(
                lambda: [(spec_of(market), rules[market.symbol]) for market in absent if market.symbol in rules]
            )
        except KangbotError:
            return  # it is asked again
        if joins and not self._hold():
            self._floor.change(joins=joins, leaves=[], changes=[], caller="the venue's list")
            self._tell_joined(joins)

    async def _read(self) -> Saved:
        return await self._in_thread(self._file.read)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Return what it returns, from a thread: a disk takes its time, and so does what a strategy imports."""
        worker = self._bench("config")
        try:
            return await worker.run(work)
        finally:
            await worker.aclose(0.0 if self._hold() else 1.0)

    # ---------------------------------------------------------------------------------------------------------- apply
    async def _take(self, saved: Saved, caller: str) -> Reloaded:
        """Apply what is different, whole or not at all."""
        before = self._edits
        self._edits = before.understood(saved.mark)
        self._learnt(saved.settings)
        change = difference(self.settings, saved.settings, limits_in=self._risk.currency)
        try:
            plan = await self._prepared(change, saved)
        except ConfigUnread as error:
            self._edits = before.put_off(saved.mark)
            return self._refused(error.problems)
        except ConfigInvalid as error:
            return self._refused(error.problems)
        except KangbotError as error:
            self._edits = before.put_off(saved.mark)
            remedy = "Nothing was changed. It is tried again by itself, or at once at SIGHUP."
            return self._refused((Problem(message=error.message, file=str(self._file.path), remedy=remedy),))
        if held := self._hold():
            self._edits = before  # it is seen as soon as it can be applied
            remedy = "Nothing was changed. It is tried again by itself once that is over."
            return self._refused((Problem(message=held, file=str(self._file.path), remedy=remedy),))
        applied = self._apply(change, plan, caller)
        await self._keep(saved.text, caller)
        return Reloaded(applied=applied, restart=list(change.restart))

    async def _prepared(self, change: Change, saved: Saved) -> Plan:
        """Return the change with all that it needs. ConfigInvalid and what the venue raises: nothing has changed."""
        there = self._floor.markets
        joining = [market for market in change.settings.trading if market.enabled and market.id not in there]
        rules = await self._floor.instruments([market.symbol for market in joining]) if joining else {}
        asked = {market.id for market in change.joins}
        unknown = [market for market in joining if market.id in asked and market.symbol not in rules]
        if unknown:
            raise ConfigInvalid(tuple(self._not_traded(market, saved) for market in unknown))
        back = [market for market in change.joins if market.id in there]
        changes = [one for one in change.changes if one.after.id in there]
        known = {market: task.wanted.strategy for market, task in there.items()}
        return await self._in_thread(
            lambda: Plan(
                joins=[
                    *((spec_of(market), rules[market.symbol]) for market in joining if market.symbol in rules),
                    *((spec_of(market), None) for market in back),
                ],
                leaves=[market for market in change.leaves if market in known],
                changes=[
                    spec_of(one.after)
                    if one.decides_otherwise
                    else msgspec.structs.replace(spec_of(one.after), strategy=known[one.after.id])
                    for one in changes
                ],
            )
        )

    def _not_traded(self, market: MarketSettings, saved: Saved) -> Problem:
        lines = locate(saved.text.decode("utf-8-sig"))
        number = next(n for n, one in enumerate(saved.settings.markets) if one.symbol == market.symbol)
        key = f"markets[{number}].symbol"
        return Problem(
            message=f"{market.venue} does not trade {market.symbol}",
            key=key,
            file=str(self._file.path),
            line=lines.get(("markets", number, "symbol"), 0),
            remedy="Correct the symbol; a testnet lists fewer markets.",
        )

    def _apply(self, change: Change, plan: Plan, caller: str) -> list[str]:
        """Do it, and return it in words. Without an await: nobody sees a half of it."""
        self._floor.change(joins=plan.joins, leaves=plan.leaves, changes=plan.changes, caller=caller)
        asked = {market.id for market in change.joins}
        applied = [*change.applied, *self._tell_joined(plan.joins, asked)]
        self._risk.limits = change.settings.risk.limits
        self.settings = change.settings
        self._accepted_ns = self._world.clock.now_ns()
        self._settled()
        if applied:
            log.info("config.applied", caller=caller, changes=applied)
            self._note("config.applied", Severity.INFO, None, f"{caller}: {'; '.join(applied)}")
        if change.restart and change.restart != self._waiting:
            log.warning("config.restart_needed", settings=change.restart)
            self._note("config.restart_needed", Severity.WARNING, None, "; ".join(change.restart))
        self._waiting = change.restart
        return applied

    def _tell_joined(self, joins: Joins, asked: Collection[MarketId] = ()) -> list[str]:
        """Tell of markets that have a task from now on; return in words those that were not `asked` for just now."""
        words = []
        for spec, instrument in joins:
            if instrument is None:
                continue
            self._joined(spec.market)
            if spec.market not in asked:
                said = f"the venue lists {spec.symbol} by now: it is traded"
                log.warning("market.listed", market=spec.market, message=said)
                self._note("market.listed", Severity.INFO, spec.market, said)
                words.append(f"{spec.market}: joins, for the venue lists it by now")
        return words

    def _settled(self) -> None:
        if self._problem:
            self._problem = ""
            log.info("config.settled")
            self._note("config.settled", Severity.INFO, None, "the file is in order again")

    def _refused(self, problems: tuple[Problem, ...], aside: str = "") -> Reloaded:
        """Tell what is wrong, once; what runs goes on."""
        said = [str(problem) for problem in problems]
        words = "\n".join(said)
        if words != self._problem:
            self._problem = words
            log.error("config.invalid", problems=said)
            self._note("config.invalid", Severity.ERROR, None, f"{words}\nThe running configuration stays.{aside}")
        return Reloaded(problems=said)

    async def _set_aside(self) -> str:
        """Keep a copy of a file that is wrong, and say where; "" where there is no file to copy, or no room."""
        now_ns, file = self._world.clock.now_ns(), self._file.path
        try:
            copy = await self._in_thread(lambda: self._versions.set_aside(read_plain(file), file.name, now_ns))
        except OSError:
            return ""
        return (
            f" A copy of the file is {copy}; `kangbot config restore {self._version}` undoes the edit." if copy else ""
        )

    async def _keep(self, text: bytes, cause: str) -> None:
        """Keep the version. A disk that refuses it is told of, and no more: what runs does not depend on it."""
        now_ns = self._world.clock.now_ns()
        try:
            self._version = (await self._in_thread(lambda: self._versions.keep(text, cause, now_ns))).number
        except OSError as error:
            log.warning("config.no_version", error=error.strerror)
