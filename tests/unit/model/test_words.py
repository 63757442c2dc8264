"""Ids, money and timeframes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.model.ids import ClientId, MarketId, Symbol, VenueName, client_id, holding_id, market_id, number_of
from kangbot.model.market import timeframe_seconds
from kangbot.model.money import ceil_to, floor_to, nearest_to
from kangbot.model.orders import OrderStatus, Side


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


@given(st.decimals("0.001", "1e6", places=3), st.sampled_from([Decimal("0.001"), Decimal("0.5"), Decimal(10)]))
def test_roundings_stay_on_their_side(value: Decimal, step: Decimal) -> None:
    """Down is not above, up is not below, nearest is within half a step; all are multiples."""
    assert floor_to(value, step) <= value <= ceil_to(value, step)
    assert abs(nearest_to(value, step) - value) <= step / 2
    assert all(
        rounded % step == 0 for rounded in (floor_to(value, step), ceil_to(value, step), nearest_to(value, step))
    )


def test_timeframes_are_read() -> None:
    """A number and a unit."""
    assert [timeframe_seconds(text) for text in ("1s", "15m", "4h", "1d")] == [1, 900, 14400, 86400]


@pytest.mark.parametrize("text", ["", "m", "1", "1x", "0m", "-1m", "1.5m", "1m "])
def test_nonsense_is_no_timeframe(text: str) -> None:
    """Anything else is refused in words."""
    with pytest.raises(ValueError, match="is not a timeframe"):
        timeframe_seconds(text)


def test_sides_and_ends() -> None:
    """The small words mean what they say."""
    assert (Side.BUY.sign, Side.SELL.sign, Side.BUY.opposite, Side.SELL.opposite) == (1, -1, Side.SELL, Side.BUY)
    assert {status.value for status in OrderStatus if status.terminal} == {
        "filled",
        "canceled",
        "expired",
        "rejected",
        "not_accepted",
    }
