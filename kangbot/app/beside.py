"""Work that trading does not need: what becomes of it reaches nobody else, and it is begun again after a fall.

Notifications, figures, the chat and the way to the history may fail by a fault of ours. Nobody looks for months, so an
end in silence would be found out when a message is missing. They go on after a wait instead, which grows from seconds
to minutes. No policy of errors is asked: none of its actions may follow from what trading does not need.
"""

from collections.abc import Awaitable, Callable

import structlog

from kangbot.errors import named
from kangbot.machines.backoff import Backoff
from kangbot.machines.restarts import Restarts
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.supervisor import Supervisor
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)

_FIRST_NS = 5 * SECOND_NS
_CEILING_NS = 300 * SECOND_NS
_FALLS = 6  # within the window, before each further one is waited out at the ceiling
_WINDOW_NS = 3600 * SECOND_NS

Note = Callable[[str, Severity, MarketId | None, str], None]


class Beside:
    """Keeps such work going until `aclose`; `note` is told of a fall, as an event of the daemon."""

    def __init__(self, world: World, note: Note) -> None:
        self._world = world
        self._note = note
        self._tasks = Tasks("beside", self._ended)
        self._told: dict[str, tuple[str, int]] = {}  # by what it fell last, and when
        self.falls: dict[str, int] = {}  # since the start

    def keep(self, name: str, run: Callable[[], Awaitable[None]], *, among: Tasks | None = None) -> None:
        """Run it, and again after each fall; it ends with the tasks `among` which it is, where it must end sooner."""
        self.falls[name] = 0
        restarts = Restarts(
            limit=_FALLS, window_ns=_WINDOW_NS, backoff=Backoff(first_ns=_FIRST_NS, ceiling_ns=_CEILING_NS)
        )
        supervisor = Supervisor(
            clock=self._world.clock,
            draw=self._world.fork(f"beside/{name}").random,
            restarts=restarts,
            gave_up_wait_s=_CEILING_NS / SECOND_NS,
        )

        def fell(error: Exception, wait_ns: int | None) -> None:
            self._fell(name, error, _CEILING_NS if wait_ns is None else wait_ns)

        (self._tasks if among is None else among).spawn(name, supervisor.keep(run, fell))

    async def aclose(self) -> None:
        """End all of it."""
        await self._tasks.aclose()

    def _fell(self, name: str, error: Exception, wait_ns: int) -> None:
        """Count a fall and tell of it; of the same one once, however often it comes, until it was gone for an hour."""
        words, now_ns = named(error), self._world.clock.now_ns()
        told, last_ns = self._told.get(name, ("", 0))
        self._told[name] = words, now_ns
        self.falls[name] += 1
        if told == words and now_ns - last_ns <= _WINDOW_NS:
            return
        log.error("task.fell", task=name, again_s=round(wait_ns / SECOND_NS, 1), exc_info=error)
        self._note("task.fell", Severity.ERROR, None, f"{name} fell, and is begun again: {words}")

    def _ended(self, name: str, error: BaseException) -> None:
        """Learn that the keeping itself failed, which ends this work and no other."""
        log.error("task.crashed", task=name, exc_info=error)
