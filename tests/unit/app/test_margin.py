"""The look at the account's margin mode, on virtual time."""

import asyncio

from structlog.testing import capture_logs

from kangbot.app.margin import MarginWatch
from kangbot.errors import Retryable
from kangbot.execution.budget import Budget
from kangbot.journal.announce import AnnouncedJournal
from kangbot.machines.limiter import Window
from kangbot.machines.margin import Margin
from kangbot.model.events import Noted
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import run
from tests.support.order_disk import Disk, loop


def test_a_change_is_journalled_within_a_minute_and_a_venue_that_is_away_is_asked_again() -> None:
    """What it was is known by the journal; nothing is made of a question that failed."""

    async def main() -> None:
        clock, disk, known = Clock(monotonic_ns=lambda: loop().now_ns, anchor_ns=0), Disk(), Margin()
        journal = AnnouncedJournal(disk)
        journal.listen(known.observe)
        modes, fell = ["cross", "cross", "", "", "isolated", "isolated"], list[BaseException]()

        async def ask() -> str:
            mode = modes.pop(0)
            if not mode:
                raise Retryable("away")
            return mode

        budget = Budget(clock=clock, venue="bybit", windows=(Window(most=9, span_ns=SECOND_NS),))
        watch = MarginWatch(clock=clock, journal=journal, ask=ask, budget=budget, known=known)
        tasks = Tasks("margin", lambda _name, error: fell.append(error))
        with capture_logs() as logs:
            tasks.spawn("margin", watch.run())
            await asyncio.sleep(301)
            await tasks.aclose()
        assert (modes, fell) == ([], [])
        told = [(event.kind, event.at_ns // SECOND_NS) for event in disk.events if isinstance(event, Noted)]
        assert told == [("margin.known", 0), ("margin.changed", 240)]
        said = [entry["event"] for entry in logs if entry["event"].startswith("margin.")]
        assert said == ["margin.known", "margin.unread", "margin.changed"]

    run(main())
