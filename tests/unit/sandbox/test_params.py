"""Reading a request: what is missing or malformed is refused, and nothing else."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from kangbot.sandbox.errors import PARAMS, ApiError
from kangbot.sandbox.params import decimal, flag, millis, price, text, until, whole

D = Decimal
ABSENT: list[dict[str, Any]] = [{}, {"name": None}, {"name": ""}]
Reader = Callable[[dict[str, Any], str], object]


def refusal(read: Reader, value: object) -> str:
    """Return the words of the refusal, which has the code of a wrong parameter."""
    with pytest.raises(ApiError) as refused:
        read({"name": value}, "name")
    assert (refused.value.code, refused.value.status) == (PARAMS, 200)
    return refused.value.message


@pytest.mark.parametrize("params", ABSENT)
def test_what_is_absent_is_nothing_or_its_default(params: dict[str, Any]) -> None:
    """Left out, null, and empty are the same."""
    assert (text(params, "name", "x"), whole(params, "name", 7)) == ("x", 7)
    assert (decimal(params, "name"), price(params, "name"), millis(params, "name")) == (None, None, None)
    assert not flag(params, "name")
    with pytest.raises(ApiError, match="name is required"):
        text(params, "name")


def test_numbers_may_be_text_or_not() -> None:
    """As they come in a query or in a body."""
    assert [decimal({"name": value}, "name") for value in ("0.10", 2, -1.5, "1e3")] == [D("0.10"), 2, D("-1.5"), 1000]
    assert [whole({"name": value}, "name", 1) for value in ("5", 5)] == [5, 5]
    assert [millis({"name": value}, "name") for value in ("5", 5)] == [5_000_000, 5_000_000]
    assert text({"name": 7}, "name") == "7"


@pytest.mark.parametrize("value", ["x", "NaN", "-Infinity", "1,5", True, [], "1e18", "-1e30"])
def test_what_is_no_number_is_refused(value: object) -> None:
    """One beyond any price or quantity is none either: nothing could be computed with it."""
    assert refusal(decimal, value) == "params error: name invalid"


def test_a_span_ends_with_the_millisecond_that_it_names() -> None:
    """Clocks are finer than the wire: who asks until the time of a row has that row."""
    assert [until({"name": value}, "name") for value in ("5", 5)] == [5_999_999] * 2
    assert [until(params, "name") for params in ABSENT] == [None] * 3


def test_a_price_of_nought_is_none() -> None:
    """The venue reads it as "no stop"."""
    assert [price({"name": value}, "name") for value in ("0", "0.00", 0, "1")] == [None, None, None, D(1)]


def test_a_page_size_is_held_between_its_bounds() -> None:
    """As the venue does; what is no whole number is refused."""
    read = [whole({"name": value}, "name", 20, high=50) for value in ("0", "-5", "1", "50", "51")]
    assert read == [1, 1, 1, 50, 50]
    for value in ("x", "1.5", True):
        assert refusal(lambda params, name: whole(params, name, 20), value) == "params error: name invalid"
        assert refusal(millis, value) == "params error: name invalid"


def test_a_flag_is_set_by_the_words_for_it() -> None:
    """In any case of letters, or as JSON has it."""
    set_ = [flag({"name": value}, "name") for value in (True, "true", "True", "1", 1)]
    unset = [flag({"name": value}, "name") for value in (False, "false", "0", 0, "yes")]
    assert (set(set_), set(unset)) == ({True}, {False})
