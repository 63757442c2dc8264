"""What the private stream has told, held against what the venue answers: a stream may be acknowledged, and mute.

Nobody can tell by its silence alone, for an account may rest for days. But an execution that a round of questions finds
and the stream has not told of within seconds should have come by it. One may be lost, and two are no accident.
"""

from collections.abc import Sequence

from kangbot.model.ids import ExecutionId
from kangbot.model.orders import Fill

SECOND_NS = 1_000_000_000
_LATE_NS = 5 * SECOND_NS  # a stream has told by then
_ENOUGH = 2  # executions
_AGAIN_NS = 60 * SECOND_NS  # between two complaints: a new connection needs its time, and may be as mute
_KEPT = 4096  # executions; a round asks for a minute of them again


class Told:
    """Of one account's private stream. Moments are the venue's."""

    def __init__(self) -> None:
        self._known: dict[ExecutionId, None] = {}  # told, or missed and counted; oldest first
        self._listens_ns = 0
        self._complained_ns = 0
        self._missed = 0  # since it was heard last

    def listens(self, now_ns: int) -> None:
        """Learn that the stream is acknowledged from now on."""
        self._listens_ns, self._missed = now_ns, 0

    def heard(self, fill: Fill) -> None:
        """Take what the stream tells."""
        self._missed = 0
        self._keep(fill.execution_id)

    def mute(self, fills: Sequence[Fill], asked_ns: int) -> bool:
        """Take what the venue answered to a question of that moment; whether the stream is to be made anew."""
        for fill in fills:
            due = self._listens_ns + _LATE_NS < fill.at_ns < asked_ns - _LATE_NS
            if due and fill.execution_id not in self._known:
                self._missed += 1
                self._keep(fill.execution_id)
        if self._missed < _ENOUGH or asked_ns - self._complained_ns < _AGAIN_NS:
            return False
        self._missed, self._complained_ns = 0, asked_ns
        return True

    def _keep(self, execution: ExecutionId) -> None:
        self._known[execution] = None
        if len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
