"""What is left of a configuration without its wrong keys, so that one message can tell every mistake."""

from .conftest import MARKET, Mistakes


def test_the_second_look_is_not_misled_by_what_was_wrong(mistakes: Mistakes) -> None:
    """A rule that would read a wrong key is not asked, so nothing is told that is not so."""
    found = mistakes('mode = "lvie"\n[venues.bybit]\nrest_url = "https://api.bybit.com"\n' + MARKET)
    assert [problem.key for problem in found] == ["mode"]
    found = mistakes("[[markets]]\nsymbol = 5\n")
    assert [problem.key for problem in found] == ["markets[0].symbol"]
