"""Names of markets and orders: what each is made of, and what can be read from it again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.ids import (
    ClientId,
    MarketId,
    Symbol,
    VenueName,
    client_id,
    holding_id,
    is_client_id,
    is_stop_id,
    journal_of,
    market_id,
    number_of,
    of_another,
    on_a_board,
    profit_currency,
    spot_base,
    stop_id,
)

PERPETUAL, SPOT = MarketId("bybit:BTC-USDT:USDT"), MarketId("bybit:BTC-USDT")


@given(st.sets(st.integers(0, 36**12), min_size=2))
def test_client_ids_are_unique_and_fit_every_venue(numbers: set[int]) -> None:
    """One id a number, in the narrowest alphabet and length of the supported venues."""
    ids = [client_id("abcd1234", number) for number in sorted(numbers)]
    assert len(set(ids)) == len(numbers)
    assert all(one.isalnum() and one == one.lower() and len(one) <= 32 for one in ids)


@given(st.integers(1, 36**12))
def test_a_number_is_read_from_its_id_by_its_own_journal_alone(number: int) -> None:
    """What a stop lends from a holding is no intent's, nor is what somebody made up."""
    order = client_id("abcd1234", number)
    assert (number_of(order, "abcd1234"), number_of(order, "another1"), number_of(None, "abcd1234")) == (number, 0, 0)
    strange = (holding_id("abcd1234", MarketId("bybit:BTC-USDT"), number), "kbabcd1234", "kbabcd1234_1", "kbabcd1234é")
    assert [number_of(ClientId(one), "abcd1234") for one in strange] == [0, 0, 0, 0]


def test_a_market_id_is_safe_in_a_path() -> None:
    """It has no slash."""
    assert market_id(VenueName("bybit"), Symbol("BTC/USDT:USDT")) == "bybit:BTC-USDT:USDT"


def test_a_spot_market_holds_its_coin_and_a_derivative_none() -> None:
    """Its profit is in what the coin is priced in; a derivative's in what it settles in."""
    inverse = MarketId("v:BTC-USD:BTC")
    assert [spot_base(market) for market in (SPOT, PERPETUAL, inverse)] == ["BTC", "", ""]
    assert [profit_currency(market) for market in (SPOT, PERPETUAL, inverse)] == ["USDT", "USDT", "BTC"]


def test_what_a_market_settles_in_is_told_without_its_day_of_delivery() -> None:
    """A future is named by both."""
    assert profit_currency(MarketId("v:BTC-USD:USDC-261225")) == "USDC"


def test_both_markets_of_a_pair_are_told_apart_on_a_board() -> None:
    """They have different prices."""
    assert [on_a_board(Symbol(text)) for text in ("BTC/USDT:USDT", "BTC/USDT")] == ["BTC/USDT", "BTC/USDT spot"]


def test_an_order_of_another_journal_is_told_from_ours_and_from_a_hands() -> None:
    """Two kangbots may trade one account."""
    order = client_id("abcd1234", 5)
    assert journal_of(order) == "abcd1234"
    assert [of_another(one, "abcd1234") for one in (order, client_id("another1", 5), ClientId("web-5"), None)] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "text", ["", "ks", "ksabcd1234", "ksabcd1234_0", "KSabcd123400", f"ks{'a' * 31}", "xksabcd123400"]
)
def test_what_no_order_lends_is_no_id_of_a_stop(text: str) -> None:
    """It begins as they do, and is as long as one can be."""
    assert is_stop_id(stop_id(client_id("abcd1234", 1), 35))
    assert not is_stop_id(text)


@pytest.mark.parametrize("number", [1, (1 << 32) * (1 << 64) | (1 << 63)])
def test_an_order_is_told_by_its_id_whichever_journal_gave_it(number: int) -> None:
    """The longest is one that a holding lends."""
    assert is_client_id(client_id("abcd1234", number))
    assert not is_client_id(client_id("abcd1234", number).upper())
    assert not is_client_id(stop_id(client_id("abcd1234", number), 0))


@pytest.mark.parametrize("text", ["", "kb", "kbabcd1234", "kbabcd1234_0", "kbot-15", f"kb{'a' * 31}", "xkbabcd12340"])
def test_what_no_journal_gave_is_no_id_of_an_order(text: str) -> None:
    """Programs of others may begin theirs as ours begin."""
    assert not is_client_id(text)


@given(st.integers(1, 1 << 63), st.integers(0, 35))
def test_a_holding_of_which_no_order_is_remembered_lends_an_id_that_fits(opened_ns: int, attempt: int) -> None:
    """And none that an order has."""
    lent = holding_id("abcd1234", SPOT, opened_ns)
    assert len(lent) <= 29
    assert lent != holding_id("abcd1234", PERPETUAL, opened_ns)
    assert re.fullmatch("[a-z0-9]{,32}", stop_id(lent, attempt))
