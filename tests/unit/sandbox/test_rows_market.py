"""Instruments and tickers on the wire."""

from decimal import Decimal
from typing import Any

import pytest

from kangbot.sandbox.rows_market import INTERVALS, instrument_row, moving, statistics, ticker_row
from tests.support.sandbox_bench import START_NS, SandboxBench

D = Decimal


@pytest.fixture(scope="module")
def bench() -> SandboxBench:
    """An exchange with thirty hours of history, which nobody moves."""
    return SandboxBench(history_minutes=30 * 60, spot_symbols=("BTCUSDT",), symbols=("BTCUSDT",))


def test_a_contract_tells_the_rules_that_its_orders_must_satisfy(bench: SandboxBench) -> None:
    """Those of the venue's own checks."""
    desk = bench.exchange.desk("linear", "BTCUSDT")
    row: dict[str, Any] = instrument_row(bench.exchange, desk)
    assert (row["symbol"], row["baseCoin"], row["quoteCoin"], row["settleCoin"]) == (
        "BTCUSDT",
        "BTC",
        "USDT",
        "USDT",
    )
    rules, lots = desk.spec.instrument, row["lotSizeFilter"]
    assert (D(row["priceFilter"]["tickSize"]), row["priceScale"]) == (rules.tick, "2")  # a tick of 0.10
    assert [D(lots[name]) for name in ("qtyStep", "minOrderQty", "maxOrderQty", "minNotionalValue")] == [
        rules.step,
        rules.min_quantity,
        rules.max_quantity,
        rules.min_notional,
    ]
    assert lots["maxMktOrderQty"] == lots["postOnlyMaxOrderQty"] == lots["maxOrderQty"]
    assert (row["leverageFilter"]["maxLeverage"], row["fundingInterval"]) == ("50", 480)
    assert int(row["launchTime"]) == START_NS // 1_000_000 - 30 * 3_600_000


def test_a_pair_tells_its_own(bench: SandboxBench) -> None:
    """Under other names, and no leverage."""
    desk = bench.exchange.desk("spot", "BTCUSDT")
    row, rules = instrument_row(bench.exchange, desk), desk.spec.instrument
    lots = row["lotSizeFilter"]
    assert [D(lots[name]) for name in ("basePrecision", "minOrderQty", "maxOrderQty", "minOrderAmt")] == [
        rules.step,
        rules.min_quantity,
        rules.max_quantity,
        rules.min_notional,
    ]
    assert D(row["priceFilter"]["tickSize"]) == rules.tick
    assert "leverageFilter" not in row


def test_a_ticker_is_the_top_of_the_book_and_the_last_price(bench: SandboxBench) -> None:
    """A contract's has marks; a pair's has none."""
    desk = bench.exchange.desk("linear", "BTCUSDT")
    row = moving(desk)
    quote = desk.book.quote
    assert [D(row[name]) for name in ("bid1Price", "bid1Size", "ask1Price", "ask1Size", "lastPrice")] == [
        quote.bid,
        quote.bid_quantity,
        quote.ask,
        quote.ask_quantity,
        desk.last,
    ]
    assert D(row["markPrice"]) == D(row["indexPrice"]) == desk.mark
    assert "markPrice" not in moving(bench.exchange.desk("spot", "BTCUSDT"))
    whole = ticker_row(bench.exchange, desk)
    assert whole == {"symbol": "BTCUSDT", **row, **statistics(bench.exchange, desk)}


def test_the_statistics_are_of_the_last_day_and_hour(bench: SandboxBench) -> None:
    """And not of the thirty hours that are known."""
    desk = bench.exchange.desk("linear", "BTCUSDT")
    row = statistics(bench.exchange, desk)
    hours = desk.klines.candles(3600, 100)
    assert len(hours) > 28
    day = hours[-24:]
    assert D(row["prevPrice24h"]) == day[0].open
    assert D(row["price24hPcnt"]) == round((desk.last - day[0].open) / day[0].open, 6)
    assert (D(row["highPrice24h"]), D(row["lowPrice24h"])) == (
        max(candle.high for candle in day),
        min(candle.low for candle in day),
    )
    assert D(row["volume24h"]) == sum(candle.volume for candle in day)
    assert D(row["turnover24h"]) == sum(candle.turnover for candle in day)
    assert D(row["prevPrice1h"]) == hours[-1].open
    assert (row["fundingRate"], int(row["nextFundingTime"])) == ("0.0001", bench.venue.funding_ns // 1_000_000)


def test_a_pairs_statistics_have_no_funding(bench: SandboxBench) -> None:
    """But what it costs in dollars."""
    desk = bench.exchange.desk("spot", "BTCUSDT")
    row = statistics(bench.exchange, desk)
    assert D(row["usdIndexPrice"]) == desk.last
    assert not {"fundingRate", "nextFundingTime", "openInterest"} & set(row)


def test_periods_are_those_of_the_venue_that_are_served() -> None:
    """Months are not."""
    assert {name: seconds for name, seconds in INTERVALS.items() if not name.isdecimal()} == {
        "D": 86_400,
        "W": 604_800,
    }
    assert all(seconds == int(name) * 60 for name, seconds in INTERVALS.items() if name.isdecimal())
