"""What is told of many sessions is the sum of what each told."""

from kangbot.scenario.outcome import Outcome, empty_summary
from kangbot.sim.proof.invariants import Violation
from kangbot.sim.world.faults import Kind


def test_a_summary_adds_up() -> None:
    """Every figure, and each violation with its seed."""
    summary = empty_summary()
    broken = Violation(invariant="1", message="two orders", at_ns=5)
    summary.add(
        Outcome(
            seed=3,
            digest="a",
            virtual_seconds=600.0,
            faults={"crash": 2},
            deeds={"kill_set": 1},
            orders=4,
            fills=3,
            records=20,
            crashes=2,
        )
    )
    summary.add(
        Outcome(seed=7, digest="b", virtual_seconds=20.0, violation=broken, faults={"crash": 1}, deeds={"kill_set": 1})
    )
    assert (summary.seeds, summary.virtual_seconds, summary.crashes) == (2, 620.0, 2)
    assert (summary.orders, summary.fills, summary.records) == (4, 3, 20)
    assert summary.faults["crash"] == 3
    assert summary.deeds == {"kill_set": 2}
    assert summary.violations == [{"seed": 7, "invariant": "1", "message": "two orders"}]


def test_what_never_struck_is_told_too() -> None:
    """A kind that is absent could be one that was forgotten."""
    assert empty_summary().faults == {kind.value: 0 for kind in Kind}


def test_two_summaries_share_nothing() -> None:
    """What one counts is not in the other."""
    empty_summary().add(Outcome(seed=1, digest="a", virtual_seconds=1.0, faults={"crash": 1}, deeds={"x": 1}))
    assert empty_summary().faults["crash"] == 0
    assert empty_summary().deeds == {}
