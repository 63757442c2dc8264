"""A strategy's parameters: every mistake in one pass, with its key and what it must be."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from kangbot.strategy.ema_cross import EmaCross
from kangbot.strategy.parameters import Parameters, StrategyInvalid, parse


def mistakes(kind: type[Parameters], **values: object) -> list[str]:
    """Return what is wrong with the values, in words."""
    with pytest.raises(StrategyInvalid) as caught:
        parse(kind, values)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_every_mistake_in_parameters_is_found_in_one_pass() -> None:
    """Unknown with the nearest, wrong types and ranges with what was given."""
    assert mistakes(EmaCross.parameters_type, fsat=5, slow="20", fast=0, stop_percent="wide", allow_short=1) == [
        "fsat: is not a parameter of this strategy. Did you mean fast?",
        "fast: must be a whole number >= 1, not 0",
        "slow: must be a whole number, not '20'",
        "stop_percent: must be a number, not 'wide'",
        "allow_short: must be true or false, not 1",
    ]


def test_a_fraction_is_shown_as_the_file_has_it() -> None:
    """The configuration reads it as a Decimal."""
    assert mistakes(EmaCross.parameters_type, fast=Decimal("5.0")) == ["fast: must be a whole number, not 5.0"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "sNaN"])
def test_what_is_no_finite_number_is_a_mistake(value: str) -> None:
    """A file may hold it; a strategy's own rule would fall by the first comparison, without a word of which key."""
    assert mistakes(EmaCross.parameters_type, stop_percent=Decimal(value)) == [
        f"stop_percent: must be a finite number, not {Decimal(value)}"
    ]
    assert mistakes(Needy, must=1, may=Decimal(value.replace("s", ""))) == [
        f"may: must be a finite number, not {Decimal(value.replace('s', ''))}"
    ]


def test_parameters_that_contradict_each_other_are_found() -> None:
    """By the strategy's own rule, once the types are right."""
    assert mistakes(EmaCross.parameters_type, fast=20, slow=10) == ["fast: must be below slow (10), not 20"]


class Needy(Parameters, frozen=True, kw_only=True):
    """A parameter without a default, and one with."""

    must: int
    may: float | None = None


def test_a_required_parameter_is_asked_for() -> None:
    """With what to do; an unknown one of a strategy without parameters has none to be compared with."""
    assert mistakes(Needy) == ["must: is required. Set must"]
    assert mistakes(Parameters, x=1) == ["x: is not a parameter of this strategy. There is none to set"]
    assert parse(Needy, {"must": 1}) == Needy(must=1)


def test_what_may_be_left_out_is_named_by_its_kind_all_the_same() -> None:
    """Nobody writes a null into a configuration; a word that is near nothing has all that are known."""
    assert mistakes(Needy, must=1, may="x", zzz=1) == [
        "zzz: is not a parameter of this strategy. Known are: must, may",
        "may: must be a number, not 'x'",
    ]


class Choosy(Parameters, frozen=True, kw_only=True):
    """Finds fault with both of its parameters."""

    one: int = 1
    other: int = 2

    def problems(self) -> Iterator[tuple[str, str]]:
        yield "one", "must be odd"
        yield "other", "must be odd too"


def test_all_that_a_strategy_finds_wrong_is_told_at_once() -> None:
    """Made by whomever: nothing is decided by parameters that contradict each other."""
    assert mistakes(Choosy) == ["one: must be odd", "other: must be odd too"]
    with pytest.raises(StrategyInvalid, match="one: must be odd\nother: must be odd too"):
        Choosy()
