"""Instruments and tickers as Bybit's wire shows them."""

from decimal import Decimal
from typing import Any

from kangbot.model.market import InstrumentKind
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.rows_order import number, short
from kangbot.sim.markets.desk import Desk

Row = dict[str, Any]
DAY_S = 86_400

INTERVALS = {
    **{str(minutes): minutes * 60 for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_S,
    "W": 7 * DAY_S,
}  # months are not served


def instrument_row(exchange: Exchange, desk: Desk) -> Row:
    """Return one instrument."""
    return _spot(desk) if desk.spec.instrument.kind is InstrumentKind.SPOT else _linear(exchange, desk)


def _linear(exchange: Exchange, desk: Desk) -> Row:
    instrument, spec = desk.spec.instrument, exchange.venue.spec
    launch_ns = spec.start_ns - spec.history_minutes * 60_000_000_000
    largest = number(instrument.max_quantity)
    return {
        "symbol": instrument.native,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.settle,
        "launchTime": str(launch_ns // 1_000_000),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(-int(instrument.tick.as_tuple().exponent)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": number(desk.spec.max_leverage),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": number(instrument.tick),
            "maxPrice": number(instrument.tick * 10_000_000),
            "tickSize": number(instrument.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": largest,
            "minOrderQty": number(instrument.min_quantity),
            "qtyStep": number(instrument.step),
            "postOnlyMaxOrderQty": largest,
            "maxMktOrderQty": largest,
            "minNotionalValue": number(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": spec.funding_interval_s // 60,
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "symbolType": "",
    }


def _spot(desk: Desk) -> Row:
    instrument = desk.spec.instrument
    return {
        "symbol": instrument.native,
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": number(instrument.step),
            "quotePrecision": "0.00000001",
            "minOrderQty": number(instrument.min_quantity),
            "maxOrderQty": number(instrument.max_quantity),
            "minOrderAmt": number(instrument.min_notional),
            "maxOrderAmt": "4000000",
        },
        "priceFilter": {"tickSize": number(instrument.tick)},
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
    }


def ticker_row(exchange: Exchange, desk: Desk) -> Row:
    """Return the ticker of one market: what changes with every frame, and the statistics of a day."""
    return {"symbol": desk.spec.instrument.native, **moving(desk), **statistics(exchange, desk)}


def moving(desk: Desk) -> Row:
    """Return the fields that change with every frame."""
    quote, mark = desk.book.quote, number(desk.mark)
    row = {
        "lastPrice": number(desk.last),
        "bid1Price": number(quote.bid),
        "bid1Size": number(quote.bid_quantity),
        "ask1Price": number(quote.ask),
        "ask1Size": number(quote.ask_quantity),
    }
    if desk.spec.instrument.kind is InstrumentKind.LINEAR:
        row |= {"markPrice": mark, "indexPrice": mark}
    return row


def statistics(exchange: Exchange, desk: Desk) -> Row:
    """Return the fields that describe the last day, hour and funding period."""
    hours = desk.klines.candles(3600, 25)
    day = hours[-24:]
    before = day[0].open
    spec = exchange.venue.spec
    row = {
        "prevPrice24h": number(before),
        "price24hPcnt": number(round((desk.last - before) / before, 6)),
        "highPrice24h": number(max(candle.high for candle in day)),
        "lowPrice24h": number(min(candle.low for candle in day)),
        "turnover24h": short(sum((candle.turnover for candle in day), Decimal(0))),
        "volume24h": short(sum((candle.volume for candle in day), Decimal(0))),
    }
    if desk.spec.instrument.kind is InstrumentKind.SPOT:
        return row | {"usdIndexPrice": number(desk.last)}
    return row | {
        "prevPrice1h": number(hours[-1].open),
        "openInterest": "10000",
        "openInterestValue": short(10_000 * desk.last),
        "fundingRate": number(spec.funding_rate),
        "nextFundingTime": str(exchange.venue.funding_ns // 1_000_000),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "basis": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
    }
