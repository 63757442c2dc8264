"""Work beside trading, on virtual time: it falls, it is told of once, and it goes on."""

import asyncio
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from kangbot.app.beside import Beside
from kangbot.journal import codec
from kangbot.model.events import Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import VirtualLoop, run

HOUR_S = 3600.0


class Work:
    """Falls with what it is given, one a run and after a while of work; afterwards it goes on for ever."""

    def __init__(self, *falls: Exception, works_s: float = 1) -> None:
        self.falls = list(falls)
        self._works_s = works_s
        self.begun_s: list[float] = []

    async def run(self) -> None:
        self.begun_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._works_s)
        if self.falls:
            raise self.falls.pop(0)
        await asyncio.Event().wait()

    @property
    def waits_s(self) -> list[float]:
        """How long each fall was waited out."""
        return [after - before - 1 for before, after in pairwise(self.begun_s)]


def kept(work: Work, for_s: float) -> list[tuple[str, Severity, str]]:
    """Keep it for so long; return what was noted."""
    told: list[tuple[str, Severity, str]] = []

    def note(kind: str, severity: Severity, market: MarketId | None, message: str) -> None:
        assert market is None
        assert codec.encode(Noted(kind=kind, severity=severity, market=market, message=message, at_ns=0))
        told.append((kind, severity, message))

    async def life() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        beside = Beside(World(clock=Clock(lambda: loop.now_ns, 0), seed=b"beside"), note)
        falls = len(work.falls)
        beside.keep("figures", work.run)
        assert beside.falls == {"figures": 0}
        await asyncio.sleep(for_s)
        assert beside.falls == {"figures": falls}
        await beside.aclose()

    run(life())
    return told


class Wordless(Exception):
    """One whose words fail."""

    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError("no such file: \udcff"), r"FileNotFoundError: no such file: \udcff"),
        (Wordless(), "Wordless: it cannot be put into words"),
    ],
)
def test_whatever_words_it_falls_by_it_goes_on(error: Exception, said: str) -> None:
    """Those of a library may be what no journal takes, or no words at all."""
    work = Work(error)
    told = kept(work, HOUR_S)
    assert len(work.begun_s) == 2
    assert [message for *_, message in told] == [f"figures fell, and is begun again: {said}"]


def test_what_falls_once_goes_on_after_seconds_and_is_told_of() -> None:
    """With its traceback in the log, and as an event that people are told of."""
    work = Work(ValueError("no such figure"))
    with capture_logs() as logs:
        told = kept(work, HOUR_S)
    assert len(work.begun_s) == 2
    assert 0 < work.waits_s[0] <= 10
    assert told == [("task.fell", Severity.ERROR, "figures fell, and is begun again: ValueError: no such figure")]
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task.fell", "figures")]
    assert isinstance(logs[0]["exc_info"], ValueError)


def test_what_falls_for_ever_is_told_of_once_and_tried_every_few_minutes() -> None:
    """It costs nothing, and comes back once whatever it was has passed."""
    work = Work(*(ValueError("the same") for _ in range(50)))
    told = kept(work, 6 * HOUR_S)
    assert len(told) == 1
    assert len(work.begun_s) == 51
    assert 150 <= work.waits_s[-1] <= 300


def test_another_fault_is_told_of_as_well() -> None:
    """What is known already hides nothing new."""
    told = kept(Work(ValueError("one"), ValueError("one"), KeyError("two")), HOUR_S)
    assert [message.partition(": ")[2] for _, _, message in told] == ["ValueError: one", "KeyError: 'two'"]


def test_the_same_fault_is_told_of_again_where_it_was_gone() -> None:
    """Months lie between two of them, not seconds."""
    told = kept(Work(ValueError("the same"), ValueError("the same"), works_s=2 * HOUR_S), 5 * HOUR_S)
    assert len(told) == 2


def test_what_must_end_sooner_ends_with_those_it_is_among() -> None:
    """No edit may have a market begin while the others are being stopped."""
    work, ended_s = Work(), list[float]()

    async def run_on() -> None:
        try:
            await work.run()
        finally:
            ended_s.append(asyncio.get_running_loop().time())

    async def life() -> None:
        beside = Beside(World(clock=Clock(lambda: 0, 0), seed=b"beside"), lambda *_: None)
        starts = Tasks("starts", lambda *_: None)
        beside.keep("edits", run_on, among=starts)
        await asyncio.sleep(5)
        await starts.aclose()
        await asyncio.sleep(5)
        await beside.aclose()

    run(life())
    assert work.begun_s == [0.0]
    assert ended_s == [5.0]
