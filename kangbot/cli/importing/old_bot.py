"""The `config/global.json` and `config/constants.json` of an older bot. Pure.

They name a symbol, a mode, an exchange and OpenAI's settings; where in the file and in which case is not certain, so
each is looked for by its name wherever it stands.
"""

from collections.abc import Iterator, Mapping

from kangbot.cli.importing.taken import Taken, name_of, shown
from kangbot.settings.sources import Table

_DEEPEST = 20
_SYMBOLS = frozenset({"symbol", "symbols", "pair", "pairs", "market", "markets", "tradingpair", "tradingpairs"})
_SYMBOLS_MORE = frozenset({"defaultsymbol", "tradesymbol", "tradingsymbol"})
_MODES = frozenset({"mode", "tradingmode", "trademode", "botmode", "environment"})
_EXCHANGES = frozenset({"exchange", "exchangename", "exchangeid", "broker", "venue"})
_TIMEFRAMES = frozenset({"timeframe", "interval", "candleinterval"})
_KINDS = frozenset({"markettype", "contracttype", "category", "defaulttype"})
_PAPER = frozenset({"paper", "papertrading", "dryrun", "dry", "simulation", "simulated", "demo", "test", "testing"})
_MODEL = ("openai", "gpt", "chatgpt", "llm")
_SECRET = ("key", "secret", "password", "passphrase", "token")

Setting = tuple[tuple[str, ...], object]


def from_old_bot(table: Table) -> Taken:
    """Return what has a counterpart, and notes on what has none."""
    taken, settings = Taken(), list(_settings(table))
    spot = any(_plain(path[-1]) in _KINDS and _plain(value) == "spot" for path, value in settings)
    unknown = [".".join(map(name_of, path)) for path, value in settings if not _take(taken, path, value, spot=spot)]
    if taken.symbols and not spot:
        taken.note("a market without its kind, such as BTCUSDT, was taken as a perpetual; BTC/USDT would be spot")
    if unknown:
        taken.note(f"not taken: {', '.join(unknown)}")
    return taken


def _take(taken: Taken, path: tuple[str, ...], value: object, *, spot: bool) -> bool:
    """Take one setting; False where nothing is known of it."""
    key, around = _plain(path[-1]), "".join(map(_plain, path))
    if any(word in around for word in _MODEL):
        taken.note(
            "OpenAI's settings were not taken: no language model has a say here. A key that stands in that file is "
            "still good until it is withdrawn"
        )
    elif any(key.endswith(word) for word in _SECRET) and not key.startswith("max"):
        taken.leave_keys()
    elif key in _SYMBOLS or key in _SYMBOLS_MORE:
        taken.take_symbols(_texts(value), perpetual=not spot)
    elif key in _MODES:
        _mode(taken, value)
    elif key in _EXCHANGES or (key in ("name", "id") and len(path) > 1 and _plain(path[-2]) in _EXCHANGES):
        _exchange(taken, value)
    elif key in _TIMEFRAMES:
        taken.take_timeframe(value)
    else:
        return key in _KINDS
    return True


def _mode(taken: Taken, value: object) -> None:
    plain = _plain(value)
    if plain == "sandbox":
        taken.mode = "sandbox"
    elif plain == "testnet":
        taken.note("the mode was testnet: it needs a key, so it is paper until you write mode and key_file yourself")
    elif plain not in _PAPER:
        taken.note(f'the mode was {shown(value)}. Here it is paper, until you write mode = "live" and [live]')


def _exchange(taken: Taken, value: object) -> None:
    plain = _plain(value)
    if plain.startswith("binance"):
        taken.note("of Binance kangbot has the prices of USD-M perpetuals only: the markets are Bybit's now, on paper")
    elif plain != "bybit":
        taken.leave_exchange(value)


def _settings(table: Mapping[str, object], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield every setting with its path; a list is one setting, unless it holds tables."""
    for key, value in table.items():
        here = (*path, str(key))
        if isinstance(value, Mapping) and len(here) < _DEEPEST:
            yield from _settings(value, here)
        elif isinstance(value, list) and len(here) < _DEEPEST and any(isinstance(one, Mapping) for one in value):
            for one in value:
                yield from _settings(one, here) if isinstance(one, Mapping) else iter([(here, one)])
        else:
            yield here, value


def _texts(value: object) -> list[object]:
    if isinstance(value, str):
        return list(value.replace(",", " ").split())
    return value if isinstance(value, list) else [value]


def _plain(value: object) -> str:
    """Return a name without its case and its hyphens: symbol, SYMBOL, trading_pair, tradingPair."""
    return "".join(letter for letter in str(value).lower() if letter.isalnum())[:60] if isinstance(value, str) else ""
