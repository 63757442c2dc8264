"""The few sums that the report makes itself."""

import msgspec

from kangbot.health.report import OrderCounts
from tests.support.reporting import a_report


def test_the_orders_of_all_markets_are_counted_together_each_by_what_became_of_it() -> None:
    """Whatever there is to count: a figure that joins is added as well."""
    names = OrderCounts.__struct_fields__
    one = OrderCounts(**{name: number for number, name in enumerate(names, 1)})
    other = OrderCounts(**{name: 100 * number for number, name in enumerate(names, 1)})
    one.add(other)
    assert msgspec.structs.asdict(one) == {name: 101 * number for number, name in enumerate(names, 1)}


def test_the_share_of_a_core_is_that_of_now() -> None:
    """In the first second there is none of the last minute: then it is that since the start. Idle is a figure, too."""
    for recent, told in ((None, 40.0), (0.0, 0.0), (6.5, 6.5)):
        report = msgspec.structs.replace(a_report(), cpu_percent=40.0, cpu_recent_percent=recent)
        assert report.core_percent == told
