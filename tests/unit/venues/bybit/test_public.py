"""Rows of Bybit's public answers into our words, alone: how they are asked for is in test_market_queries.py."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kangbot.model.ids import MarketId
from kangbot.model.market import InstrumentKind
from kangbot.model.orders import Side
from kangbot.venues.bybit.public import BookRow, InstrumentRow, TradeRow, TradeRows

MARKET = MarketId("bybit:BTC-USDT:USDT")


def row(**changes: Any) -> InstrumentRow:
    """A perpetual, with the fields that an answer has."""
    plain = {
        "symbol": "BTCUSDT",
        "status": "Trading",
        "contractType": "LinearPerpetual",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"tickSize": "0.10", "minPrice": "0.10"},
        "lotSizeFilter": {
            "minOrderQty": "0.001", "qtyStep": "0.001", "maxOrderQty": "100", "maxMktOrderQty": "40",
            "minNotionalValue": "5",
        },
    }  # fmt: skip
    return msgspec.convert(plain | changes, InstrumentRow, strict=False)


SPOT = {
    "contractType": "",
    "settleCoin": "",
    "lotSizeFilter": {"minOrderQty": "0.00001", "basePrecision": "0.000001", "minOrderAmt": "1", "qtyStep": "9"},
}


def test_a_contract_and_a_pair_are_markets_each_by_its_own_rules() -> None:
    """The step of one is the base precision of the other; a pair settles in what it is priced in."""
    contract, pair = row().instrument(), row(**SPOT).instrument()
    assert contract is not None
    assert pair is not None
    assert (contract.market, contract.symbol, contract.kind) == (MARKET, "BTC/USDT:USDT", InstrumentKind.LINEAR)
    assert (contract.tick, contract.step, contract.min_notional) == (Decimal("0.10"), Decimal("0.001"), Decimal(5))
    assert (pair.market, pair.symbol, pair.kind) == ("bybit:BTC-USDT", "BTC/USDT", InstrumentKind.SPOT)
    assert (pair.step, pair.min_notional, pair.settle) == (Decimal("0.000001"), Decimal(1), "USDT")


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        ({"maxOrderQty": "100", "maxMktOrderQty": "40"}, Decimal(40)),
        ({"maxLimitOrderQty": "30", "maxMarketOrderQty": "50"}, Decimal(30)),
        ({"maxOrderQty": "0", "maxMktOrderQty": "7"}, Decimal(7)),
        ({}, None),
    ],
)
def test_the_narrower_of_all_bounds_holds_and_0_is_none(bounds: dict[str, str], most: Decimal | None) -> None:
    """An order may be of either kind."""
    lot = {"minOrderQty": "0.001", "qtyStep": "0.001", **bounds}
    found = row(lotSizeFilter=lot).instrument()
    assert found is not None
    assert (found.max_quantity, found.min_notional) == (most, Decimal(0))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "PreLaunch"},
        {"status": "Closed"},
        {"contractType": "LinearFutures"},
        {"contractType": "InversePerpetual"},
        {"lotSizeFilter": {"basePrecision": "1"}},
        {"lotSizeFilter": {"qtyStep": "0"}},
        {"priceFilter": {"tickSize": "0"}},
        SPOT | {"lotSizeFilter": {"qtyStep": "1"}},
    ],
    ids=str,
)
def test_what_does_not_trade_or_has_no_rules_to_keep_is_no_market(changes: dict[str, Any]) -> None:
    """None of it is an error: the venue lists hundreds."""
    assert row(**changes).instrument() is None


def test_a_trade_has_the_takers_side() -> None:
    """And the venue's time; one without a quantity is none."""
    told = {"execId": "x", "price": "1.50", "size": "2", "side": "Sell", "time": "1700000000123"}
    trades = msgspec.convert({"list": [told, told | {"side": "Buy"}]}, TradeRows, strict=False).rows
    sold, bought = (one.trade(MARKET) for one in trades)
    assert (sold.side, bought.side) == (Side.SELL, Side.BUY)
    assert (str(sold.price), sold.quantity, sold.at_ns) == ("1.50", Decimal(2), 1_700_000_000_123_000_000)
    with pytest.raises(ValueError, match="a trade of 0"):
        msgspec.convert(told | {"size": "0"}, TradeRow, strict=False).trade(MARKET)


def test_a_side_that_is_neither_is_no_guess() -> None:
    """As in the stream: a strategy that counts who buys would count it."""
    told = {"execId": "x", "price": "1", "size": "1", "side": "", "time": "1"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(told, TradeRow, strict=False)


def test_a_book_is_its_best_level_on_either_side() -> None:
    """Half of one is none."""
    told = {"b": [["10", "1"], ["9", "5"]], "a": [["11", "2"]], "ts": "1700000000123", "u": "77"}
    quote = msgspec.convert(told, BookRow, strict=False).quote(MARKET)
    assert quote is not None
    assert (quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity) == tuple(map(Decimal, (10, 1, 11, 2)))
    assert (quote.at_ns, quote.sequence, quote.market) == (1_700_000_000_123_000_000, 77, MARKET)
    for side in ("a", "b"):
        assert msgspec.convert(told | {side: []}, BookRow, strict=False).quote(MARKET) is None
    with pytest.raises(ValueError, match="book is"):
        msgspec.convert(told | {"a": [["10", "2"]]}, BookRow, strict=False).quote(MARKET)
