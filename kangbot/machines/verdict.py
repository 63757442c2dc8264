"""How well the daemon is: checks of figures against bounds, the worst of them, and a score from 0 to 100.

::

    score = 100 * (0.5 * active / wanted + 0.2 * (1 - tripped / wanted) + 0.3 * mean of the checks)

`active` are the markets that run of those that are `wanted` to; `tripped` those of them with a breaker that is not
closed; a check counts 1 when healthy, 0.5 as a warning, 0 when critical. Without wanted markets their share is whole.
A check that warns keeps the score under 90, a critical one under 60: many good figures outweigh no bad one.
"""

from collections.abc import Sequence
from enum import Enum

import msgspec


class Status(Enum):
    """What a figure means for whoever looks after the daemon."""

    HEALTHY = "healthy"
    WARNING = "warning"  # somebody should look within the day
    CRITICAL = "critical"  # money is at risk, or soon is: somebody should look now


_WORTH = {Status.HEALTHY: 1.0, Status.WARNING: 0.5, Status.CRITICAL: 0.0}
_MOST = {Status.HEALTHY: 100, Status.WARNING: 89, Status.CRITICAL: 59}  # that the score may be
_ORDER = tuple(Status)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that reaches `warning` warns, one above `critical` is critical; both in the figure's unit."""

    warning: float
    critical: float

    def judge(self, figure: float | None) -> Status:
        """Return what the figure means; None (nothing measured yet) is well."""
        if figure is None or figure < self.warning:
            return Status.HEALTHY
        return Status.CRITICAL if figure > self.critical else Status.WARNING

    def judge_left(self, figure: float | None) -> Status:
        """Return the same where little is bad: what is left of something."""
        if figure is None or figure > self.warning:
            return Status.HEALTHY
        return Status.CRITICAL if figure < self.critical else Status.WARNING


def worst(statuses: Sequence[Status]) -> Status:
    """Return the worst; healthy where there is none."""
    return max(statuses, key=_ORDER.index, default=Status.HEALTHY)


def score(*, active: int, wanted: int, tripped: int, statuses: Sequence[Status]) -> int:
    """Return the score, rounded down."""
    running, whole = (active / wanted, 1 - tripped / wanted) if wanted else (1.0, 1.0)
    checks = sum(_WORTH[status] for status in statuses) / len(statuses) if statuses else 1.0
    total = int(100 * (0.5 * min(1.0, running) + 0.2 * max(0.0, whole) + 0.3 * checks) + 1e-9)
    return min(total, _MOST[worst(statuses)])
