"""Private REST on positions, wallet and account."""

from typing import Any

from kangbot.model.ids import MarketId
from kangbot.sandbox.errors import PARAMS, ApiError, translate
from kangbot.sandbox.exchange import Exchange
from kangbot.sandbox.pages import page
from kangbot.sandbox.params import Params, decimal, millis, price, text
from kangbot.sandbox.rest_market import EMPTY
from kangbot.sandbox.rows_account import position_row, wallet_row
from kangbot.sandbox.rows_ledger import event_rows, transfer_row
from kangbot.sandbox.rows_order import number
from kangbot.sim.exchange.refusal import Reason, RequestRefused

Result = dict[str, Any]


def positions(exchange: Exchange, params: Params) -> Result:
    """GET /v5/position/list: the one asked for, flat or not; without `symbol` those that are open."""
    category = text(params, "category")
    symbol = text(params, "symbol", "")
    if category in EMPTY:
        return {"category": category, "list": [], "nextPageCursor": ""}
    if category == "spot":
        raise ApiError(PARAMS, "params error: Category is invalid")
    if symbol:
        markets = [exchange.desk(category, symbol).spec.market]
    elif params.get("settleCoin") or params.get("baseCoin"):
        markets = _held(exchange, category, params)
        params = {**params, "cursor": ""}
    else:
        raise ApiError(PARAMS, "Missing some parameters that must be filled in, symbol or settleCoin")

    def row(market: MarketId) -> Result:
        return position_row(exchange, market)

    return page(markets, row, params, "symbol", category=category, usual=20, most=200)


def _held(exchange: Exchange, category: str, params: Params) -> list[MarketId]:
    """Return the markets of the coins asked for with a position, in the order of listing, from behind the cursor on.

    The cursor names the last market of a page. It may have been closed since, and stands where it stood all the same.
    """
    held, desks = exchange.venue.account.open_markets(), exchange.desks(category)
    base, settle = text(params, "baseCoin", ""), text(params, "settleCoin", "")
    if cursor := text(params, "cursor", ""):
        desks = desks[[*(desk.spec.instrument.native for desk in desks), cursor].index(cursor) + 1 :]
    return [
        desk.spec.market
        for desk in desks
        if desk.spec.market in held
        and base in {"", desk.spec.instrument.base}
        and settle in {"", desk.spec.instrument.settle}
    ]


def set_leverage(exchange: Exchange, params: Params) -> Result:
    """POST /v5/position/set-leverage; 110043 where it is no change, 110038 where no contract has one of its own."""
    desk = exchange.desk(text(params, "category"), text(params, "symbol"))
    buy, sell = decimal(params, "buyLeverage"), decimal(params, "sellLeverage")
    if buy is None or buy != sell:
        raise ApiError(PARAMS, "buy leverage invalid")
    if exchange.margin_mode == "PORTFOLIO_MARGIN":
        raise ApiError(110038, "Not allowed to change leverage due to portfolio margin mode")
    try:
        exchange.venue.set_leverage(desk.spec.market, buy, exchange.now_ns())
    except RequestRefused as refusal:
        if refusal.reason is Reason.NOT_MODIFIED:
            raise ApiError(110043, "leverage not modified") from None
        raise translate(refusal, "linear") from None
    return {}


def switch_mode(exchange: Exchange, params: Params) -> Result:
    """POST /v5/position/switch-mode, of one contract, or of a coin's in which nothing is held or rests.

    In hedge mode the sandbox takes no orders: what it is for is a person who switches to it by hand.
    """
    hedge = {"0": False, "3": True}.get(text(params, "mode"))
    if hedge is None:
        raise ApiError(PARAMS, "params error: mode invalid")
    symbol = text(params, "symbol", "")
    desks = [exchange.desk(text(params, "category"), symbol)] if symbol else exchange.desks("linear")
    others = [desk.spec.market for desk in desks if (desk.spec.market in exchange.hedged) is not hedge]
    if not others:
        raise ApiError(110025, "Position mode is not modified")
    for market in others:
        if exchange.venue.account.holding(market).net or exchange.venue.orders.open(market):
            if symbol:
                raise ApiError(110024, "You have an existing position, so position mode cannot be switched")
        elif hedge:
            exchange.hedged.add(market)
        else:
            exchange.hedged.remove(market)
    return {}


def trading_stop(exchange: Exchange, params: Params) -> Result:
    """POST /v5/position/trading-stop for the whole position: absent keeps a stop, "0" removes it."""
    desk = exchange.desk(text(params, "category"), text(params, "symbol"))
    if text(params, "tpslMode", "Full") != "Full" or price(params, "trailingStop") is not None:
        raise ApiError(PARAMS, "partial and trailing stops are not served by the sandbox")
    market = desk.spec.market
    stop = exchange.venue.stop(market) if decimal(params, "stopLoss") is None else price(params, "stopLoss")
    target = exchange.venue.target(market) if decimal(params, "takeProfit") is None else price(params, "takeProfit")
    try:
        exchange.venue.set_stops(market, stop, target, exchange.now_ns())
    except RequestRefused as refusal:
        raise translate(refusal, "linear") from None
    return {}


def wallet(exchange: Exchange, params: Params) -> Result:
    """GET /v5/account/wallet-balance."""
    if text(params, "accountType") != "UNIFIED":
        raise ApiError(PARAMS, "accountType only support UNIFIED.")
    return {"list": [wallet_row(exchange)]}


_MARGIN_MODES = ("REGULAR_MARGIN", "ISOLATED_MARGIN", "PORTFOLIO_MARGIN")
_MILLISECOND_NS = 1_000_000
_DAY_NS = 86_400 * 1_000_000_000


def transaction_log(exchange: Exchange, params: Params) -> Result:
    """GET /v5/account/transaction-log: of a day without a span of time, and of seven days at most."""
    kind = text(params, "type", "")
    now_ns = exchange.now_ms() * _MILLISECOND_NS
    start_ns, end_ns = millis(params, "startTime"), millis(params, "endTime")
    if start_ns is None:
        start_ns = (now_ns if end_ns is None else end_ns) - _DAY_NS
    if end_ns is None:
        end_ns = start_ns + _DAY_NS
    if end_ns - start_ns > 7 * _DAY_NS:
        raise ApiError(PARAMS, "The time range between startTime and endTime cannot exceed 7 days")
    lines = [
        line
        for line in _lines(exchange, start_ns, end_ns, traded=kind not in ("TRANSFER_IN", "TRANSFER_OUT"))
        if kind in ("", line["type"])
    ]
    found = page(lines, _placed, params, "place", category="", usual=20, most=50)
    del found["category"]  # which this one has none of
    for line in found["list"]:
        del line["place"]
    return found


def _placed(line: dict[str, Any]) -> dict[str, Any]:
    """Return it with what tells it apart: a fill of a spot pair has two lines under one id."""
    return line | {"place": f"{line['id']}/{line['currency']}"}


def _lines(exchange: Exchange, start_ns: int, end_ns: int, *, traded: bool) -> list[dict[str, Any]]:
    """Return those of that time, newest first; without what was traded where nobody asks for it."""

    def within(at_ns: int) -> bool:
        return start_ns <= at_ns // _MILLISECOND_NS * _MILLISECOND_NS <= end_ns

    venue = exchange.venue
    timed = [(one.at_ns, transfer_row(one)) for one in venue.transfers if within(one.at_ns)]
    for event in venue.executions if traded else ():
        if within(event.at_ns):
            timed += [(event.at_ns, line) for line in event_rows(exchange, event)]
    return [line for _, line in sorted(timed, key=lambda each: each[0], reverse=True)]


def account_info(exchange: Exchange, _: Params) -> Result:
    """GET /v5/account/info: a unified account 2.0 Pro."""
    return {
        "marginMode": exchange.margin_mode,
        "updatedTime": str(exchange.venue.spec.start_ns // 1_000_000),
        "unifiedMarginStatus": 6,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def set_margin_mode(exchange: Exchange, params: Params) -> Result:
    """POST /v5/account/set-margin-mode, of the whole account.

    Nothing but what is told of it changes here: margins and liquidations stay those of cross margin.
    """
    mode = text(params, "setMarginMode")
    if mode not in _MARGIN_MODES:
        raise ApiError(PARAMS, "params error: setMarginMode invalid")
    exchange.margin_mode = mode
    return {"reasons": []}


def fee_rate(exchange: Exchange, params: Params) -> Result:
    """GET /v5/account/fee-rate."""
    category = text(params, "category")
    symbol = text(params, "symbol", "")
    desks = [exchange.desk(category, symbol)] if symbol else exchange.desks(category)
    account = exchange.venue.account
    rows = [
        {
            "symbol": desk.spec.instrument.native,
            "baseCoin": "",
            "takerFeeRate": number(account.fee_rate(desk.spec.market, maker=False)),
            "makerFeeRate": number(account.fee_rate(desk.spec.market, maker=True)),
        }
        for desk in desks
    ]
    return {"category": category, "list": rows}


def query_api(exchange: Exchange, _: Params) -> Result:
    """GET /v5/user/query-api: a key that may trade, and not withdraw unless it was made so."""
    return {
        "id": "1",
        "note": "sandbox",
        "apiKey": exchange.options.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": ["SpotTrade"],
            "Wallet": ["Withdraw"] if exchange.options.key_withdraws else [],
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
            "Earn": [],
        },
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2020-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


def coin_info(exchange: Exchange, params: Params) -> Result:
    """GET /v5/asset/coin/query-info: every coin, each on one chain."""
    coins = [exchange.venue.spec.currency]
    coins.extend(desk.spec.instrument.base for desk in exchange.venue.desks.values())
    wanted = text(params, "coin", "")
    return {"rows": [_coin(coin) for coin in dict.fromkeys(coins) if wanted in {"", coin}]}


def _coin(coin: str) -> Result:
    chain = {
        "chain": coin,
        "chainType": coin,
        "confirmation": "1",
        "withdrawFee": "0",
        "depositMin": "0",
        "withdrawMin": "0",
        "minAccuracy": "8",
        "chainDeposit": "0",
        "chainWithdraw": "0",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
    }
    return {"name": coin, "coin": coin, "remainAmount": "0", "chains": [chain]}
