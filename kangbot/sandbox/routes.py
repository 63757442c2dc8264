"""The REST paths that are served, with the requests a second that Bybit allows a user on each.

Limits: https://bybit-exchange.github.io/docs/v5/rate-limit (per second and user; linear orders 10, spot orders 20).
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kangbot.sandbox import rest_account, rest_market, rest_query, rest_trade
from kangbot.sandbox.exchange import Exchange, Params

Answer = Callable[[Exchange, Params], dict[str, Any]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path: what answers it, whether it must be signed, and its budget (0: only the address's)."""

    answer: Answer
    signed: bool = True
    limit: int = 50
    spot_limit: int = 0  # where spot has another


def _public(answer: Answer) -> Route:
    return Route(answer=answer, signed=False, limit=0)


ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): _public(rest_market.server_time),
    ("GET", "/v5/market/instruments-info"): _public(rest_market.instruments),
    ("GET", "/v5/market/kline"): _public(rest_market.kline),
    ("GET", "/v5/market/mark-price-kline"): _public(rest_market.price_kline),
    ("GET", "/v5/market/index-price-kline"): _public(rest_market.price_kline),
    ("GET", "/v5/market/tickers"): _public(rest_market.tickers),
    ("GET", "/v5/market/recent-trade"): _public(rest_market.recent_trades),
    ("GET", "/v5/market/orderbook"): _public(rest_market.orderbook),
    ("GET", "/v5/market/funding/history"): _public(rest_market.funding_history),
    ("POST", "/v5/order/create"): Route(answer=rest_trade.create, limit=10, spot_limit=20),
    ("POST", "/v5/order/amend"): Route(answer=rest_trade.amend, limit=10, spot_limit=20),
    ("POST", "/v5/order/cancel"): Route(answer=rest_trade.cancel, limit=10, spot_limit=20),
    ("POST", "/v5/order/cancel-all"): Route(answer=rest_trade.cancel_all, limit=10, spot_limit=20),
    ("GET", "/v5/order/realtime"): Route(answer=rest_query.realtime),
    ("GET", "/v5/order/history"): Route(answer=rest_query.history),
    ("GET", "/v5/execution/list"): Route(answer=rest_query.executions),
    ("GET", "/v5/position/list"): Route(answer=rest_account.positions),
    ("POST", "/v5/position/set-leverage"): Route(answer=rest_account.set_leverage, limit=10),
    ("POST", "/v5/position/switch-mode"): Route(answer=rest_account.switch_mode, limit=10),
    ("POST", "/v5/position/trading-stop"): Route(answer=rest_account.trading_stop, limit=10),
    ("GET", "/v5/account/wallet-balance"): Route(answer=rest_account.wallet),
    ("GET", "/v5/account/transaction-log"): Route(answer=rest_account.transaction_log, limit=30),
    ("GET", "/v5/account/info"): Route(answer=rest_account.account_info),
    ("POST", "/v5/account/set-margin-mode"): Route(answer=rest_account.set_margin_mode, limit=5),
    ("GET", "/v5/account/fee-rate"): Route(answer=rest_account.fee_rate, limit=10),
    ("GET", "/v5/user/query-api"): Route(answer=rest_account.query_api, limit=10),
    ("GET", "/v5/asset/coin/query-info"): Route(answer=rest_account.coin_info, limit=5),
}
