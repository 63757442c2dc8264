"""The section about circuit breakers."""

from dataclasses import dataclass
from typing import Annotated

from kangbot.machines.breaker import BreakerTerms
from kangbot.settings.kinds import DAY_S, SECTION, Between

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """`[breakers]`: when a market's calls fail so often that it is left alone, and for how long.

    Each market has one for each lane: data, entry, exit. An open one holds back entries, never exits, cancellations or
    stops.
    """

    __pydantic_config__ = SECTION

    failures: Annotated[int, Between(2, 1000)] = 10
    """So many failures within `within_s` open it."""

    within_s: Annotated[float, Between(1, DAY_S)] = 300.0
    """In seconds."""

    cool_down_s: Annotated[float, Between(1, DAY_S)] = 600.0
    """It stays open for half of this to all of it, drawn, in seconds; then one question is asked before anything else.
    Doubled with each time that follows another."""

    in_a_row: Annotated[int, Between(2, 1000)] = 5
    """So many failures without a success between them, within `row_within_s`, open it too."""

    row_within_s: Annotated[float, Between(1, DAY_S)] = 60.0
    """In seconds."""

    row_cool_down_s: Annotated[float, Between(1, DAY_S)] = 300.0
    """As `cool_down_s`, where it was opened by failures in a row."""

    longest_s: Annotated[float, Between(1, DAY_S)] = 3600.0
    """The doubling ends here, in seconds."""

    @property
    def terms(self) -> BreakerTerms:
        """The same as the machine takes it."""
        return BreakerTerms(
            failures=self.failures,
            within_ns=int(self.within_s * _SECOND_NS),
            cool_down_ns=int(self.cool_down_s * _SECOND_NS),
            in_a_row=self.in_a_row,
            row_within_ns=int(self.row_within_s * _SECOND_NS),
            row_cool_down_ns=int(self.row_cool_down_s * _SECOND_NS),
            longest_ns=int(self.longest_s * _SECOND_NS),
        )
