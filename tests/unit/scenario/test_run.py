"""Many sessions, one after the other."""

import gc

import pytest

from kangbot.scenario.plan import Options
from kangbot.scenario.run import simulate, sweep
from kangbot.sim.proof.mutants import MUTANTS

SHORT = Options(minutes=2, markets=1, kinds=())


def test_a_sweep_has_the_outcome_of_each_seed_in_their_order() -> None:
    """The same as of a session by itself: none has a part in another."""
    seeds = (3, 1, 3)
    outcomes = list(sweep(seeds, SHORT))
    assert [outcome.seed for outcome in outcomes] == [3, 1, 3]
    assert outcomes[0] == outcomes[2] == simulate(3, SHORT)
    assert outcomes[0].digest != outcomes[1].digest


def test_a_sweep_plays_no_session_before_it_is_asked_for() -> None:
    """Whoever has seen enough stops there; the collector of garbage is as it was."""
    before = gc.get_threshold()
    outcomes = sweep(range(1, 10**9), SHORT)
    assert next(outcomes).seed == 1
    assert gc.get_threshold() != before
    outcomes.close()  # type: ignore[attr-defined]
    assert gc.get_threshold() == before


def test_a_mutant_is_in_place_for_its_session_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name; none is played without one."""
    played: list[str] = []
    monkeypatch.setitem(MUTANTS, "watched", lambda _put: played.append("watched"))
    assert simulate(1, SHORT).violation is None
    assert played == []
    assert simulate(1, SHORT, "watched").violation is None
    assert played == ["watched"]
    with pytest.raises(KeyError):
        simulate(1, SHORT, "nothing_of_that_name")
