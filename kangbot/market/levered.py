"""A market's leverage at the venue: told of once where somebody changed it there, and once when it is as it was set.

What it is held against, and when it is put back, is decided in machines/leverage.py; the task prepares the market anew.
"""

from kangbot.execution.executor import Executor, Message
from kangbot.machines.leverage import Leverage
from kangbot.machines.reconcile import Reconciled
from kangbot.model.events import Severity
from kangbot.model.orders import VenuePosition
from kangbot.runtime.world import Clock


class Levered:
    """One market's; called by its task."""

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._known = Leverage()

    def placed(self, leverage: int) -> None:
        """Learn that the venue has taken this leverage for the market."""
        self._become(self._known.placed(leverage, self._clock.now_ns()))

    def heard(self, message: Message) -> None:
        """Learn what a message says of it."""
        if isinstance(message, VenuePosition):
            self._become(self._known.stated(message.leverage, self._clock.now_ns()))
        elif isinstance(message, Reconciled):
            self._become(self._known.stated(message.position.leverage, message.asked_ns))

    @property
    def due(self) -> str:
        """Why it is to be put back as soon as nothing is held, in words; "" where it is not."""
        due = self._known.due(self._clock.now_ns())
        return f"its leverage at the venue is {self._known.differs:f}" if due else ""

    def put_back(self) -> None:
        """Learn that the market is prepared anew, which puts it back."""
        self._known = self._known.put_back(self._clock.now_ns())

    def _become(self, known: Leverage) -> None:
        before, self._known = self._known, known
        if known.differs == before.differs:
            return
        if known.differs is None:
            text = f"its leverage at the venue is {known.wanted:f}, as it was set"
            self._executor.tell("leverage.settled", Severity.INFO, text)
        else:
            text = f"its leverage at the venue is {known.differs:f}, and {known.wanted:f} was set: somebody changed it"
            self._executor.tell("leverage.changed", Severity.WARNING, text)
