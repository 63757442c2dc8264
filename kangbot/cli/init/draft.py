"""A first configuration, as text: what was answered, with the words that a person needs to change it later. Pure."""

import json
from decimal import Decimal

import msgspec

_MODES = """\
# sandbox  the simulated exchange of `kangbot sandbox`; no key needed
# paper    live prices, simulated fills; no key is used
# testnet  Bybit's own playground, with a key of its own
# live     money; needs the second switch below
"""
KEYED = ("testnet", "live")


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What `kangbot init` must know. `size` is in the currency that the markets settle in, USDT most likely."""

    mode: str
    venue: str
    markets: tuple[str, ...]
    strategy: str
    size: Decimal
    database: str  # without its password; "" for the embedded file
    database_file: str = ""  # the file that holds the address, where it has a password

    @property
    def timeframe(self) -> str:
        """The bars that are decided on; short ones where the simulated exchange's history is as short."""
        return "1m" if self.mode == "sandbox" else "15m"

    @property
    def needs_key(self) -> bool:
        """Whether the venue is asked with a key."""
        return self.venue == "bybit" and self.mode in KEYED


def symbols(text: str) -> tuple[str, ...]:
    """Return the markets in a list with commas or spaces: "btc" is the perpetual, "BTC/USDT" the spot pair."""
    names = [name.upper() for name in text.replace(",", " ").split()]
    return tuple(dict.fromkeys(name if "/" in name else f"{name}/USDT:USDT" for name in names))


def draft(answers: Answers) -> str:
    """Return the file. Its limits are so many times the size, as in the configuration that ships."""
    size = answers.size
    lines = [
        "# Written by `kangbot init`. An edit is checked by `kangbot check`, and taken on by a running daemon.",
        "# What is absent has its default. Relative paths are taken from this file's folder. No secret stands here.",
        "",
        f"{_MODES}mode = {_text(answers.mode)}",
        _line('state_dir = "state"', "journal, embedded history, control socket: the daemon's memory"),
        *_second_switch(answers),
        "",
        "# what a market has unless it says otherwise",
        "[defaults]",
        f"venue = {_text(answers.venue)}",
        f"strategy = {_text(answers.strategy)}",
        _line(f"timeframe = {_text(answers.timeframe)}", "the bars that it decides on: 1s to 1d"),
        _line(
            f"size = {size:f}", "notional of one full position; what is below a market's smallest order never leaves"
        ),
        "leverage = 1",
        "",
        "# what is held to before any order; 0 switches a limit off",
        "[risk]",
        f"market_notional = {4 * size:f}",
        f"total_notional = {20 * size:f}",
        "open_positions = 20",
        _line("leverage = 3", "total notional by equity"),
        _line(f"daily_loss = {size:f}", "a day (UTC) that lost so much takes no more entries; exits go on"),
        _line(
            "drawdown_percent = 20", "so far below its highest equity it takes no more either, until a person says so"
        ),
        "",
        *_keys(answers),
        *_database(answers),
    ]
    for symbol in answers.markets:
        lines += ["[[markets]]", f"symbol = {_text(symbol)}", ""]
    return "\n".join(lines)


def _second_switch(answers: Answers) -> list[str]:
    if answers.mode != "live":
        return []
    return ["", "[live]", _line('# i_understand = "real money"', "take the first # away by hand: else nothing starts")]


def _keys(answers: Answers) -> list[str]:
    if not answers.needs_key:
        return []
    return [
        "# A key with the right to trade, without withdrawal, bound to this machine's address.",
        "[venues.bybit]",
        _line('key_file = "bybit_key"', "mode 600, one line; or KANGBOT_VENUES__BYBIT__KEY"),
        _line('secret_file = "bybit_secret"', "the same; or KANGBOT_VENUES__BYBIT__SECRET"),
        "",
    ]


def _database(answers: Answers) -> list[str]:
    if answers.database_file:
        line = _line(f"url_file = {_text(answers.database_file)}", "holds the address with its password, mode 600")
        return ["# the history", "[database]", line, ""]
    if answers.database:
        return ["# the history", "[database]", f"url = {_text(answers.database)}", ""]
    return ["# The history is an SQLite file in the state folder; [database] url names a MariaDB or MySQL instead.", ""]


def _line(setting: str, comment: str) -> str:
    return f"{setting:<32}# {comment}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # what JSON escapes, TOML reads
