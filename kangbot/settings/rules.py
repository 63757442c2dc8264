"""What no key can know alone: how settings must fit together. Each rule yields every mistake it sees."""

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings.daemon import LONGEST_SOCKET_PATH
from kangbot.settings.lines import Key
from kangbot.settings.schema import Settings
from kangbot.settings.sources import Origin, value_at
from kangbot.settings.strategies import check_strategies
from kangbot.settings.trading import worth_the_same
from kangbot.storage.url import parse as parse_url

REAL_MONEY = "real money"
REAL_HOSTS = (  # https://bybit-exchange.github.io/docs/v5/guide, and the one that Turkey had before
    "bybit.com",
    "bytick.com",
    "bybit.ae",
    "bybit.eu",
    "bybit.id",
    "bybit.kz",
    "bybit.nl",
    "bybit.tr",
    "bybit-tr.com",
    "bybitgeorgia.ge",
    "manepa.jp",
)
PLAY = ("testnet", "demo")  # in the first part of a name at one of these: no money, as api-testnet.bybit.com
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check(settings: Settings, origin: Origin, unread: tuple[Key, ...] = ()) -> Iterator[Problem]:
    """Yield every mistake in settings whose keys are each right by themselves.

    `unread` are keys that were wrong and have been taken out: rules that would read them are not asked.
    """
    for rule, reads in RULES:
        if not any(key[: len(read)] == read[: len(key)] for key in unread for read in reads):
            yield from rule(settings, origin)


def _mode(settings: Settings, origin: Origin) -> Iterator[Problem]:
    if settings.venue != "bybit":  # no other venue has a live mode
        return
    if settings.mode == "live" and settings.live.i_understand != REAL_MONEY:
        yield origin.problem(
            ("mode",),
            "live trades with money and needs a second switch",
            f'Write [live] i_understand = "{REAL_MONEY}", or choose another mode.',
        )


def _addresses(settings: Settings, origin: Origin) -> Iterator[Problem]:
    mode = settings.mode
    urls = {
        "sandbox_url": settings.venues.bybit.sandbox_url if mode == "sandbox" else None,
        "rest_url": settings.venues.bybit.rest_url,
        "ws_public_url": settings.venues.bybit.ws_public_url,
        "ws_private_url": settings.venues.bybit.ws_private_url,
    }
    for name, url in urls.items():
        key: Key = ("venues", "bybit", name)
        if url is None:
            continue
        parts = urlsplit(url)
        host = parts.hostname or ""
        if mode == "sandbox" and _is_bybit(host):
            yield origin.problem(key, f"is the real exchange ({host}), but the mode is sandbox", "Remove it.")
        if mode == "testnet" and name != "ws_public_url" and _is_bybit(host) and not _is_play(host):
            remedy = "Remove it in this mode, or name the testnet's own: an order sent there is one with money."
            yield origin.problem(key, f"is the real exchange ({host}), but the mode is testnet", remedy)
        if mode in ("testnet", "live") and parts.scheme in ("http", "ws") and host not in LOOPBACK:
            yield origin.problem(key, f"is not encrypted, in mode {mode}", f"Write {parts.scheme}s://.")


def _is_bybit(host: str) -> bool:
    return any(host == real or host.endswith(f".{real}") for real in REAL_HOSTS)


def _is_play(host: str) -> bool:
    return any(word in host.partition(".")[0] for word in PLAY)


def _keys(settings: Settings, origin: Origin) -> Iterator[Problem]:
    if settings.venue != "bybit" or settings.mode not in ("testnet", "live"):
        return
    for name in ("key", "secret"):
        named = getattr(settings.venues.bybit, f"{name}_file")  # then it is unreadable, which has been said
        key: Key = ("venues", "bybit", f"{name}_file")
        secret = getattr(settings.venues.bybit, name)
        if secret is not None and any(sign.isspace() or sign in "\"'" for sign in secret.value):
            given = value_at(origin.overlay, ("venues", "bybit", name)) or named is None
            yield origin.problem(
                ("venues", "bybit", name) if given else key,
                f"the API {name} has a space or a quotation mark in it, and none of Bybit's has",
                "Write it alone, as the exchange shows it.",
            )
        if secret is not None or named is not None:
            continue
        if origin.shut:
            yield origin.problem(
                key,
                f"the API {name} cannot be looked for: {origin.shut} is not this user's to read",
                "Run the same command with sudo; the service gets it from systemd.",
            )
        else:
            yield origin.problem(
                key,
                f"the API {name} is missing, and mode {settings.mode} needs one",
                f"Name a file that holds it, or set KANGBOT_VENUES__BYBIT__{name.upper()}.",
            )


def _twice(settings: Settings, origin: Origin) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, market in enumerate(settings.trading):
        if market.id in seen:
            first = seen[market.id]
            where = origin.line(("markets", first, "symbol"))
            message = f"{market.symbol} at {market.venue} is there already{f' (line {where})' if where else ''}"
            yield origin.problem(("markets", number, "symbol"), message, "Remove one of them.")
        seen.setdefault(market.id, number)


def _one_venue(settings: Settings, origin: Origin) -> Iterator[Problem]:
    """One daemon trades at one venue: what is held and owed there is one account."""
    enabled = [(number, market) for number, market in enumerate(settings.trading) if market.enabled]
    for number, market in enabled:
        if market.venue != settings.venue:
            yield origin.problem(
                _venue_key(settings, number),
                f"{market.symbol} is at {market.venue}, and the markets before it at {settings.venue}: "
                "a daemon trades at one venue",
                "Give the other venue's markets a configuration with a state_dir of its own.",
            )


def _one_money(settings: Settings, origin: Origin) -> Iterator[Problem]:
    """Sizes, limits, losses and equity are summed over all markets: 50 BTC would be counted as 50 USDT."""
    for number, market in enumerate(settings.trading):
        if market.enabled and not worth_the_same(market.money, settings.currency):
            yield origin.problem(
                ("markets", number, "symbol"),
                f"{market.symbol} counts in {market.money}, and the limits in {settings.currency}: "
                "both would be summed as if they were one money",
                "Give the markets of each money a configuration with a state_dir of its own; a paper account has USDT.",
            )


def _data_only(settings: Settings, origin: Origin) -> Iterator[Problem]:
    enabled = [number for number, market in enumerate(settings.trading) if market.enabled]
    mine = [number for number in enabled if settings.trading[number].venue == "binance_usdm"]
    if mine and settings.mode != "paper":
        yield origin.problem(
            _venue_key(settings, mine[0]),
            f"binance_usdm gives data only, and the mode is {settings.mode}",
            'Write mode = "paper": live prices, simulated fills.',
        )
    for number in mine:
        symbol = settings.trading[number].symbol
        if ":" not in symbol:
            yield origin.problem(
                ("markets", number, "symbol"),
                f"{symbol} is spot, and binance_usdm has perpetuals only",
                f"Write {symbol}:{symbol.partition('/')[2]}.",
            )


def _venue_key(settings: Settings, number: int) -> Key:
    return ("markets", number, "venue") if settings.markets[number].venue else ("defaults", "venue")


def _some_market(settings: Settings, origin: Origin) -> Iterator[Problem]:
    if not any(market.enabled for market in settings.trading):
        yield origin.problem(("markets",), "there is no market to trade", "Add a [[markets]] table.")


def _limits(settings: Settings, origin: Origin) -> Iterator[Problem]:
    risk = settings.risk
    for number, market in enumerate(settings.trading):
        if not risk.market_notional or market.size <= risk.market_notional:
            continue
        places: tuple[Key, ...] = (("markets", number, "size"), ("defaults", "size"), ("risk", "market_notional"))
        own = places[:1] if settings.markets[number].size else places[1:]
        yield origin.problem(
            next((key for key in own if origin.line(key)), own[0]),
            f"{market.size:f} for {market.symbol} is above risk.market_notional ({risk.market_notional:f}): "
            "no entry would pass",
            "Lower the one or raise the other.",
        )
    if risk.total_notional and risk.total_notional < risk.market_notional:
        yield origin.problem(
            ("risk", "total_notional"), f"{risk.total_notional:f} is below market_notional ({risk.market_notional:f})"
        )


def _database(settings: Settings, origin: Origin) -> Iterator[Problem]:
    if settings.database.url is None:
        return
    try:
        parse_url(settings.database.url.value)
    except ConfigInvalid as error:
        for problem in error.problems:
            yield origin.problem(("database", "url"), problem.message, problem.remedy)


def _waits(settings: Settings, origin: Origin) -> Iterator[Problem]:
    if settings.supervision.first_wait_s > settings.supervision.longest_wait_s:
        yield origin.problem(("supervision", "first_wait_s"), "is longer than longest_wait_s")


def _socket(settings: Settings, origin: Origin) -> Iterator[Problem]:
    path = str(settings.control_socket)
    if len(path.encode(errors="replace")) > LONGEST_SOCKET_PATH:
        key: Key = ("control", "socket") if settings.control.socket else ("state_dir",)
        yield origin.problem(
            key,
            f"the control socket's path is longer than {LONGEST_SOCKET_PATH} bytes: {path}",
            "Set [control] socket to a shorter one, such as /run/kangbot/control.sock.",
        )


def _listening(settings: Settings, origin: Origin) -> Iterator[Problem]:
    control = settings.control
    if not control.port or _is_loopback(control.host):
        return
    if not control.hosts:
        yield origin.problem(
            ("control", "host"),
            f"{control.host} is not of the loopback, and no name is allowed",
            "Write 127.0.0.1 and use an SSH tunnel or a proxy with TLS, or list the names in [control] hosts.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: only this one is sure to lead nowhere else
        return host == "localhost"


def _telegram(settings: Settings, origin: Origin) -> Iterator[Problem]:
    telegram = settings.telegram
    if telegram.chats and telegram.token is None and telegram.token_file is None:
        yield origin.problem(
            ("telegram", "chats"),
            "chats may command, and there is no token to hear them with",
            "Name a file that holds the bot's token in [telegram] token_file, or set KANGBOT_TELEGRAM__TOKEN.",
        )


def _silence(settings: Settings, origin: Origin) -> Iterator[Problem]:
    feeds = settings.feeds
    spans = (("quote", feeds.quote_least_s, feeds.quote_most_s), ("trade", feeds.trade_least_s, feeds.trade_most_s))
    for name, least_s, most_s in spans:
        if least_s > most_s:
            key: Key = ("feeds", f"{name}_most_s")
            yield origin.problem(key, f"is below {name}_least_s, {least_s:g}", "Raise it, or lower that one.")


Rule = Callable[[Settings, Origin], Iterator[Problem]]
RULES: tuple[tuple[Rule, tuple[Key, ...]], ...] = (
    # what is looked at; the keys that it reads and that may be wrong by themselves
    (_mode, (("mode",), ("live",), ("defaults", "venue"))),
    (_addresses, (("mode",),)),
    (_keys, (("mode",), ("venues", "bybit"))),
    (_some_market, (("markets",),)),
    (_one_venue, (("defaults", "venue"),)),
    (_one_money, (("mode",),)),
    (_data_only, (("mode",), ("defaults", "venue"))),
    (_twice, (("defaults", "venue"),)),
    (check_strategies, (("defaults", "strategy"), ("defaults", "parameters"))),
    (_limits, (("risk",), ("defaults", "size"))),
    (_database, (("database", "url"),)),
    (_waits, (("supervision",),)),
    (_silence, (("feeds",),)),
    (_socket, (("state_dir",), ("control", "socket"))),
    (_listening, (("control",),)),
    (_telegram, (("telegram",),)),
)
