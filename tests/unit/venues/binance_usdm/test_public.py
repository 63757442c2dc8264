"""Binance's public answers into our words, alone: how they are asked for is in test_venue.py."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.model.data import FundingRate
from kangbot.model.ids import MarketId, Symbol
from kangbot.model.orders import Side
from kangbot.venues.binance_usdm.public import (
    read_book,
    read_candles,
    read_funding,
    read_instruments,
    read_problem,
    read_time_ms,
    read_trades,
)
from tests.support.binance_rest import BTC, contract, listing

MARKET = MarketId("binance_usdm:BTC-USDT:USDT")
BITCOIN = Symbol("BTC/USDT:USDT")
PRICE, LOT, MARKET_LOT = contract()["filters"][:3]


def found(**changes: Any) -> Any:
    """The market of a contract; None where it is none."""
    return read_instruments(msgspec.json.encode(listing(contract(**changes))), [BITCOIN]).get(BITCOIN)


def test_a_contract_is_a_market_by_its_rules() -> None:
    """The narrower of a market order's bound and a limit order's, whichever that is; 0 is none."""
    assert found() == BTC
    for limit, market, most in (("50", "120", 50), ("0", "120", 120), ("50", "0", 50), ("0", "0", None)):
        rules = [PRICE, LOT | {"maxQty": limit}, MARKET_LOT | {"maxQty": market}]
        instrument = found(filters=rules)
        assert instrument.max_quantity == (None if most is None else Decimal(most))
        assert instrument.min_notional == 0


def test_of_contracts_that_nobody_wants_only_the_names_are_read() -> None:
    """One of a new kind keeps no other from its rules."""
    odd = contract("ETH", filters="of a new kind")
    body = msgspec.json.encode(listing(odd, contract()))
    assert list(read_instruments(body, [BITCOIN])) == [BITCOIN]
    with pytest.raises(msgspec.ValidationError):
        read_instruments(body, [Symbol("ETH/USDT:USDT")])


@pytest.mark.parametrize("field", ["marginAsset", "contractType", "status"])
def test_a_contract_whose_names_cannot_be_read_keeps_no_other_from_its_rules(field: str) -> None:
    """It may be of a kind that has none. Of one that is wanted it is an error, and not that there is none."""
    body = msgspec.json.encode(listing(contract("ETH", **{field: None}), contract()))
    assert list(read_instruments(body, [BITCOIN])) == [BITCOIN]
    with pytest.raises(msgspec.ValidationError, match=field):
        read_instruments(body, [BITCOIN, Symbol("ETH/USDT:USDT")])


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "SETTLING"},
        {"contractType": "CURRENT_QUARTER"},
        {"marginAsset": "USDC"},
        {"filters": [PRICE | {"tickSize": "0"}, LOT]},
        {"filters": [PRICE, LOT | {"stepSize": "NaN"}]},
    ],
    ids=str,
)
def test_what_does_not_trade_or_has_no_rules_to_keep_is_no_market(changes: dict[str, Any]) -> None:
    """None of it is an error."""
    assert found(**changes) is None


def test_a_rule_that_every_order_needs_is_missed_by_name() -> None:
    """Without it no order could be formed."""
    for rule, missing in ((LOT, "PRICE_FILTER"), (PRICE, "LOT_SIZE")):
        with pytest.raises(ValueError, match=missing):
            found(filters=[rule])


def test_trades_have_the_takers_side_and_their_digits() -> None:
    """A buyer who is the maker was sold to."""
    body = b'[{"a":7,"p":"1.50","q":"2.0","T":1700000000123,"m":true},{"a":8,"p":"1","q":"1","T":1,"m":false}]'
    sold, bought = (one.trade(MARKET) for one in read_trades(body))
    assert (sold.side, bought.side) == (Side.SELL, Side.BUY)
    assert (sold.trade_id, str(sold.price), str(sold.quantity)) == ("7", "1.50", "2.0")
    assert (sold.at_ns, sold.market) == (1_700_000_000_123_000_000, MARKET)
    (nothing,) = read_trades(b'[{"a":7,"p":"0","q":"2","T":1,"m":true}]')
    with pytest.raises(ValueError, match="a trade of 2 at 0"):
        nothing.trade(MARKET)


def test_half_a_book_is_no_quote_and_a_crossed_one_is_none_at_all() -> None:
    """A side that is empty has the price 0."""
    told = {"bidPrice": "10", "bidQty": "1", "askPrice": "11", "askQty": "2", "time": 5}
    quote = read_book(msgspec.json.encode(told)).quote(MARKET)
    assert quote is not None
    assert [str(one) for one in (quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity)] == [
        "10",
        "1",
        "11",
        "2",
    ]
    assert (quote.at_ns, quote.sequence) == (5_000_000, 0)
    for side in ("bidPrice", "askPrice"):
        assert read_book(msgspec.json.encode(told | {side: "0"})).quote(MARKET) is None
    with pytest.raises(ValueError, match="book is"):
        read_book(msgspec.json.encode(told | {"bidPrice": "11"})).quote(MARKET)


def test_candles_rates_and_the_clock_are_read_as_they_are_written() -> None:
    """Money from its digits, times in milliseconds of the venue's."""
    (candle,) = read_candles(b'[[1700000000000,"1.10","3","0.5","2","9.0",1700000059999,"x",3,"y","z","0"]]')
    assert (candle.start, str(candle.open), str(candle.volume)) == (1_700_000_000_000, "1.10", "9.0")
    rates = read_funding(b'[{"symbol":"BTCUSDT","fundingRate":"-0.00010000","fundingTime":1700000000123}]')
    assert rates == [FundingRate(at_ns=1_700_000_000_123_000_000, rate=Decimal("-0.00010000"))]
    assert read_time_ms(b'{"serverTime":1700000000123}') == 1_700_000_000_123


def test_a_refusal_has_its_code_and_a_page_its_words() -> None:
    """Whatever a proxy says in Binance's place is quoted, and has no code."""
    assert read_problem(b'{"code":-1121,"msg":"Invalid symbol."}') == (-1121, "Invalid symbol.")
    assert read_problem(b'{"code":-1}') == (-1, "")
    assert read_problem(b"<html><h1>502 Bad Gateway</h1></html>") == (None, "502 Bad Gateway")
    assert read_problem(b'{"code":"many"}') == (None, '{"code":"many"}')
    assert read_problem(b'"\xff"') == (None, '"\ufffd"')
    assert read_problem(b'{"code":1,"msg":"\xff"}') == (None, '{"code":1,"msg":"\ufffd"}')
    code, words = read_problem(b'{"more":' + b"[" * 100_000)
    assert (code, len(words)) == (None, 300)
