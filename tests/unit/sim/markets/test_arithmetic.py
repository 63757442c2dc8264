"""The venue's own arithmetic: the same digits whatever a library has made of the thread's."""

from decimal import ROUND_UP, Context, Decimal, DivisionByZero, Inexact, getcontext, localcontext

import pytest

from kangbot.sim.markets.arithmetic import exact

D = Decimal
THIRD = D("0.3333333333333333333333333333")


@exact
def divided(one: int, by: int) -> Decimal:
    """Return the quotient."""
    return D(one) / by


@exact
def nested() -> tuple[Decimal, Decimal]:
    """Return a quotient that another such function made, and one that this made after it."""
    return divided(1, 3), D(1) / 3


def test_a_context_of_the_threads_changes_no_digit_and_is_there_again_afterwards() -> None:
    """Neither its precision, nor its rounding, nor what it raises on."""
    with localcontext(Context(prec=5, rounding=ROUND_UP, traps=[Inexact])) as theirs:
        assert divided(1, 3) == THIRD
        assert divided(2, 3) == D("0.6666666666666666666666666667")
        assert getcontext() is theirs


def test_halves_go_to_the_even_digit() -> None:
    """As the venue rounds them, of 28 digits."""
    with localcontext(Context(prec=5, rounding=ROUND_UP)):
        assert exact(lambda: D("1.0000000000000000000000000005") + 1)() == D("2.000000000000000000000000000")
        assert exact(lambda: D("1.0000000000000000000000000015") + 1)() == D("2.000000000000000000000000002")


def test_one_inside_another_keeps_to_it_to_the_end() -> None:
    """The inner one does not give the thread's back too early."""
    with localcontext(Context(prec=5, rounding=ROUND_UP)) as theirs:
        assert nested() == (THIRD, THIRD)
        assert getcontext() is theirs


def test_an_error_gives_the_threads_context_back_as_well() -> None:
    """What is impossible raises, whatever the thread traps."""
    with localcontext(Context(prec=5, traps=[])) as theirs:
        with pytest.raises(DivisionByZero):
            divided(1, 0)
        assert getcontext() is theirs


def test_a_function_keeps_its_name() -> None:
    """In a traceback it is found by that."""
    assert (divided.__name__, divided.__doc__) == ("divided", "Return the quotient.")
