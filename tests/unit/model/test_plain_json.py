"""JSON with amounts in plain digits."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.plain_json import plain_json


class Held(msgspec.Struct):
    """What a report is made of."""

    net: Decimal
    words: str = ""


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("4E-10", "0.0000000004"),
        ("-1.25E-7", "-0.000000125"),
        ("1.5E+6", "1500000"),
        ("0E-8", "0.00000000"),
        ("1.50",) * 2,
    ],
)
def test_no_amount_has_an_exponent(amount: str, text: str) -> None:
    """Wherever it stands, with every digit that it has."""
    said = json.loads(plain_json({"held": [Held(net=Decimal(amount))], "one": Decimal(amount)}))
    assert (said["held"][0]["net"], said["one"]) == (text, text)


def test_words_are_left_as_they_are() -> None:
    """Names of coins have such letters, and somebody may quote an amount."""
    for words in ("APE-USDT", 'it says "4E-10" there', '"4E-10', "4E-10 and more", "1E-1000000", "x4E-10"):
        said = json.loads(plain_json(Held(net=Decimal("4E-10"), words=words)))
        assert said["net"] == "0.0000000004"
        assert said["words"].replace("0.0000000004", "4E-10") == words


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=18)))
def test_every_amount_stays_exact(amounts: list[Decimal]) -> None:
    """And is read as before."""
    said = plain_json(amounts)
    assert msgspec.json.decode(said, type=list[Decimal]) == amounts
    assert b"E" not in said
