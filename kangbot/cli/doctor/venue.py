"""The venue: does it answer, how far is its clock, and what may our key do there.

A key that may withdraw is wrong however well everything else is: what cannot be taken out cannot be stolen by whoever
reads this machine's files.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from time import perf_counter
from urllib.parse import urlsplit

from kangbot.cli.doctor.finding import Look, Mark
from kangbot.errors import KangbotError, NeedsHuman, words
from kangbot.machines.verdict import Status
from kangbot.modes import binance_usdm, bybit
from kangbot.modes.way import Way
from kangbot.runtime.reach import by_proxy, here
from kangbot.runtime.world import SECOND_NS, World
from kangbot.settings import Settings
from kangbot.venues.bybit.rights import KeyRights
from kangbot.venues.bybit.venue import BybitVenue

_ANSWER_S = 8.0
_QUESTIONS = 3  # for its time: the first pays for the connection
_DAY_NS = 86_400 * SECOND_NS
_SOON_DAYS = 14
_MILLISECOND_NS = 1_000_000


async def venue(settings: Settings, world: World) -> AsyncIterator[Look]:
    """Ask it over REST; for at most eight seconds a question, and for nothing more where it does not answer."""
    way = (bybit if settings.venue == "bybit" else binance_usdm).way(settings, world)
    try:
        reached = await _reach(settings, way)
        yield reached
        if reached.mark is not Mark.OK:
            return
        yield _clock(settings, way)
        yield await _markets(settings, way)
        if isinstance(way.venue, BybitVenue) and settings.mode != "paper":
            for look in await _key(settings, way.venue, world.clock.now_ns()):
                yield look
    finally:
        await way.venue.aclose()


async def _reach(settings: Settings, way: Way) -> Look:
    url = settings.bybit_rest_url if settings.venue == "bybit" else settings.venues.binance_usdm.rest_url
    took_ms: list[float] = []
    try:
        async with asyncio.timeout(_ANSWER_S):
            for _ in range(_QUESTIONS):
                began = perf_counter()
                await way.clock.measure(way.venue.server_time_ns)
                took_ms.append(1000 * (perf_counter() - began))
    except (KangbotError, TimeoutError) as error:
        return _silent(settings, f"{url} does not answer: {words(error)}")
    best_ms = round(min(took_ms), 1)
    return Look(
        name="venue", mark=Mark.OK, says=f"{url} answers in {best_ms:g} ms{by_proxy(url)}", figure=best_ms, unit="ms"
    )


def _silent(settings: Settings, says: str) -> Look:
    """Name a venue that is away; the simulated one is, until somebody starts it, so that is no more than a warning.

    It is served here and without TLS: what stands at another address is not started by a command.
    """
    url = urlsplit(settings.bybit_rest_url)
    if settings.mode == "sandbox" and url.scheme == "http" and here(url.hostname or ""):
        return Look(name="venue", mark=Mark.WARNING, says=says, remedy="serve it with: kangbot sandbox")
    remedy = "see that this machine reaches it; the daemon waits for it, and asks again and again"
    return Look(name="venue", mark=Mark.AWAY, says=says, remedy=remedy)


def beside_ours(ahead_ms: float, uncertain_ms: float) -> str:
    """Return where the venue's clock is, in words."""
    side = "behind" if ahead_ms < 0 else "ahead of"
    return f"{side} ours by {abs(ahead_ms):g} ms, give or take {uncertain_ms:.1f}"


def _clock(settings: Settings, way: Way) -> Look:
    estimate = way.clock.estimate
    assert estimate is not None  # it has answered
    ahead_ms = round(estimate.offset_ns / _MILLISECOND_NS, 1)
    uncertain_ms = estimate.uncertainty_ns / _MILLISECOND_NS
    well = settings.health.thresholds.clock_ms.judge(abs(ahead_ms)) is Status.HEALTHY
    return Look(
        name="venue_clock",
        mark=Mark.OK if well else Mark.WARNING,
        says=beside_ours(ahead_ms, uncertain_ms),
        figure=ahead_ms,
        unit="ms",
        remedy=""
        if well
        else "set up time synchronisation, then restart a daemon that runs; orders are right all the same",
    )


async def _markets(settings: Settings, way: Way) -> Look:
    """Look for each symbol in the venue's list: a daemon leaves out what is not there, and ends where nothing is."""
    symbols = [market.symbol for market in settings.trading if market.enabled]
    try:
        async with asyncio.timeout(_ANSWER_S):
            listed = await way.venue.instruments(symbols)
    except (KangbotError, TimeoutError) as error:
        says = f"the list of them could not be asked for: {words(error)}"
        return Look(name="markets", mark=Mark.AWAY, says=says, remedy="try again later")
    missing = [symbol for symbol in symbols if symbol not in listed]
    if not missing:
        return Look(name="markets", mark=Mark.OK, says=f"{settings.venue} trades every one of them")
    return Look(
        name="markets",
        mark=Mark.WRONG if len(missing) == len(symbols) else Mark.WARNING,
        says=f"{settings.venue} does not trade {', '.join(missing)}",
        remedy="correct the symbols, or the mode: a testnet lists fewer markets, the sandbox its own",
    )


async def _key(settings: Settings, at: BybitVenue, now_ns: int) -> list[Look]:
    try:
        async with asyncio.timeout(_ANSWER_S):
            rights = await at.key_rights()
    except NeedsHuman as error:
        return [Look(name="key", mark=Mark.WRONG, says=error.message, remedy=error.remedy)]
    except (KangbotError, TimeoutError) as error:
        says = f"its rights could not be asked for: {words(error)}"
        return [Look(name="key", mark=Mark.AWAY, says=says, remedy="try again later")]
    looks = [_trades(settings, rights), _withdraws(rights)]
    if settings.mode != "sandbox":  # whose key is everybody's
        looks += _kept(rights, now_ns)
    return looks


def _trades(settings: Settings, rights: KeyRights) -> Look:
    kinds = {":" in market.symbol for market in settings.trading if market.enabled}
    wanted = [("contracts", True, rights.contracts), ("spot", False, rights.spot)]
    missing = [name for name, kind, may in wanted if kind in kinds and not may]
    if rights.reads_only:
        missing = ["anything: it may only read"]
    if missing:
        says = f"may not trade {' nor '.join(missing)}"
        return Look(name="key", mark=Mark.WRONG, says=says, remedy="give it the right to trade, at the venue")
    may = [name for name, _, allowed in wanted if allowed]
    return Look(name="key", mark=Mark.OK, says=f"may trade {' and '.join(may) or 'nothing, and nothing is traded'}")


def _withdraws(rights: KeyRights) -> Look:
    if rights.withdraws:
        return Look(
            name="withdrawal",
            mark=Mark.WRONG,
            says="THE KEY MAY WITHDRAW MONEY, which trading does not need",
            remedy="make another key at the venue without it, put that in its place, and delete this one",
        )
    if rights.transfers:
        return Look(
            name="withdrawal",
            mark=Mark.WARNING,
            says="the key may not withdraw, but may move money between accounts or pay with it",
            remedy="take the rights of transfer and payment away, at the venue",
        )
    return Look(name="withdrawal", mark=Mark.OK, says="the key may not withdraw or move money")


def _kept(rights: KeyRights, now_ns: int) -> Iterator[Look]:
    """Look at what keeps the key: the addresses that it is bound to, and how long it lasts."""
    if rights.addresses:
        yield Look(name="key_address", mark=Mark.OK, says=f"bound to {', '.join(rights.addresses)}")
    else:
        remedy = "bind it to this server's address, at the venue"
        yield Look(name="key_address", mark=Mark.WARNING, says="the key works from every address", remedy=remedy)
    if rights.expires_ns is not None and not rights.addresses:  # Bybit tells a day for bound keys, too; they have none
        days = (rights.expires_ns - now_ns) // _DAY_NS
        late = days < _SOON_DAYS
        yield Look(
            name="key_expiry",
            mark=Mark.WARNING if late else Mark.OK,
            says=f"the key ends in {days} days" if days >= 0 else "the key has ended",
            figure=float(days),
            unit="days",
            remedy="renew it, at the venue" if late else "",
        )
