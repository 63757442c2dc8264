"""Ports that end the process at a chosen step: a journal and a venue around the real ones.

Nothing in the program knows of this. Every call of a port has its steps before and after, and a change at the venue one
more, while its request is on the way; the steps are counted, and at the step that was asked for the process is gone,
without a finally, without a flush: `os._exit`.
"""

import asyncio
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kangbot.journal import codec
from kangbot.model.data import Bar, Quote, Trade
from kangbot.model.events import Event, Record
from kangbot.model.ids import ClientId, MarketId, Symbol, VenueName
from kangbot.model.market import Instrument
from kangbot.model.money import Price, Quantity
from kangbot.model.orders import AccountEvent, Balance, Intent, OrderReport, Transfer, Unclear, VenuePosition
from kangbot.ports import Checkpoint, IdRule, Journal, Lookup, Venue

T = TypeVar("T")

CRASHED = 42  # the exit status of a process that ended at its point
_ON_THE_WAY_S = (0.0, 0.001, 0.002, 0.004, 0.008)  # how long a request had been on its way
_COMMIT_S = 2.0


class Points:
    """Counts the steps, and ends the process at number `target` (0: at none); writes to `told` where that was."""

    def __init__(self, target: int, told: Path) -> None:
        self.count = 0
        self.kinds: Counter[str] = Counter()
        self.target = target
        self._told = told

    def here(self, label: str) -> bool:
        """Count a step, and return whether it is the one."""
        self.count += 1
        self.kinds[label] += 1
        return self.count == self.target

    def reach(self, label: str) -> None:
        """Count a step, and end there if it is the one."""
        if self.here(label):
            self.crash(label)

    def crash(self, label: str) -> None:
        """End the process as a power cut would."""
        self._told.write_text(label)
        os._exit(CRASHED)


class _Written(Awaitable[int]):
    """An append's promise; the step after it is the moment when somebody learns that it was kept."""

    def __init__(self, written: Awaitable[int], points: Points, label: str) -> None:
        self._written = written
        self._points = points
        self._label = label

    def __await__(self) -> Generator[Any, None, int]:
        sequence = yield from self._written.__await__()
        self._points.reach(self._label)
        return sequence


class CrashingJournal:
    """Implements `ports.Journal`. Steps: before the append; on disk, and nobody knows; on disk, and learnt."""

    def __init__(self, journal: Journal, file: Path, points: Points) -> None:
        self._journal = journal
        self._file = file
        self._points = points

    @property
    def tag(self) -> str:
        return self._journal.tag

    @property
    def last(self) -> int:
        return self._journal.last

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        what = "+".join(type(event).__name__ for event in events)
        self._points.reach(f"before append {what}")
        before = self._journal.last
        written = self._journal.append(*events, reserve=reserve, later=later)
        if self._points.here(f"on disk unlearnt {what}"):
            self._until_on_disk(codec.encode(events[-1]), before)
            self._points.crash(f"on disk unlearnt {what}")
        return _Written(written, self._points, f"learnt append {what}")

    def _until_on_disk(self, line: str, after: int) -> None:
        """Hold this thread, which is the loop's, until the journal's own has committed."""
        db = sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True)
        over_s = time.monotonic() + _COMMIT_S
        while not db.execute("SELECT 1 FROM records WHERE sequence > ? AND event = ?", (after, line)).fetchone():
            if time.monotonic() > over_s:
                break  # a journal that is being tested for worse writes later, on this loop
            time.sleep(0.001)

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return await self._journal.read(after, limit)

    async def checkpoint(self) -> Checkpoint | None:
        return await self._journal.checkpoint()

    async def beyond(self, sequence: int) -> int:
        return await self._journal.beyond(sequence)


class CrashingVenue:
    """Implements `ports.Venue`. Steps: before the call; its request on the way; its answer here, and nobody knows."""

    def __init__(self, venue: Venue, points: Points) -> None:
        self._venue = venue
        self._points = points

    @property
    def name(self) -> VenueName:
        return self._venue.name

    @property
    def id_rule(self) -> IdRule:
        return self._venue.id_rule

    @property
    def tells_mark(self) -> bool:
        return self._venue.tells_mark

    async def _asked(self, what: str, call: Coroutine[Any, Any, T]) -> T:
        try:
            self._points.reach(f"before {what}")
            return await call
        finally:
            self._points.reach(f"answered {what}")

    async def _changed(self, what: str, call: Coroutine[Any, Any, T]) -> T:
        self._points.reach(f"before {what}")
        if self._points.here(f"on the way {what}"):
            leaving = asyncio.ensure_future(call)
            await asyncio.sleep(_ON_THE_WAY_S[self._points.count % len(_ON_THE_WAY_S)])
            del leaving
            self._points.crash(f"on the way {what}")
        try:
            return await call
        finally:
            self._points.reach(f"answered {what}")

    async def submit(self, instrument: Instrument, intent: Intent, *, sent_ns: int | None = None) -> OrderReport:
        return await self._changed("submit", self._venue.submit(instrument, intent, sent_ns=sent_ns))

    async def cancel(self, instrument: Instrument, client_id: ClientId) -> None:
        await self._changed("cancel", self._venue.cancel(instrument, client_id))

    async def protect(self, instrument: Instrument, stop: Price | None) -> None:
        await self._changed("protect", self._venue.protect(instrument, stop))

    async def cover(
        self, instrument: Instrument, stop: Price | None, quantity: Quantity, order: ClientId, *, fresh: bool
    ) -> ClientId | None:
        return await self._changed("cover", self._venue.cover(instrument, stop, quantity, order, fresh=fresh))

    async def find(self, instrument: Instrument, client_id: ClientId) -> Lookup:
        return await self._asked("find", self._venue.find(instrument, client_id))

    async def open_orders(self) -> Sequence[OrderReport]:
        return await self._asked("open_orders", self._venue.open_orders())

    async def executions(self, since_ns: int, market: MarketId | None = None) -> Sequence[AccountEvent]:
        return await self._asked("executions", self._venue.executions(since_ns, market))

    async def positions(self) -> Sequence[VenuePosition]:
        return await self._asked("positions", self._venue.positions())

    async def balances(self) -> Sequence[Balance]:
        return await self._asked("balances", self._venue.balances())

    async def transfers(self, since_ns: int) -> Sequence[Transfer | Unclear]:
        return await self._venue.transfers(since_ns)

    # ------------------------------------------------------------------------------------- no step of an order's life
    async def instruments(self, symbols: Sequence[Symbol]) -> Mapping[Symbol, Instrument]:
        return await self._venue.instruments(symbols)

    async def bars(self, instrument: Instrument, timeframe_s: int, limit: int) -> Sequence[Bar]:
        return await self._venue.bars(instrument, timeframe_s, limit)

    async def trades(self, instrument: Instrument, limit: int) -> Sequence[Trade]:
        return await self._venue.trades(instrument, limit)

    async def quote(self, instrument: Instrument) -> Quote:
        return await self._venue.quote(instrument)

    async def mark(self, instrument: Instrument) -> Price | None:
        return await self._venue.mark(instrument)

    async def prepare(self, instrument: Instrument, leverage: int) -> None:
        await self._venue.prepare(instrument, leverage)

    async def server_time_ns(self) -> int:
        return await self._venue.server_time_ns()

    async def aclose(self) -> None:
        await self._venue.aclose()
