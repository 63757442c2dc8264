"""The section about health: from where a figure warns, and above which it is critical."""

from dataclasses import dataclass
from typing import Annotated

from kangbot.health.checks import Thresholds
from kangbot.machines.verdict import Bounds
from kangbot.settings.kinds import DAY_S, SECTION, Between

_Figure = Annotated[float, Between(0, 1_000_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """`[health]`: `kangbot health`, `/health`, and the report in the log."""

    __pydantic_config__ = SECTION

    report_every_s: Annotated[float, Between(10, DAY_S)] = 900.0
    """A readable report in the log so often, in seconds."""

    decision_warning_s: _Figure = 30.0
    """From a frame to its decision, on average of 15 minutes, in seconds. Usually far below a millisecond."""
    decision_critical_s: _Figure = 90.0
    """Orders follow prices that are over by then."""

    memory_warning_percent: _Figure = 80.0
    """Of the limit that really applies: the control group's (where it is slowed down, else where it is ended), or the
    machine's. Memory is given back from 80 % on, whatever stands here."""
    memory_critical_percent: _Figure = 100.0
    """Reached where the group has a `memory.high`, as under our unit. Under a `memory.max` alone (a container's) the
    kernel ends the process at 100 %: there a lower figure can be seen, and the warning comes first anyway."""

    rest_warning_ms: _Figure = 2000.0
    """The slowest endpoint of the venue, on average of 15 minutes, in milliseconds."""
    rest_critical_ms: _Figure = 5000.0
    """As long as a request may take to reach the venue (`receive_window_ms`), by default."""

    errors_warning: _Figure = 5.0
    """Errors within the last 15 minutes, whichever their kind. One that lasts, or that many markets meet at once, is
    one; refusals of the venue do not count."""
    errors_critical: _Figure = 10.0
    """So many within 15 minutes are no series of accidents any more."""

    lag_warning_ms: _Figure = 100.0
    """How late the loop is, p99 of half a minute, in milliseconds."""
    lag_critical_ms: _Figure = 1000.0
    """Every market decides a second late, and silence is noticed as late."""

    feed_warning_s: _Figure = 15.0
    """Since the last price of a market that runs, in seconds. Raise it for markets that trade seldom."""
    feed_critical_s: _Figure = 60.0
    """Above this, `/ready` fails too, unless the venue as a whole is away."""

    unknown_warning_s: _Figure = 5.0
    """For how long an order is UNKNOWN, in seconds."""
    unknown_critical_s: _Figure = 60.0
    """Above this, `/ready` fails too."""

    backlog_warning: _Figure = 10_000.0
    """Events in the journal that the history has not got."""
    backlog_critical: _Figure = 200_000.0
    """Above this, `/ready` fails too."""

    clock_warning_ms: _Figure = 1000.0
    """Between the venue's clock and ours, in milliseconds. It is corrected for; this tells of a machine without NTP."""
    clock_critical_ms: _Figure = 5000.0
    """Far beyond what a machine drifts by itself: somebody has set one of the two."""

    disk_warning_mb: _Figure = 1024.0
    """Free where the state folder is, in MB; less is worse."""
    disk_critical_mb: _Figure = 128.0
    """Soon nothing can be written down, and then no entry leaves."""

    @property
    def thresholds(self) -> Thresholds:
        """The same as the checks take it."""
        return Thresholds(
            decision_s=Bounds(warning=self.decision_warning_s, critical=self.decision_critical_s),
            memory_percent=Bounds(warning=self.memory_warning_percent, critical=self.memory_critical_percent),
            rest_ms=Bounds(warning=self.rest_warning_ms, critical=self.rest_critical_ms),
            errors=Bounds(warning=self.errors_warning, critical=self.errors_critical),
            lag_ms=Bounds(warning=self.lag_warning_ms, critical=self.lag_critical_ms),
            feed_s=Bounds(warning=self.feed_warning_s, critical=self.feed_critical_s),
            unknown_s=Bounds(warning=self.unknown_warning_s, critical=self.unknown_critical_s),
            backlog=Bounds(warning=self.backlog_warning, critical=self.backlog_critical),
            clock_ms=Bounds(warning=self.clock_warning_ms, critical=self.clock_critical_ms),
            disk_mb=Bounds(warning=self.disk_warning_mb, critical=self.disk_critical_mb),
        )
