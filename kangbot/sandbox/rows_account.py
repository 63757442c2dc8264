"""Positions and the wallet as Bybit's wire shows them."""

from decimal import Decimal
from typing import Any

from kangbot.model.ids import MarketId
from kangbot.model.money import ZERO
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.rows_order import millis, number, short

Row = dict[str, Any]

_OF_THE_ACCOUNT = (  # which has none of its own where margin is isolated
    "accountIMRate",
    "accountMMRate",
    "totalMarginBalance",
    "totalAvailableBalance",
    "totalInitialMargin",
    "totalMaintenanceMargin",
)


def position_row(exchange: Exchange, market: MarketId, *, stream: bool = False) -> Row:
    """Return one position; a flat one has side "" and size "0". The stream calls the average entry `entryPrice`."""
    venue = exchange.venue
    holding, desk = venue.account.holding(market), venue.desks[market]
    mark, leverage = desk.mark, venue.account.leverage(market)
    size, value = abs(holding.net), abs(holding.net) * mark
    entry = short(round(holding.entry, 10)) if holding.entry is not None else "0"
    absent = "0" if stream else ""
    row: Row = {
        "positionIdx": 0,
        "tradeMode": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": exchange.symbol(market),
        "side": "" if not holding.net else "Buy" if holding.net > 0 else "Sell",
        "size": short(size),
        "avgPrice": entry,
        "leverage": "" if exchange.margin_mode == "PORTFOLIO_MARGIN" else short(leverage),
        "markPrice": number(mark),
        "positionValue": short(abs(holding.cost)),
        "positionBalance": short(value / leverage) if size else "0",
        "positionIM": short(round(value / leverage, 8)),
        "positionMM": short(round(value * venue.spec.maintenance, 8)),
        "liqPrice": "",
        "bustPrice": "",
        "tpslMode": "Full",
        "takeProfit": number(venue.target(market), absent),
        "stopLoss": number(venue.stop(market), absent),
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": short(round(holding.unrealised(mark), 8)),
        "curRealisedPnl": short(round(holding.realised, 8)),
        "cumRealisedPnl": short(round(holding.realised, 8)),
        "positionStatus": "Normal",
        "adlRankIndicator": 2 if size else 0,
        "autoAddMargin": 0,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "seq": holding.updated_ns // 1000,
        "createdTime": millis(holding.opened_ns),
        "updatedTime": millis(holding.updated_ns),
    }
    if stream:
        row["category"] = exchange.category(market)
        row["entryPrice"] = row.pop("avgPrice")
    return row


def wallet_row(exchange: Exchange) -> Row:
    """Return the unified account: its totals in USDT, which stands for USD here, and its coins."""
    standing = exchange.venue.standing()
    currency = exchange.venue.spec.currency
    equity, margin = standing.equity, standing.position_margin + standing.order_margin
    coins = [_coin(exchange, coin, amount) for coin, amount in exchange.venue.account.coins.items()]
    worth = sum((Decimal(coin["usdValue"]) for coin in coins if coin["coin"] != currency), ZERO)
    row = {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "accountIMRate": short(round(margin / equity, 8)) if equity > 0 else "0",
        "accountMMRate": short(round(standing.maintenance / equity, 8)) if equity > 0 else "0",
        "totalEquity": short(equity + worth),
        "totalWalletBalance": short(standing.wallet + worth),
        "totalMarginBalance": short(equity),
        "totalAvailableBalance": short(round(standing.available, 8)),
        "totalPerpUPL": short(round(standing.unrealised, 8)),
        "totalInitialMargin": short(round(margin, 8)),
        "totalMaintenanceMargin": short(round(standing.maintenance, 8)),
        "coin": coins,
    }
    if exchange.margin_mode == "ISOLATED_MARGIN":
        row.update(dict.fromkeys(_OF_THE_ACCOUNT, ""))
    return row


def _coin(exchange: Exchange, coin: str, amount: Decimal) -> Row:
    venue = exchange.venue
    settles = coin == venue.spec.currency
    standing = venue.standing()
    unrealised = standing.unrealised if settles else ZERO
    price = Decimal(1) if settles else _price(exchange, coin)
    return {
        "coin": coin,
        "equity": short(amount + unrealised),
        "usdValue": short(round((amount + unrealised) * price, 8)),
        "walletBalance": short(amount),
        "free": "",
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "availableToBorrow": "",
        "availableToWithdraw": short(round(standing.available, 8)) if settles else short(amount),
        "accruedInterest": "0",
        "totalOrderIM": short(round(standing.order_margin, 8)) if settles else "0",
        "totalPositionIM": short(round(standing.position_margin, 8)) if settles else "0",
        "totalPositionMM": short(round(standing.maintenance, 8)) if settles else "0",
        "unrealisedPnl": short(round(unrealised, 8)),
        "cumRealisedPnl": short(round(_realised(exchange), 8)) if settles else "0",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
    }


def _realised(exchange: Exchange) -> Decimal:
    account = exchange.venue.account
    traded = sum((account.holding(market).realised for market in exchange.venue.desks), ZERO)
    return traded - account.fees_paid + account.funding


def _price(exchange: Exchange, coin: str) -> Decimal:
    for desk in exchange.venue.desks.values():
        if desk.spec.instrument.base == coin:
            return desk.last
    return ZERO
