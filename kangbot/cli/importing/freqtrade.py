"""A freqtrade configuration: what each of its settings is here. Pure.

Names and meanings: https://www.freqtrade.io/en/stable/configuration/ (parameters) and …/leverage/ (trading_mode).
"""

from collections.abc import Mapping
from decimal import Decimal

from kangbot.cli.importing.taken import Taken, name_of, number, shown
from kangbot.settings.sources import Table

_MARKS = frozenset({"stake_currency", "stake_amount", "max_open_trades", "dry_run", "minimal_roi", "pairlists"})
_SILENT = frozenset({"$schema", "initial_state", "force_entry_enable", "internals", "bot_name", "add_config_files"})
_SECRET = ("key", "secret", "password", "uid", "walletaddress", "privatekey", "apikey", "accountid")
_UNDERSTOOD = frozenset(
    {"exchange", "stake_amount", "stake_currency", "timeframe", "max_open_trades", "dry_run", "dry_run_wallet"}
    | {"trading_mode", "stoploss", "telegram", "pair_whitelist", "strategy"}
)
_ELSEWHERE = {
    "margin_mode": "kangbot leaves an account's margin mode as it is set at the exchange",
    "minimal_roi": "exits are the strategy's, and the stop's",
    "trailing_stop": "a stop stays where it was set",
    "api_server": "kangbot has its own: [control], with tokens that it makes itself in the state folder",
    "discord": "messages go by [notify]; discord://… is one of its addresses",
    "webhook": "messages go by [notify]; json://… is one of its addresses",
    "db_url": "kangbot keeps a history of its own: [database]",
    "logfile": "kangbot logs to standard error: [logs]",
    "pairlists": "markets are named one by one in [[markets]]; none is chosen by volume or price",
    "freqai": "there is no model that is trained while it trades",
    "order_types": "the strategy says how it enters; a stop always rests at the exchange",
    "unfilledtimeout": "a limit entry's patience is the strategy's",
    "liquidation_buffer": "the limits are in [risk]",
    "tradable_balance_ratio": "the limits are in [risk]",
    "available_capital": "the limits are in [risk]",
    "fee": "fees are what the exchange charges",
}


def is_freqtrade(table: Mapping[str, object]) -> bool:
    """Tell whether a table is a freqtrade configuration, or a part of one."""
    exchange = table.get("exchange")
    return not _MARKS.isdisjoint(table) or (isinstance(exchange, dict) and "pair_whitelist" in exchange)


def from_freqtrade(table: Table) -> Taken:
    """Return what has a counterpart, and notes on what has none."""
    taken = Taken()
    exchange = table.get("exchange")
    exchange = exchange if isinstance(exchange, dict) else {}
    futures = table.get("trading_mode") == "futures"
    _exchange(taken, exchange, futures=futures)
    if table.get("trading_mode") == "margin":
        taken.note('trading_mode = "margin" has no counterpart: spot is traded with what the account holds')
    pairs = exchange.get("pair_whitelist", table.get("pair_whitelist", []))
    taken.take_symbols(pairs if isinstance(pairs, list) else [pairs], perpetual=futures or taken.venue != "bybit")
    _money(taken, table)
    _trading(taken, table)
    _rest(taken, table, exchange)
    return taken


def _exchange(taken: Taken, exchange: Table, *, futures: bool) -> None:
    name = exchange.get("name")
    known = name.lower() if isinstance(name, str) else ""
    if known == "binance" and futures:
        taken.venue = "binance_usdm"
        taken.note("of Binance kangbot has the prices of USD-M perpetuals: they are traded on paper, without a key")
    elif known != "bybit":
        taken.leave_exchange(name)
    if any(_plain(key) in _SECRET and value for key, value in exchange.items()):
        taken.leave_keys()


def _money(taken: Taken, table: Table) -> None:
    trades = number(table.get("max_open_trades"), -1, 10_000)
    if trades == -1:
        taken.open_positions = 0  # no limit, which is 0 here
    elif trades is not None and trades >= 1:
        taken.open_positions = int(trades)
    elif trades is not None:
        taken.note("max_open_trades let nothing enter; here 0 is no limit, so the default holds: [risk] open_positions")
    stake = table.get("stake_amount")
    taken.size = number(stake, Decimal("0.01"))
    if taken.size is not None:
        taken.note("size is stake_amount; it is the notional of a position, whatever its leverage, which is 1 here")
    elif stake is not None:
        taken.note(f"stake_amount {shown(stake)} has no counterpart: a position has a fixed size, 50 by default")
    currency = table.get("stake_currency")
    others = [one for one in taken.symbols if isinstance(currency, str) and one.split("/")[1].split(":")[0] != currency]
    if others:
        taken.note(f"stake_currency is {shown(currency)}, and {', '.join(others[:5])} settles in another")
    wallet = table.get("dry_run_wallet")
    wallet = wallet.get(currency) if isinstance(wallet, dict) else wallet
    taken.balance = number(wallet, Decimal("0.01"))


def _trading(taken: Taken, table: Table) -> None:
    if table.get("dry_run") is False:
        taken.note('dry_run is false: it traded with money. Here it is paper, until you write mode = "live" and [live]')
    if "timeframe" in table:
        taken.take_timeframe(table["timeframe"])
    if "stoploss" in table:
        ratio = number(table["stoploss"], Decimal("-0.99"), Decimal("-0.0001"))
        taken.stop_percent = None if ratio is None else -100 * ratio
        taken.note(
            f"stoploss {shown(table['stoploss'])} is no ratio below 0: the strategy's own distance holds"
            if ratio is None
            else "stop_percent is stoploss: of the price, where freqtrade counts the profit with its leverage"
        )
    named = f"the strategy {shown(table['strategy'])} is" if "strategy" in table else "freqtrade's strategies are"
    taken.note(f"{named} code for freqtrade: ema_cross holds until you name your own, see docs/strategies.md")


def _rest(taken: Taken, table: Table, exchange: Table) -> None:
    bot = table.get("bot_name")
    taken.name = bot if isinstance(bot, str) and shown(bot) == bot else ""
    telegram = table.get("telegram")
    if isinstance(telegram, dict) and (telegram.get("token") or telegram.get("enabled")):
        taken.note(
            "the telegram token was not taken: write tgram://token/chat_id in one line into a file of its own, "
            "mode 600, and name it with addresses_file in [notify]"
        )
    for key, value in table.items():
        if key in _ELSEWHERE and value not in (False, None, {}, []):
            taken.note(f"{key} has no counterpart: {_ELSEWHERE[key]}")
    unknown = [key for key in table if key not in _UNDERSTOOD | _SILENT | _ELSEWHERE.keys()]
    inner = [f"exchange.{key}" for key in exchange if _plain(key) not in (*_SECRET, "name", "pairwhitelist")]
    if unknown or inner:
        taken.note(f"not taken: {', '.join(name_of(key) for key in (*unknown, *inner))}")


def _plain(key: object) -> str:
    return str(key).lower().replace("_", "").replace("-", "")
