"""What is set of breakers is what the machine gets: a key that reaches nobody would be believed in all the same."""

from kangbot.machines.breaker import BreakerTerms
from kangbot.settings.breakers import BreakerSettings

S = 1_000_000_000


def test_each_key_of_breakers_reaches_them() -> None:
    """In nanoseconds; the defaults are the machine's own."""
    assert BreakerSettings().terms == BreakerTerms()
    asked = BreakerSettings(
        failures=11,
        within_s=12.5,
        cool_down_s=13,
        in_a_row=14,
        row_within_s=15,
        row_cool_down_s=16,
        longest_s=17,
    )
    assert asked.terms == BreakerTerms(
        failures=11,
        within_ns=12_500_000_000,
        cool_down_ns=13 * S,
        in_a_row=14,
        row_within_ns=15 * S,
        row_cool_down_ns=16 * S,
        longest_ns=17 * S,
    )
