"""How the markets of one account are run: what their operator decided for all of them."""

from collections.abc import Callable

import msgspec

from kangbot.machines.backoff import Backoff
from kangbot.machines.guard import StopTerms
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.restarts import Restarts
from kangbot.machines.slowness import Bounds
from kangbot.runtime.supervisor import Supervisor
from kangbot.runtime.world import SECOND_NS, Clock


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How the floor is run; times in seconds."""

    restarts: int = 5
    restarts_within_s: float = 300.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    receive_window_ms: int = 5000
    cancel_entries: bool = True  # on stop: resting entries are cancelled, else left at the venue
    cancel_orphans: bool = True  # orders under our prefix that the journal does not know; else they are only told
    foreign: ForeignPolicy = ForeignPolicy.REPORT
    stops: StopTerms = msgspec.field(default_factory=StopTerms)
    rules_s: float = 3600.0  # how often the venue is asked whether a market's rules have changed
    rules_pause_s: float = 300.0  # and about one market no sooner, however much it refuses it
    rules_exit_pause_s: float = 10.0  # the same where it refuses an exit or a stop
    decisions: Bounds | None = None  # what a strategy may take for a bar; None: nobody measures
    on_paper: bool = False  # the account is simulated: where nobody here looks after a position, nobody does

    def supervisor(self, clock: Clock, draw: Callable[[], float]) -> Supervisor:
        """Return one who runs a task again after a fall; each task has its own."""
        restarts = Restarts(
            limit=self.restarts,
            window_ns=int(self.restarts_within_s * SECOND_NS),
            backoff=Backoff(
                first_ns=int(self.first_wait_s * SECOND_NS), ceiling_ns=int(self.longest_wait_s * SECOND_NS)
            ),
        )
        return Supervisor(clock=clock, draw=draw, restarts=restarts, gave_up_wait_s=self.longest_wait_s)
