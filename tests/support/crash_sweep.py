"""Crash the executor at every step of a story of orders, recover on the same files, and ask the exchange.

    python -m tests.support.crash_sweep PLACE FOLDER STRIDE [--careless]

PLACE is the exchange's address as JSON with a list of its markets in place of one. A process for each life, forked from
this one, which has imported everything and opened nothing: beginning a life takes milliseconds. One point after another
in each market, several markets at once, since most of a recovery is waiting for proof. Prints one JSON object.
"""

import asyncio
import gc
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from kangbot.model.events import EquityMarked, Event, FillApplied, OrderIntended, Record
from kangbot.model.ids import CLIENT_ID_PREFIX
from kangbot.model.money import ZERO, nearest_to
from kangbot.model.orders import Evidence, Fill, OrderKind, OrderStatus, Side
from kangbot.ports import Checkpoint, Journal
from tests.support.crash_life import Life, Place, life
from tests.support.crash_ports import CRASHED, Points

S = OrderStatus
_UNPLACED = (S.REJECTED, S.NOT_ACCEPTED)
_STORY_FAILED = 3
_POINT = "point"
_AGAIN = "again"
_FINDINGS = "findings"
_STUMBLES = 23  # a recovery has about so many steps


class CarelessJournal:
    """A journal that promises what it has not done: an intent is sent before it is on disk. The sweep must notice."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.tag = journal.tag

    @property
    def last(self) -> int:
        return self._journal.last

    def append(self, *events: Event, reserve: bool = False, later: bool = False, again: bool = False) -> Awaitable[int]:
        asyncio.get_running_loop().call_later(0.2, lambda: self._journal.append(*events, reserve=reserve, later=later))
        promise: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        promise.set_result(1)
        return promise

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return await self._journal.read(after, limit)

    async def checkpoint(self) -> Checkpoint | None:
        return await self._journal.checkpoint()

    async def beyond(self, sequence: int) -> int:
        return await self._journal.beyond(sequence)


# --------------------------------------------------------------------------------------------------------- the story
async def story(one: Life) -> None:
    """Two entries that rest, one at the market, a stop that moves, a fill at rest, a cancel, an exit to flat."""
    executor = one.executor
    near = executor.place(one.proposal(side=Side.BUY, kind=OrderKind.LIMIT, at=Decimal("0.97")))
    far = executor.place(one.proposal(side=Side.BUY, kind=OrderKind.LIMIT, at=Decimal("0.85")))
    await one.until(lambda: one.order(near.client_id).status is S.ACKED and one.order(far.client_id).status is S.ACKED)
    entry = executor.place(one.proposal(side=Side.BUY, kind=OrderKind.MARKET, at=Decimal(1)))
    await one.until(lambda: one.order(entry.client_id).settled and executor.stop is not None)
    stop = nearest_to(one.start_price * Decimal("0.75"), one.instrument.tick)
    executor.protect(stop)
    await one.until(lambda: executor.stop == stop and not executor.protection.asked_ns)
    one.place.control("POST", "jump", {"symbol": one.place.native, "ratio": 0.92})
    await one.until(lambda: one.order(near.client_id).settled)
    executor.cancel(far.client_id)
    await one.until(lambda: one.order(far.client_id).settled)
    await flatten(one)


async def flatten(one: Life) -> None:
    """Cancel what rests, and close the position at the market."""
    executor = one.executor
    for order in executor.orders:
        executor.cancel(order.client_id)
    await one.until(lambda: not executor.orders)
    if net := executor.position.net:
        side = Side.SELL if net > 0 else Side.BUY
        leaving = executor.place(one.proposal(side=side, kind=OrderKind.MARKET, at=Decimal(1), quantity=abs(net)))
        await one.until(lambda: one.order(leaving.client_id).settled)
    await one.until(lambda: not executor.position.net and not executor.orders)


async def crash(folder: Path, place: Place, target: int, *, careless: bool) -> None:
    """Play the story, and be gone at the point `target`; come to the end where it has fewer."""
    points = Points(target, folder / _POINT)
    async with life(folder, place, points, careless=CarelessJournal if careless else None) as one:
        await story(one)
    (folder / _POINT).write_text(json.dumps(points.kinds))


# ------------------------------------------------------------------------------------------------------- the recovery
async def stumble(folder: Path, place: Place, target: int) -> None:
    """Take the journal up, and be gone again at the point `target` of that."""
    async with life(folder, place, Points(target, folder / _AGAIN)) as one:
        await one.until(one.rests)


async def recover(folder: Path, place: Place) -> None:
    """Take the journal up, compare with the exchange, restart on what did not change, clear up; note what is wrong."""
    (folder / _FINDINGS).write_text(json.dumps(["the recovery did not come to its end"]))
    none = Points(0, folder / _POINT)
    async with life(folder, place, none) as one:
        await one.until(one.rests)
        wrong = await findings(one)
        before = await written(one)
    async with life(folder, place, none) as one:
        if (after := await written(one)) != before:
            wrong.append(f"a restart on an unchanged exchange wrote {after[len(before) :]}")
        wrong += await findings(one)
        await flatten(one)
        wrong += await findings(one)
        base = Decimal((folder.parent / f"{place.native}.price").read_text())
        await restore(place, base)
    (folder / _FINDINGS).write_text(json.dumps(wrong))


async def restore(place: Place, base: Decimal) -> None:
    """Have the market's price where it was before the story."""
    while abs(place.price() / base - 1) > Decimal("0.02"):
        place.control("POST", "jump", {"symbol": place.native, "ratio": float(base / place.price())})
        await asyncio.sleep(0.5)  # the next frame shows it


async def written(one: Life) -> list[Event]:
    """Return the events of the journal but the equity's, which the price moves."""
    await one.executor.kept()  # what was learnt a moment ago is on its way to the disk
    records = await one.writer.read(0, 100_000)
    return [record.event for record in records if not isinstance(record.event, EquityMarked)]


async def findings(one: Life) -> list[str]:
    """Return where the exchange, the journal and the executor do not agree."""
    loop, place = asyncio.get_running_loop(), one.place
    rows = await loop.run_in_executor(None, place.control, "GET", "orders")
    truth = await loop.run_in_executor(None, place.control, "GET", "truth")
    ours = [row for row in rows if row["orderLinkId"].startswith(f"{CLIENT_ID_PREFIX}{one.writer.tag}")]
    placed = Counter(row["orderLinkId"] for row in ours)
    events = await written(one)
    intended = {event.intent.client_id for event in events if isinstance(event, OrderIntended)}
    believed = {order.client_id: order for order in one.executor.memory().orders}
    wrong = [f"order {client_id} is at the exchange {count} times" for client_id, count in placed.items() if count > 1]
    wrong += [
        f"order {client_id} is at the exchange, not in the journal" for client_id in placed if client_id not in intended
    ]
    for client_id, order in believed.items():
        there = client_id in placed
        if there is (order.status in _UNPLACED):
            wrong.append(f"order {client_id} is believed {order.status.value}, at the exchange: {there}")
        if order.status.terminal and order.evidence is Evidence.NONE:
            wrong.append(f"order {client_id} ended as {order.status.value} without evidence")
    wrong += [f"intent {client_id} is forgotten" for client_id in sorted(intended - believed.keys())]
    open_there = {row["orderLinkId"] for row in ours if row["orderStatus"] in {"New", "PartiallyFilled"}}
    if open_there != (open_here := {order.client_id for order in one.executor.orders}):
        wrong.append(f"open at the exchange {sorted(open_there)}, here {sorted(open_here)}")
    net = one.executor.position.net
    if net != (there_net := Decimal(truth["positions"].get(place.native, "0"))):
        wrong.append(f"the exchange holds {there_net}, we count {net}")
    stop = truth["stops"].get(place.native)
    if one.executor.stop != (None if stop is None else Decimal(stop)) or (net and stop is None):
        wrong.append(f"the stop at the exchange is {stop}, ours {one.executor.stop}")
    executions = [event for event in await one.venue.executions(one.memory.born_ns) if isinstance(event, Fill)]
    applied = [event.fill for event in events if isinstance(event, FillApplied)]
    if sorted(fill.execution_id for fill in applied) != sorted(fill.execution_id for fill in executions):
        wrong.append(f"{len(executions)} executions at the exchange, {len(applied)} applied")
    if sum((fill.signed for fill in applied), ZERO) != net:
        wrong.append("the fills do not sum to the position")
    return wrong + one.failures


# ---------------------------------------------------------------------------------------------------------- the sweep
def forked(work: Callable[[], Coroutine[Any, Any, None]], log: Path) -> int:
    """Run `work` in a process of its own, and return the process id."""
    if child := os.fork():
        return child
    code = _STORY_FAILED
    try:
        with log.open("ab", buffering=0) as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        asyncio.run(work())
        code = 0
    except BaseException:  # noqa: BLE001 -- the end of a process: told to its log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Sweep:
    """The points of one story, shared among the markets."""

    def __init__(self, folder: Path, places: Sequence[Place], stride: int, *, careless: bool) -> None:
        self._folder = folder
        self._places = places
        self._careless = careless
        self._targets = iter(range(1, 100_000, stride))
        self._ended: dict[int, int] = {}  # process id: its status
        self.points: Counter[str] = Counter()
        self.violations: list[dict[str, object]] = []
        self.twice = 0  # crashes of a recovery
        self.completed = 0  # stories that came to their end before their point

    def run(self) -> None:
        """Sweep until stories end before their points. Nothing here waits for one market alone."""
        steps = [self._market(place) for place in self._places]
        waiting = {next(step): step for step in steps}
        while waiting:
            child, status = os.wait()
            step = waiting.pop(child)
            self._ended[child] = os.waitstatus_to_exitcode(status)
            try:
                waiting[next(step)] = step
            except StopIteration:
                continue

    def _market(self, place: Place) -> Iterator[int]:
        """Yield the process to wait for, life after life."""
        for target in self._targets:
            if self.completed >= len(self._places):
                return
            yield from self._point(place, target, self._folder / f"{target:04}")

    def _point(self, place: Place, target: int, folder: Path) -> Iterator[int]:
        """Crash at one point, once more while that is recovered from, and recover."""
        folder.mkdir()
        log = folder / "log"
        child = forked(lambda: crash(folder, place, target, careless=self._careless), log)
        yield child
        status = self._ended[child]
        label = (folder / _POINT).read_text() if status == CRASHED else ""
        self.points[label] += status == CRASHED
        self.completed += status == 0
        if status not in (0, CRASHED):
            self._violated(target, label, [f"the story failed with status {status}, see {log}"])
        child = forked(lambda: stumble(folder, place, 1 + target % _STUMBLES), log)
        yield child
        self.twice += self._ended[child] == CRASHED
        child = forked(lambda: recover(folder, place), log)
        yield child
        self._violated(target, label, json.loads((folder / _FINDINGS).read_text()))

    def _violated(self, target: int, label: str, messages: Sequence[str]) -> None:
        self.violations += [{"point": target, "step": label, "message": message} for message in messages]


def main(arguments: Sequence[str]) -> int:
    """Sweep, and print what came of it."""
    place, folder, stride, *options = arguments
    where = json.loads(place)
    natives = where.pop("natives")
    places = [Place(**where, native=native) for native in natives]
    work = Path(folder)
    for one in places:
        (work / f"{one.native}.price").write_text(str(one.price()))
    gc.collect()
    gc.freeze()  # children do not copy what they share
    sweep = Sweep(work, places, int(stride), careless="--careless" in options)
    sweep.run()
    result = {
        "points": sweep.points.total(),
        "crashed_again_in_recovery": sweep.twice,
        "completed": sweep.completed,
        "steps": {step: count for step, count in sorted(sweep.points.items()) if count},
        "violations": sweep.violations,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
