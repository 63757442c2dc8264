"""Single values of another bot's configuration."""

from decimal import Decimal

import pytest

from kangbot.cli.importing.taken import Taken, name_of, number, shown, symbol


def test_symbols_in_every_hand() -> None:
    """As exchanges, bots and people write them."""
    assert symbol("btc_usdt", perpetual=False) == "BTC/USDT"
    assert symbol("USDT", perpetual=True) is None
    assert symbol("BTC/USDT:BTC", perpetual=True) is None
    assert symbol(7, perpetual=True) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        (" eth-usdc ", "ETH/USDC:USDC"),
        ("ETHBTC", "ETH/BTC:BTC"),
        ("BTC", None),
        ("BTC/USDT/ETH", None),
        ("-USDT", None),
        (".*/USDT", None),
        ("B" * 21 + "/USDT", None),
        ("\N{GREEK CAPITAL LETTER BETA}TC/USDT", None),
    ],
)
def test_a_market_is_understood_or_left(value: str, found: str | None) -> None:
    """Never guessed: a pattern is none, nor is what looks like a letter of ours."""
    assert symbol(value, perpetual=True) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (5, Decimal(5)),
        ("5.5", Decimal("5.5")),
        (Decimal(10), Decimal(10)),
        (0, None),
        (11, None),
        (True, None),
        (5.5, None),
        ("NaN", None),
        ("Infinity", None),
        ("unlimited", None),
        (None, None),
    ],
)
def test_a_number_is_within_its_bounds(value: object, found: Decimal | None) -> None:
    """Both included; also where it stands as text. A word that is true is no 1."""
    assert number(value, 1, 10) == found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Ichimoku", "Ichimoku"),
        ("mill no. 7", "mill no. 7"),
        ("5m", "5m"),
        ("x" * 30, "x" * 30),
        ("x" * 31, "(not shown)"),
        ("kEy9f8e7d6c5b4a3", "(not shown)"),
        ("https://me:pw@host", "(not shown)"),
        ("two\nlines", "(not shown)"),
        (True, "true"),
        (-7, "-7"),
        (10**10, "(not shown)"),
        (["a"], "(not shown)"),
        (None, "(not shown)"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(value: object, said: str) -> None:
    """Only a plain word or number is."""
    assert shown(value) == said


def test_a_setting_is_named_in_one_line() -> None:
    """Its name may be a secret that stands in the wrong place: no more of it than a name is long."""
    assert name_of("max\nTimes\x1b") == "max?Times?"
    assert name_of("k" * 100) == "k" * 60


def test_each_market_and_each_note_is_taken_once() -> None:
    """In their order; a timeframe that kangbot has not is told."""
    taken = Taken()
    taken.take_symbols(["BTCUSDT", "BTC/USDT:USDT", ".*", ".+", "ETH/USDT"], perpetual=False)
    taken.take_timeframe("7m")
    taken.take_timeframe(" 1h ")
    assert taken.symbols == ["BTC/USDT", "BTC/USDT:USDT", "ETH/USDT"]
    assert taken.notes == [
        "the market (not shown) is no single symbol and was left out",
        "timeframe (not shown) is none that kangbot has: the default, 1m, holds",
    ]
    assert taken.timeframe == "1h"
