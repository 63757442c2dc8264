"""What is told of a mistake: its key, its line, what is wrong, and the nearest right word."""

import pytest

from .conftest import MARKET, Mistakes, said


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[databse]\nurl = 1\n", "databse", "Did you mean database?"),
        ("[venues.bibyt]\n", "venues.bibyt", "Did you mean bybit?"),
        ("venues = 3\n", "venues", "must be a table"),
        ("defaults = { parameters = 5 }\n", "defaults.parameters", "must be a table"),
        ("[defaults]\nsizes = 3\n", "defaults.sizes", "Did you mean size?"),
        ("[defaults]\nstrategy = 3\n", "defaults.strategy", "must be a text in quotes, not 3"),
        ("[defaults]\nsize = -3\n", "defaults.size", "greater than or equal to 0.01, not -3"),
        ("[defaults]\nsize = nan\n", "defaults.size", "finite"),
        ("[defaults]\nsize = true\n", "defaults.size", "not true or false"),
        ("[defaults]\nleverage = 1.5\n", "defaults.leverage", "must be a whole number, not 1.5"),
        ("[defaults]\nvenue = 'okx'\n", "defaults.venue", "must be 'bybit' or 'binance_usdm', not 'okx'"),
        ("[defaults]\ntimeframe = '1'\n", "defaults.timeframe", "such as 1m"),
        ("[start]\njitter_s = 1e400\n", "start.jitter_s", "finite"),
        ("[logs]\nlevel = 'loud'\n", "logs.level", "'debug', 'info', 'warning' or 'error'"),
        ("state_dir = '~/x'\n", "state_dir", "written out in full"),
        ("state_dir = ''\n", "state_dir", "must not be empty"),
        ("[control]\nsocket = ' '\n", "control.socket", "must not be empty"),
        ('[notify]\nnever = ["Feed"]\n', "notify.never[0]", "a pattern such as"),
        ("[control]\nhost = '127.0.0.1:8787'\n", "control.host", "without a port"),
        ("[control]\nhost = '[::1]:8787'\n", "control.host", "without a port"),
        ("[control]\nhost = '[::1'\n", "control.host", "is not a host name"),
        ("[control]\nhosts = ['[x]']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['http://x']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['x:1']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['*']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['[']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nport = 'abc'\n", "control.port", "must be a whole number, not 'abc'"),
        ("[start]\njitter_s = '1h'\n", "start.jitter_s", "must be a number, not '1h'"),
        ("[control]\nport = 65536\n", "control.port", "65535"),
        ("[venues.bybit]\nrest_url = 'http://u:p@x'\n", "venues.bybit.rest_url", "must not hold a user"),
        ("[venues.bybit]\nrest_url = 'http://x:y'\n", "venues.bybit.rest_url", "must be an address"),
        ("[database]\nurl = 5\n", "database.url", "must be a text in quotes"),
        ("[venues.bybit]\nmode = 'live'\n", "venues.bybit.mode", "is no setting. A daemon has one mode"),
    ],
)
def test_a_mistake_says_what_is_wrong(mistakes: Mistakes, text: str, key: str, words: str) -> None:
    """One mistake of each kind: its key, its line, and words to act on."""
    found = [problem for problem in mistakes(text + MARKET) if problem.key == key]
    assert found
    assert words in said(tuple(found))
    assert found[0].line


def test_the_market_table_must_be_a_table(mistakes: Mistakes) -> None:
    """`markets = 3` is told in the file's own terms."""
    assert "must be [[markets]] tables" in said(mistakes("markets = 3\n"))
    assert "must be a table" in said(mistakes("markets = [3]\n"))


@pytest.mark.parametrize("section", ["database", "venues.bybit", "notify", "telegram"])
def test_what_may_be_a_secret_is_not_repeated(mistakes: Mistakes, section: str) -> None:
    """A person may have written it without quotation marks."""
    name = {"database": "url", "venues.bybit": "secret", "notify": "addresses", "telegram": "token"}[section]
    found = mistakes(f"[{section}]\n{name} = 123456789\n{MARKET}")
    assert [one.key for one in found] == [f"{section}.{name}"]
    assert "123456789" not in said(found)
    assert "must be a text in quotes" in said(found)


def test_a_long_value_is_cut_where_it_says_enough(mistakes: Mistakes) -> None:
    """And a table or a list is not repeated at all."""
    (found,) = mistakes(f'mode = "{"x" * 100}"\n{MARKET}')
    assert f"not '{'x' * 59}…" in found.message
    assert "x" * 60 not in found.message
    (found,) = mistakes(f"[start]\ninterval_s = [1, 2, 3]\n{MARKET}")
    assert "1, 2" not in found.message
    (found,) = mistakes(f"[start]\ninterval_s = {{ of = 7 }}\n{MARKET}")
    assert "7" not in found.message
