"""Which executions are in the position already."""

from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.executions import REMEMBERED_NS, Executions
from kangbot.model.ids import ExecutionId


def test_what_was_applied_is_known() -> None:
    """Also to one that was made from what another knew."""
    executions = Executions()
    executions.add(ExecutionId("a"), 10)
    executions.add(ExecutionId("b"), 5)
    again = Executions(dict(executions.items()), executions.forgotten_ns)
    for one in (executions, again):
        assert ExecutionId("a") in one
        assert ExecutionId("c") not in one
        assert (len(one), one.last_ns) == (2, 10)


def test_a_day_later_an_id_is_forgotten_and_its_age_is_not() -> None:
    """What is not newer than the forgotten may have been applied."""
    executions = Executions()
    executions.add(ExecutionId("a"), 10)
    executions.add(ExecutionId("b"), 10 + REMEMBERED_NS)
    assert ExecutionId("a") in executions
    executions.add(ExecutionId("c"), 11 + REMEMBERED_NS)
    assert ExecutionId("a") not in executions
    assert executions.too_old(10)
    assert not executions.too_old(11)


def test_the_newest_that_was_forgotten_is_remembered_in_whatever_order_they_came() -> None:
    """A venue may tell an older one after it."""
    executions = Executions()
    for name, at_ns in (("a", 10), ("b", 5), ("c", 2 * REMEMBERED_NS)):
        executions.add(ExecutionId(name), at_ns)
    assert len(executions) == 1
    assert executions.too_old(10)


@given(st.lists(st.integers(0, 3 * REMEMBERED_NS), max_size=40))
def test_nothing_is_ever_applied_twice(times: list[int]) -> None:
    """Whatever was added is known, or so old that it is refused."""
    executions = Executions()
    for index, at_ns in enumerate(times):
        executions.add(ExecutionId(str(index)), at_ns)
    for index, at_ns in enumerate(times):
        assert ExecutionId(str(index)) in executions or executions.too_old(at_ns)
