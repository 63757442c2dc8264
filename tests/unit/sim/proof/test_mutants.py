"""Safeguards that are taken out for a while: each is gone inside, there again afterwards, and none is forgotten."""

import inspect
from types import ModuleType

import pytest

from kangbot.execution.budget import Budget
from kangbot.sim.proof import edit_mutants, market_mutants, mutants, spot_mutants
from kangbot.sim.proof.mutants import MUTANTS, mutated

# What a mutant may replace: the modules of the house, and the classes in them.
_REPLACED = "kangbot."


def standing(put: list[tuple[object, str]]) -> list[object]:
    """Return what stands at these places."""
    return [vars(owner)[attribute] for owner, attribute in put]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_safeguard_is_out_inside_and_there_again_afterwards(name: str) -> None:
    """Each place that the mutant names is another one meanwhile, and the very same in the end."""
    places: list[tuple[object, str]] = []
    MUTANTS[name](lambda owner, attribute, _: places.append((owner, attribute)))
    assert places
    for owner, _ in places:
        where = owner.__name__ if isinstance(owner, ModuleType) else getattr(owner, "__module__", "")
        assert where.startswith(_REPLACED)
    before = standing(places)
    with mutated(name):
        assert not any(now is then for now, then in zip(standing(places), before, strict=True))
    assert all(now is then for now, then in zip(standing(places), before, strict=True))


def test_an_error_puts_it_back_as_well() -> None:
    """A session that breaks off leaves nothing to the next one."""
    before = Budget.acquire

    def fail() -> None:
        with mutated("budget_ignored"):
            assert Budget.acquire is not before
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert Budget.acquire is before


def test_no_name_takes_nothing_out() -> None:
    """As of a session that is none of a mutant's."""
    before = Budget.acquire
    with mutated(""):
        assert Budget.acquire is before


@pytest.mark.parametrize("module", [mutants, edit_mutants, market_mutants, spot_mutants], ids=lambda one: one.__name__)
def test_every_mutant_that_is_written_is_played(module: ModuleType) -> None:
    """One that nobody lists would prove nothing, and nobody would miss it."""
    written = [
        function
        for function in vars(module).values()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and list(inspect.signature(function).parameters) == ["put"]
    ]
    assert len(written) > 4
    assert [one.__name__ for one in written if one not in MUTANTS.values()] == []
