"""What orders and fills say of themselves."""

import msgspec
import pytest

from kangbot.model.ids import ClientId
from kangbot.model.orders import FillCause, OrderStatus, Side
from tests.support.trade_words import dec, fill


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


def test_a_fill_changes_the_position_by_its_side() -> None:
    """Up by a buy, down by a sale."""
    assert [fill("e1", "0.5", side=side).signed for side in Side] == [dec("0.5"), dec("-0.5")]


@pytest.mark.parametrize("cause", list(FillCause))
def test_only_a_trade_that_is_not_under_an_id_of_ours_is_a_hands(cause: FillCause) -> None:
    """What the venue does by itself, a stop or a liquidation, bears no id either."""
    assert not fill("e1", 1, cause=cause).by_hand
    for client in (None, ClientId("web-1")):
        theirs = msgspec.structs.replace(fill("e1", 1, cause=cause), client_id=client)
        assert theirs.by_hand is (cause is FillCause.TRADE)
