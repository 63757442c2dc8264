"""Plans of faults and what is in force."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kangbot.sim.world.faults import Faults, Kind, planned


@given(st.integers(), st.integers(1, 40))
def test_a_plan_stays_within_its_time_and_its_kinds(seed: int, most: int) -> None:
    """In the order in which the faults begin."""
    kinds = (Kind.LOSS, Kind.CRASH, Kind.BAN)
    plan = planned(random.Random(seed), begin_ns=1000, end_ns=10**12, kinds=kinds, most=most)
    assert 1 <= len(plan) <= most
    assert plan == sorted(plan, key=lambda fault: fault.at_ns)
    for fault in plan:
        assert fault.kind in kinds
        assert fault.at_ns >= 1000
        assert fault.at_ns + fault.for_ns <= 10**12
        assert 0 < fault.share <= 1


def test_answers_that_are_behind_come_with_lost_events() -> None:
    """For as long, where both kinds are asked for: either alone is healed by the other."""
    both = (Kind.STALE_ANSWERS, Kind.PRIVATE_DROP)
    plan = planned(random.Random(3), begin_ns=0, end_ns=10**12, kinds=both, most=30)
    stale = [(fault.at_ns, fault.for_ns) for fault in plan if fault.kind is Kind.STALE_ANSWERS]
    lost = [(fault.at_ns, fault.for_ns) for fault in plan if fault.kind is Kind.PRIVATE_DROP]
    assert stale
    assert set(stale) <= set(lost)
    alone = planned(random.Random(3), begin_ns=0, end_ns=10**12, kinds=both[:1], most=30)
    assert {fault.kind for fault in alone} == {Kind.STALE_ANSWERS}


def test_an_overloaded_venue_is_behind_with_all_it_does() -> None:
    """Its questions and its stream are what would tell of the order that it kept."""
    kinds = (Kind.OVERLOAD, Kind.STALE_ANSWERS, Kind.PRIVATE_DROP)
    plan = planned(random.Random(3), begin_ns=0, end_ns=10**12, kinds=kinds, most=30)
    times = {kind: {(fault.at_ns, fault.for_ns) for fault in plan if fault.kind is kind} for kind in kinds}
    assert times[Kind.OVERLOAD]
    assert times[Kind.OVERLOAD] <= times[Kind.STALE_ANSWERS] <= times[Kind.PRIVATE_DROP]


def test_a_venue_fails_over_because_it_cannot_keep_up() -> None:
    """Orders wait inside when its clock becomes another."""
    kinds = (Kind.VENUE_CLOCK_STEP, Kind.OVERLOAD, Kind.STALE_ANSWERS)
    plan = planned(random.Random(3), begin_ns=0, end_ns=10**12, kinds=kinds, most=30)
    times = {kind: {(fault.at_ns, fault.for_ns) for fault in plan if fault.kind is kind} for kind in kinds}
    assert times[Kind.VENUE_CLOCK_STEP]
    assert times[Kind.VENUE_CLOCK_STEP] <= times[Kind.OVERLOAD] <= times[Kind.STALE_ANSWERS]


def test_no_kinds_are_no_faults() -> None:
    """A session may be quiet."""
    assert planned(random.Random(1), begin_ns=0, end_ns=10, kinds=(), most=5) == []


def test_a_fault_counts_when_it_strikes() -> None:
    """Not when it is in force, and never when it is not."""
    faults = Faults(random.Random(1))
    assert not faults.strikes(Kind.LOSS)
    faults.begin(Kind.LOSS, 0.5)
    struck = sum(faults.strikes(Kind.LOSS) for _ in range(200))
    assert 60 < struck < 140
    assert faults.counts[Kind.LOSS] == struck
    faults.end(Kind.LOSS)
    faults.end(Kind.LOSS)
    assert not faults.on(Kind.LOSS)
    assert not faults.strikes(Kind.LOSS)


def test_what_is_not_in_force_draws_nothing() -> None:
    """So a fault more in one plan does not move the draws of everything else before it."""
    quiet, asked = random.Random(5), random.Random(5)
    Faults(asked).strikes(Kind.CRASH)
    assert quiet.random() == asked.random()
