"""Bybit's private pushes: rows of ours told, others counted, broken ones reported."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from kangbot.model.ids import MarketId
from kangbot.model.orders import Balance, Fill, OrderReport, OrderStatus, VenuePosition
from kangbot.ports import Data, Garbled, Ignored, Message
from kangbot.venues.bybit.account import AccountFrames
from kangbot.venues.bybit.replies import read_envelope
from tests.support.bybit_frames import EXECUTION, ORDER, POSITION, WALLET

MARKETS = {
    ("linear", "BTCUSDT"): MarketId("bybit:BTC-USDT:USDT"),
    ("option", "ETH-30DEC22-1400-C"): MarketId("bybit:ETH-OPTION"),
}


def decode(frame: bytes) -> Sequence[Message]:
    """Return what the frame says, where the markets above are ours."""
    frames = AccountFrames(lambda category, symbol: MARKETS.get((category, symbol)))
    return frames.decode(read_envelope(frame))


def events(messages: Sequence[Message]) -> Sequence[object]:
    """Return the events of a push that is all data."""
    (message,) = messages
    assert isinstance(message, Data)
    return message.events


def test_an_execution_is_a_fill() -> None:
    """The documented frame."""
    (fill,) = events(decode(EXECUTION))
    assert isinstance(fill, Fill)
    assert fill.market == "bybit:BTC-USDT:USDT"
    assert fill.execution_id == "0ab1bdf7-4219-438b-b30a-32ec863018f7"
    assert fill.signed == Decimal("-0.5")


def test_an_order_is_a_report() -> None:
    """The documented frame, with its option taken for a market of ours."""
    (report,) = events(decode(ORDER))
    assert isinstance(report, OrderReport)
    assert report.status is OrderStatus.FILLED
    assert (report.filled, report.average) == (Decimal(1), Decimal(75))


def test_a_position_is_told() -> None:
    """The documented frame in one-way mode."""
    (position,) = events(decode(POSITION.replace(b'"positionIdx":2', b'"positionIdx":0')))
    assert isinstance(position, VenuePosition)
    assert position.net == 0
    assert position.mark == Decimal("28184.5")


def test_a_position_in_hedge_mode_is_reported() -> None:
    """The documented frame as it is: nothing is told of the market."""
    data, garbled = decode(POSITION)
    assert data == Data(native="position", events=[])
    assert isinstance(garbled, Garbled)
    assert "hedge mode" in garbled.reason


def test_a_wallet_is_a_balance_a_currency() -> None:
    """The documented frame, at the time at which it was made."""
    (balance,) = events(decode(WALLET))
    assert isinstance(balance, Balance)
    assert (balance.currency, balance.equity) == ("BTC", Decimal("0.00102964"))
    assert balance.at_ns == 1700034722104_000_000


def test_rows_of_other_markets_are_counted_and_passed_over() -> None:
    """The account may hold what we do not trade."""
    assert decode(EXECUTION.replace(b"linear", b"inverse")) == (
        Data(native="execution", events=[]),
        Ignored(kind="execution.other_market"),
    )


def test_a_broken_row_costs_no_other_row() -> None:
    """A fill must not be lost because its neighbour cannot be read."""
    push = msgspec.json.decode(EXECUTION)
    good = push["data"][0]
    push["data"] = [{**good, "execType": "Novelty"}, good, {**good, "execPrice": "-"}]
    data, *beside = decode(msgspec.json.encode(push))
    assert isinstance(data, Data)
    assert len(data.events) == 1
    assert len(beside) == 2
    assert all(isinstance(message, Garbled) for message in beside)


@pytest.mark.parametrize(("frame", "field"), [(EXECUTION, "createType"), (ORDER, "avgPrice"), (POSITION, "markPrice")])
def test_a_row_with_a_field_of_another_type_costs_no_other_row(frame: bytes, field: str) -> None:
    """Of a market that is not ours it is passed over like every other one."""
    push = msgspec.json.decode(frame.replace(b'"positionIdx":2', b'"positionIdx":0'))
    good = push["data"][0]
    other = {**good, "symbol": "DOGEUSDT"}
    push["data"] = [{**other, field: {}}, good, {**good, field: {}}, other]
    data, *beside = decode(msgspec.json.encode(push))
    assert isinstance(data, Data)
    assert len(data.events) == 1
    topic = push["topic"]
    assert [message for message in beside if isinstance(message, Ignored)] == [
        Ignored(kind=f"{topic}.other_market")
    ] * 2
    (garbled,) = (message for message in beside if isinstance(message, Garbled))
    assert field in garbled.reason


@pytest.mark.parametrize(("frame", "field"), [(EXECUTION, "createType"), (ORDER, "avgPrice"), (POSITION, "markPrice")])
def test_a_null_is_a_field_that_was_not_told(frame: bytes, field: str) -> None:
    """As by REST: an order without an average price has an empty one, or a null."""
    push = msgspec.json.decode(frame.replace(b'"positionIdx":2', b'"positionIdx":0'))
    (row,) = push["data"]
    push["data"] = [{**row, field: None}]
    with_null = events(decode(msgspec.json.encode(push)))
    del row[field]
    push["data"] = [row]
    assert with_null == events(decode(msgspec.json.encode(push)))


def test_a_null_in_a_wallet_is_a_field_that_was_not_told() -> None:
    """Of a currency as of the account: here margin is isolated."""
    push = msgspec.json.decode(WALLET)
    (row,) = push["data"]
    row["totalAvailableBalance"] = None
    row["coin"][0]["usdValue"] = None
    (balance,) = events(decode(msgspec.json.encode(push)))
    assert isinstance(balance, Balance)
    assert balance.equity == Decimal("0.00102964")


@pytest.mark.parametrize(("frame", "field"), [(EXECUTION, "execId"), (ORDER, "qty"), (POSITION, "size")])
def test_a_null_where_a_row_must_say_something_is_reported(frame: bytes, field: str) -> None:
    """A size that was not told is no size of zero."""
    push = msgspec.json.decode(frame.replace(b'"positionIdx":2', b'"positionIdx":0'))
    push["data"] = [{**push["data"][0], field: None}]
    data, garbled = decode(msgspec.json.encode(push))
    assert data == Data(native=push["topic"], events=[])
    assert isinstance(garbled, Garbled)
    assert field in garbled.reason


def test_a_topic_that_we_did_not_ask_for_is_ignored() -> None:
    """Counted by its name."""
    assert decode(b'{"topic":"greeks","data":[]}') == (Ignored(kind="topic.greeks"),)


@pytest.mark.parametrize("topic", ["order", "execution", "position", "wallet"])
def test_a_push_without_rows_is_unreadable(topic: str) -> None:
    """Its shape is broken as a whole."""
    with pytest.raises(msgspec.MsgspecError):
        decode(b'{"topic":"%s"}' % topic.encode())
