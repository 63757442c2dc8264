"""What is left of a configuration without its wrong keys, so that one message can tell every mistake."""

import pytest

from kangbot.settings.partial import without
from kangbot.settings.sources import Table

from .conftest import MARKET, Mistakes


def test_the_second_look_is_not_misled_by_what_was_wrong(mistakes: Mistakes) -> None:
    """A rule that would read a wrong key is not asked, so nothing is told that is not so."""
    found = mistakes('mode = "lvie"\n[venues.bybit]\nrest_url = "https://api.bybit.com"\n' + MARKET)
    assert [problem.key for problem in found] == ["mode"]
    found = mistakes("[[markets]]\nsymbol = 5\n")
    assert [problem.key for problem in found] == ["markets[0].symbol"]


def table() -> Table:
    """Three markets, and sections around them."""
    markets: list[object] = [{"symbol": "A", "size": 1, "parameters": {"fast": 1}}, {"symbol": "B"}, {"symbol": "C"}]
    return {"mode": "x", "risk": {"leverage": 1, "deep": {"a": 1, "b": 2}}, "markets": markets}


@pytest.mark.parametrize("key", ["symbol", "venue", "strategy", "parameters"])
def test_a_market_without_what_makes_it_is_another_market(key: str) -> None:
    """So all of it is left out, and the numbers of the others in the file are told."""
    for wrong in (("markets", 1, key), ("markets", 1, key, "inner"), ("markets", 1)):
        left, kept = without(table(), [wrong])
        assert left["markets"] == [table()["markets"][0], {"symbol": "C"}]  # type: ignore[index]  # it is a list
        assert kept == (0, 2)
    assert without(table(), [("markets", 0, key), ("markets", 2, key)])[1] == (1,)


def test_any_other_wrong_key_is_taken_out_alone_and_nothing_of_the_table_that_was_given() -> None:
    """Or the closest thing around it that there is; what is not there need not go."""
    given = table()
    left, kept = without(given, [("markets", 0, "size"), ("risk", "deep", "a"), ("mode",), ("nowhere", "x")])
    assert given == table()
    assert left == {
        "risk": {"leverage": 1, "deep": {"b": 2}},
        "markets": [{"symbol": "A", "parameters": {"fast": 1}}, {"symbol": "B"}, {"symbol": "C"}],
    }
    assert kept == (0, 1, 2)
    assert without(given, [("risk", "leverage", "inner")])[0]["risk"] == {"deep": {"a": 1, "b": 2}}
    assert without(given, [("risk", "leverage", 0)])[0]["risk"] == {"deep": {"a": 1, "b": 2}}
    assert without(given, [("risk", "deep")])[0]["risk"] == {"leverage": 1}, "a whole table"
    for nowhere in (("markets", 3, "size"), ("markets", "0", "size")):
        assert without(given, [nowhere])[0] == given
    assert without({"markets": 3}, [("mode",)]) == ({"markets": 3}, ())
    assert without({"markets": 3}, [("markets",)]) == ({}, ())
    assert without({}, []) == ({}, ())
