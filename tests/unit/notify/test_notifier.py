"""The task that tells people, on virtual time, over services that fail, hang and come back."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from kangbot.errors import NeedsHuman, Retryable
from kangbot.machines.notices import NoticeTerms
from kangbot.model.events import Noted, RunState, RunStateChanged, Severity
from kangbot.model.ids import MarketId
from kangbot.notify.notifier import Notifier
from kangbot.notify.unsaid import Unsaid
from kangbot.runtime.tasks import close_task
from kangbot.runtime.world import Clock, World
from kangbot.sim.world.loop import run
from tests.support.order_disk import loop
from tests.support.trade_words import START


class Services:
    """What takes messages, as the test says."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.hangs = False
        self.tried = 0
        self.got: list[tuple[str, str, Severity]] = []

    async def send(self, title: str, body: str, severity: Severity) -> None:
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        self.got.append((title, body, severity))


def play(
    story: Callable[[Notifier, Services], Coroutine[Any, Any, None]],
    folder: Path = Path("/nowhere"),
    terms: NoticeTerms | None = None,
    at_ns: int = START,
) -> None:
    """Run the story beside a notifier, which is ended as a daemon ends it."""

    async def main() -> None:
        virtual = loop()
        clock = Clock(monotonic_ns=lambda: virtual.now_ns, anchor_ns=at_ns)
        services = Services()
        notifier = Notifier(
            World(clock=clock, seed=b"notify"),
            services,
            terms or NoticeTerms(),
            name="test",
            service=1,
            standing=lambda: ["all is well"],
            unsaid=Unsaid(folder, 1),
        )
        task = asyncio.create_task(notifier.run())
        await story(notifier, services)
        await close_task(task)

    run(main())


def happens(notifier: Notifier, kind: str = "feed.silent") -> None:
    """Have something happen now."""
    at_ns = notifier._clock.now_ns()
    notifier.tell(Noted(kind=kind, severity=Severity.WARNING, market=None, message="it did", at_ns=at_ns))


def test_what_happens_is_told_within_seconds() -> None:
    """And the ordinary course is not told at all."""

    async def story(notifier: Notifier, services: Services) -> None:
        quiet = RunStateChanged(
            market=MarketId("v:A"), before=RunState.WARMING, after=RunState.LIVE, reason="", at_ns=1
        )
        notifier.tell(quiet)
        happens(notifier)
        await asyncio.sleep(5)
        assert services.got == [("! kangbot test: feed.silent", "! feed.silent: it did", Severity.WARNING)]

    play(story)


def test_a_service_that_fails_is_tried_again_later_each_time() -> None:
    """Until it takes the message; meanwhile telling it more waits for nobody."""

    async def story(notifier: Notifier, services: Services) -> None:
        services.errors = [Retryable("not now"), OSError(11, "no process"), Retryable("not yet")]
        with capture_logs() as logs:
            happens(notifier)
            await asyncio.sleep(10)
            happens(notifier, "another")
            await asyncio.sleep(900)
        assert [body for _, body, _ in services.got] == ["! feed.silent: it did", "! another: it did"]
        assert [(entry["event"], entry.get("reason")) for entry in logs] == [
            ("notify.away", "not now"),
            ("notify.back", None),
        ]

    play(story)


def test_a_service_that_refuses_has_a_minute_of_peace() -> None:
    """One that counts messages (429) would count a try that comes sooner, too."""

    async def story(notifier: Notifier, services: Services) -> None:
        services.errors = [Retryable("too many")] * 2
        happens(notifier)
        await asyncio.sleep(60)
        assert services.tried == 1
        await asyncio.sleep(180)
        assert services.tried == 2

    play(story)


def test_a_message_that_nobody_takes_is_given_up() -> None:
    """After eight tries, so that the next one has its turn."""

    async def story(notifier: Notifier, services: Services) -> None:
        services.errors = [Retryable("down")] * 8
        with capture_logs() as logs:
            happens(notifier)
            await asyncio.sleep(7200)
        assert (services.got, services.tried) == ([], 8)
        [lost] = [entry for entry in logs if entry["event"] == "notify.given_up"]
        assert (lost["title"], lost["reason"]) == ("! kangbot test: feed.silent", "down")
        happens(notifier, "another")
        await asyncio.sleep(10)
        assert len(services.got) == 1

    play(story)


def test_what_only_a_person_can_mend_is_not_tried_again() -> None:
    """A wrong address stays wrong."""

    async def story(notifier: Notifier, services: Services) -> None:
        services.errors = [NeedsHuman("no address", remedy="correct it")]
        with capture_logs() as logs:
            happens(notifier)
            await asyncio.sleep(60)
        assert services.tried == 1
        assert [entry["event"] for entry in logs] == ["notify.away", "notify.given_up"]
        assert logs[1]["reason"] == "no address; correct it"

    play(story)


def test_a_service_that_hangs_holds_nobody_up() -> None:
    """Ten thousand events are taken at once, within bounds."""

    async def story(notifier: Notifier, services: Services) -> None:
        services.hangs = True
        happens(notifier)
        await asyncio.sleep(10)
        for number in range(10_000):
            happens(notifier, f"kind {number}")
        assert services.tried == 1

    play(story)


@pytest.mark.parametrize("first_s", [0, 10, 100])
def test_what_is_not_told_by_the_end_the_next_daemon_tells(tmp_path: Path, first_s: float) -> None:
    """What waits for its moment, for the next try or behind another message; once, and with when it was."""

    async def ends(notifier: Notifier, services: Services) -> None:
        services.errors = [Retryable("down")] * 8
        happens(notifier)
        await asyncio.sleep(first_s)
        happens(notifier, "another")

    async def begins(notifier: Notifier, services: Services) -> None:
        del notifier
        await asyncio.sleep(10)
        (told,) = services.got
        assert told[1].splitlines() == [
            "! feed.silent: at 2023-11-14 22:13 UTC, before a restart: it did",
            f"! another: at 2023-11-14 22:{13 + (first_s + 20) // 60:.0f} UTC, before a restart: it did",
        ]

    async def begins_again(notifier: Notifier, services: Services) -> None:
        del notifier
        await asyncio.sleep(10)
        assert services.got == []

    play(ends, tmp_path)
    play(begins, tmp_path, at_ns=START + 3600 * 10**9)
    play(begins_again, tmp_path, at_ns=START + 7200 * 10**9)


def test_what_a_quiet_hour_holds_back_outlives_restarts(tmp_path: Path) -> None:
    """And is told at its end, once."""
    night = NoticeTerms(quiet=(22 * 60, 2 * 60))

    async def sleeps(notifier: Notifier, services: Services) -> None:
        happens(notifier)
        await asyncio.sleep(60)
        assert services.got == []

    async def restarts(notifier: Notifier, services: Services) -> None:
        del notifier
        await asyncio.sleep(60)
        assert services.got == []

    async def wakes(notifier: Notifier, services: Services) -> None:
        del notifier
        await asyncio.sleep(4 * 3600)
        assert [body.count("before a restart") for _, body, _ in services.got] == [1]

    play(sleeps, tmp_path, night)
    play(restarts, tmp_path, night, START + 600 * 10**9)
    play(wakes, tmp_path, night, START + 1200 * 10**9)


def test_a_clock_that_was_set_back_holds_no_message_up(tmp_path: Path) -> None:
    """What is left is of a time to come, and what happens now is told with it."""

    async def ends(notifier: Notifier, services: Services) -> None:
        del services
        await asyncio.sleep(1)
        happens(notifier)

    async def begins(notifier: Notifier, services: Services) -> None:
        await asyncio.sleep(1)
        happens(notifier, "another")
        await asyncio.sleep(10)
        assert [body.splitlines()[-1] for _, body, _ in services.got][-1] == "! another: it did"

    play(ends, tmp_path)
    play(begins, tmp_path, at_ns=START - 3600 * 10**9)
