"""The kinds of values that a key can have."""

from pathlib import Path

import pytest

from kangbot.settings.kinds import Secret, _path, one_line

from .conftest import MARKET, Mistakes, Read


@pytest.mark.parametrize(
    "symbol",
    [
        "BTCUSDT",
        "BTCUSDT:USDT",
        "btc/USDT:USDT",
        "BTC/usdt:usdt",
        "BTC-X/USDT",
        "ETHÉ/USDT",
        "/USDT",
        "BTC/",
        "BTC/USDT:",
        "BTC/USD:BTC",
    ],
)
def test_what_is_no_symbol_is_refused(mistakes: Mistakes, symbol: str) -> None:
    """As a venue writes it, in small letters or another alphabet, in part, settled in what it is not quoted in."""
    (found,) = mistakes(MARKET.replace("BTC/USDT:USDT", symbol))
    assert (found.key, found.line) == ("markets[0].symbol", 2)
    assert "is not a symbol: write BTC/USDT:USDT" in found.message


@pytest.mark.parametrize(
    ("said", "meant"), [("::1", "::1"), ("[::1]", "::1"), ("0:0::1", "::1"), ("127.0.0.2", "127.0.0.2")]
)
def test_the_loopback_is_known_however_it_is_written(read: Read, said: str, meant: str) -> None:
    """Of version 6 as well, with the brackets of an address line or without."""
    assert read(f"[control]\nhost = '{said}'\n{MARKET}").control.host == meant


def test_a_name_of_version_6_has_brackets_as_a_browser_writes_it(read: Read) -> None:
    """And is as short as a browser makes it."""
    hosts = read(f"[control]\nhosts = ['2001:DB8:0::1', '[2001:db8::2]']\n{MARKET}").control.hosts
    assert hosts == ("[2001:db8::1]", "[2001:db8::2]")


@pytest.mark.parametrize(
    "address",
    [
        "http://host:0",
        "http://u@host",
        "http://:p@host",
        "host",
        "ftp://host",
        "ws://host",
        "http://",
        "http://h:99999",
    ],
)
def test_what_is_no_address_is_refused(mistakes: Mistakes, address: str) -> None:
    """Nor is one that holds a user: it would stand in every log."""
    (found,) = mistakes(f'mode = "paper"\n[venues.bybit]\nrest_url = "{address}"\n{MARKET}')
    assert found.key == "venues.bybit.rest_url"
    assert "must be an address such as https://" in found.message or "must not hold a user" in found.message


def test_a_secret_is_one_line_and_is_shown_nowhere() -> None:
    """What else is in it would be put into a header, or a line of a protocol."""
    assert [one_line(text) for text in ("s3cret", "zwei Wörter", "", "a\nb", "a\tb", "a\0b")] == [True, True] + [
        False
    ] * 4
    assert "s3cret" not in f"{Secret('s3cret')!r} {Secret('s3cret')}"


def test_a_number_is_a_number(mistakes: Mistakes) -> None:
    """TOML tells it from true and false, and from text; both bounds are allowed."""
    for value, right in (
        ("0", True),
        ("60", True),
        ("60.01", False),
        ("-0.01", False),
        ("true", False),
        ('"1s"', False),
    ):
        assert (mistakes(f"[start]\ninterval_s = {value}\n{MARKET}") == ()) is right, value


def test_a_path_is_written_out() -> None:
    """A home that is meant is the daemon's user's, which is hardly who wrote it."""
    for text in ("~/x", "~", "a\0b"):
        with pytest.raises(ValueError, match="written out in full"):
            _path(Path(text))
    with pytest.raises(ValueError, match="must not be empty"):
        _path(Path())
    assert _path(Path("a~/b")) == Path("a~/b")
