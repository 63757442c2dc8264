"""What `ports.Notifier` promises, asked of each adapter: it takes every event, never raises and never waits.

That holds whatever becomes of the messages: the way out may hang, refuse, or fail in a manner that no port names.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.machines.notices import NoticeTerms
from kangbot.model.events import Event, KillSwitchReleased, KillSwitchSet, Noted, Severity
from kangbot.model.ids import MarketId
from kangbot.notify.notifier import Notifier
from kangbot.notify.unsaid import Unsaid
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop
from tests.support.records import EVERY
from tests.support.trade_words import MARKET, START


class _Running(Protocol):
    """A notifier with its task."""

    def tell(self, event: Event) -> None: ...

    async def run(self) -> None: ...


async def _takes() -> None: ...


async def _hangs() -> None:
    await asyncio.Event().wait()


async def _refuses() -> None:
    raise Retryable("a service did not take the message")


async def _calls_a_person() -> None:
    raise NeedsHuman("no address", remedy="correct it")


async def _finds_no_process() -> None:
    raise OSError(11, "Resource temporarily unavailable")


WAYS: Mapping[str, Callable[[], Awaitable[None]]] = {
    "takes it": _takes,
    "hangs": _hangs,
    "refuses": _refuses,
    "calls a person": _calls_a_person,
    "finds no process": _finds_no_process,
}


class _Out:
    """The way out, as it is said to be; counts how often it was gone."""

    def __init__(self, way: Callable[[], Awaitable[None]]) -> None:
        self._way = way
        self.sends = 0

    async def send(self, title: str, body: str, severity: Severity) -> None:
        assert title
        assert body
        assert severity in Severity
        self.sends += 1
        await self._way()


def _notifier(out: _Out, terms: NoticeTerms) -> _Running:
    world = World(clock=Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=START), seed=b"notifier")
    unsaid = Unsaid(Path("/nowhere"), 1)
    return Notifier(world, out, terms, name="a", service=1, standing=lambda: ("all is well",), unsaid=unsaid)


NOTIFIERS: Mapping[str, Callable[[_Out, NoticeTerms], _Running]] = {"Notifier": _notifier}

ALL = NoticeTerms(least=Severity.INFO, always=("*",), quiet=(0, 30), digest=600, an_hour=5)


def events() -> list[Event]:
    """Return one event of each kind, and notes of each severity, of a market and of none."""
    notes: list[Event] = [
        Noted(kind=f"a.{severity}", severity=severity, market=market, message="m" * 5_000, at_ns=START)
        for severity in Severity
        for market in (None, MARKET, MarketId(""))
    ]
    switch: list[Event] = [
        KillSwitchSet(reason="", flatten=True, caller="", at_ns=START),
        KillSwitchReleased(caller="file", at_ns=START),
    ]
    return [*EVERY, *notes, *switch]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("notifier", NOTIFIERS)
def test_every_event_is_taken_whatever_becomes_of_the_messages(notifier: str, way: str) -> None:
    """Before its task runs, while it runs, for a day, and after it was ended; nothing of it reaches the caller."""

    async def story() -> None:
        out = _Out(WAYS[way])
        one = NOTIFIERS[notifier](out, ALL)
        for event in events():
            one.tell(event)
        task = asyncio.get_running_loop().create_task(one.run())
        for _ in range(24 * 4):
            for event in events():
                one.tell(event)
            await asyncio.sleep(900)
            assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for event in events():
            one.tell(event)
        assert out.sends

    run(story())


@pytest.mark.parametrize("notifier", NOTIFIERS)
def test_a_storm_of_events_costs_no_time_and_a_bound_of_messages(notifier: str) -> None:
    """Nobody reads the hundredth message of an hour, and whoever tells does not wait for one."""

    async def story() -> None:
        out = _Out(_takes)
        one = NOTIFIERS[notifier](out, NoticeTerms(least=Severity.WARNING, an_hour=5))
        task = asyncio.get_running_loop().create_task(one.run())
        for minute in range(60):
            before_ns = loop().now_ns
            for number in range(200):
                one.tell(
                    Noted(
                        kind=f"kind.{minute}.{number}",
                        severity=Severity.CRITICAL,
                        market=MARKET,
                        message="again",
                        at_ns=START + loop().now_ns,
                    )
                )
            assert loop().now_ns == before_ns
            await asyncio.sleep(60)
        assert 1 <= out.sends <= 10
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    run(story())
