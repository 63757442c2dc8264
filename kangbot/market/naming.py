"""Which market is meant by what somebody typed: its name, its symbol, or less where that says which.

A name is `bybit:BTC-USDT:USDT`, the symbol of the same market `BTC/USDT:USDT`. People write `BTC/USDT`, `btcusdt` or
`BTC`. The longest form that fits decides, so `BTC/USDT` is the spot pair where there is one. What may be two markets is
neither: nothing is done to a market that was only perhaps meant.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from kangbot.model.ids import MarketId

_MOST_MEANT = 3
_NEAR_COIN = 0.65  # two letters of three, as where two have changed places
_BETWEEN = re.compile(r"[-:_ ]+")


class UnknownMarketError(LookupError):
    """No market has that name, or several may be meant."""


def named(typed: str, markets: Iterable[MarketId], where: str) -> MarketId:
    """Return the one market that is meant. UnknownMarketError with those that may be, where that is not one.

    `where` ends the sentence "no market 'X' …", which goes on with what may be meant, or with where the names are.
    """
    asked = typed.strip().upper().replace("/", "-")
    forms = {market: tuple(_forms(market.upper())) for market in markets}
    for tier in range(3):
        found = [market for market, tiers in forms.items() if asked in tiers[tier]]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownMarketError(f"{typed!r} may be {' or '.join(found)}")
    raise UnknownMarketError(f"no market {typed!r} {where}{_hint(asked, forms)}")


def _forms(name: str) -> Iterator[tuple[str, ...]]:
    """Yield what a market may be called, the longest first, each with its venue and without.

    A contract's pair with its venue is no short form of its name: it is the whole name of the spot market, and where
    that is not here, or not any more, the contract is not what was named.
    """
    venue, _, symbol = name.partition(":")
    pair = symbol.partition(":")[0]
    yield (name,)
    yield (symbol,)
    short = (pair, pair.replace("-", ""), pair.partition("-")[0])
    yield (*short, *(f"{venue}:{one}" for one in short[1:]))


def _hint(asked: str, forms: dict[MarketId, tuple[tuple[str, ...], ...]]) -> str:
    """Return a question for those that have it in their names, or else for the nearest; else where names are."""
    meant = [market for market in forms if asked and asked in market.upper()] or _nearest(asked, forms)
    if 0 < len(meant) <= _MOST_MEANT:
        return f": is {' or '.join(meant)} meant?"
    return "; `kangbot status` lists those that there are"


def _nearest(asked: str, forms: dict[MarketId, tuple[tuple[str, ...], ...]]) -> list[MarketId]:
    """Return those of the coin that is named, or of the nearest one: in long names most letters are everybody's."""
    coins: dict[str, list[MarketId]] = {}
    for market in forms:
        coins.setdefault(_coin(market), []).append(market)
    venues = {market.upper().partition(":")[0] for market in forms}
    words = [word for word in _BETWEEN.split(asked) if word and word not in venues]
    for word in words:
        if word in coins:
            return coins[word]
    for word in words:
        if near := get_close_matches(word, coins, n=_MOST_MEANT, cutoff=_NEAR_COIN):
            return [market for coin in near for market in coins[coin]]
    if len(words) != 1:
        return []
    known = {form: market for market, tiers in forms.items() for tier in tiers for form in tier}
    return list(dict.fromkeys(known[form] for form in get_close_matches(words[0], known, n=_MOST_MEANT, cutoff=0.75)))


def _coin(market: MarketId) -> str:
    return market.upper().partition(":")[2].partition("-")[0]
