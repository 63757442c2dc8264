"""The section about errors: what each kind means, where it shall mean something else than by default."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from kangbot.machines.faults import DEFAULTS, Action, Gravity, Kind, Policy, Rule
from kangbot.settings.kinds import DAY_S, SECTION, Between

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """`[errors.<kind>]`: what one kind of error does, such as `[errors.timeout]`. What is absent is as by default."""

    __pydantic_config__ = SECTION

    severity: Literal["low", "medium", "high", "critical"] | None = None
    """How grave it is, in the report and in the log."""

    action: Literal["retry", "backoff", "reset", "alert", "pause", "shutdown"] | None = None
    """What is done. None of them holds back an exit, a cancellation or a stop, except `shutdown`, which ends in
    order: stops stay."""

    wait_s: Annotated[float, Between(0, DAY_S)] | None = None
    """`backoff` and `pause`: no entry for so long. `reset`: not again within it. In seconds."""

    tries: Annotated[int, Between(0, 1000)] | None = None
    """`retry`: so many failures of one operation are nothing to tell a person of; one more is."""

    def over(self, rule: Rule) -> Rule:
        """Return the rule with what is set here."""
        return msgspec.structs.replace(
            rule,
            severity=rule.severity if self.severity is None else Gravity(self.severity),
            action=rule.action if self.action is None else Action(self.action),
            wait_ns=rule.wait_ns if self.wait_s is None else int(self.wait_s * _SECOND_NS),
            tries=rule.tries if self.tries is None else self.tries,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSettings:
    """`[errors.<kind>]`: a section for each kind of error."""

    __pydantic_config__ = SECTION

    rate_limit: ErrorRule = field(default_factory=ErrorRule)
    timeout: ErrorRule = field(default_factory=ErrorRule)
    connection: ErrorRule = field(default_factory=ErrorRule)
    ambiguous: ErrorRule = field(default_factory=ErrorRule)
    insufficient_balance: ErrorRule = field(default_factory=ErrorRule)
    not_found: ErrorRule = field(default_factory=ErrorRule)
    duplicate_id: ErrorRule = field(default_factory=ErrorRule)
    refused: ErrorRule = field(default_factory=ErrorRule)
    authentication: ErrorRule = field(default_factory=ErrorRule)
    needs_human: ErrorRule = field(default_factory=ErrorRule)
    feed: ErrorRule = field(default_factory=ErrorRule)
    history: ErrorRule = field(default_factory=ErrorRule)
    journal: ErrorRule = field(default_factory=ErrorRule)
    fall: ErrorRule = field(default_factory=ErrorRule)
    critical: ErrorRule = field(default_factory=ErrorRule)
    """A task without which the daemon cannot go on: whatever `action` says, it ends."""

    unknown: ErrorRule = field(default_factory=ErrorRule)

    @property
    def policy(self) -> Policy:
        """The same as the machine takes it."""
        return {kind: getattr(self, kind.value).over(DEFAULTS[kind]) for kind in Kind}
