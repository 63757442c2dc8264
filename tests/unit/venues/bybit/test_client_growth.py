"""What the libraries keep of a venue's calls: as much after a thousand of them as after a few."""

import functools
import gc
from collections import deque
from collections.abc import Iterable

from kangbot.model.ids import client_id
from tests.support.bybit_rest import BTC, Bybit, bybit, intent, rows

LIBRARIES = ("aiohttp", "ccxt", "multidict", "websockets", "yarl")
WARM, MORE = 20, 60  # orders; each is placed, asked for everywhere, and cancelled


def kept(*roots: object) -> int:
    """Return how many things lie in the containers that are reached from there, through objects of the libraries."""
    seen: dict[int, object] = {}
    waiting, count = list(roots), 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        if isinstance(one, dict | list | tuple | set | frozenset | deque):
            count += len(one)
            waiting.extend(one.values() if isinstance(one, dict) else one)
        elif type(one).__module__.partition(".")[0] in (*LIBRARIES, "kangbot"):
            waiting.extend(_attributes(one))
    return count


def _attributes(one: object) -> Iterable[object]:
    slots = [name for kind in type(one).__mro__ for name in vars(kind).get("__slots__", ())]
    return (*getattr(one, "__dict__", {}).values(), *(getattr(one, name, None) for name in slots))


async def trade(world: Bybit, numbers: range) -> int:
    """Place and cancel so many orders; return what is kept after that."""
    for number in numbers:
        name = client_id("abcdefgh", number)
        await world.venue.submit(BTC, intent(client_id=name, number=number))
        await world.venue.find(BTC, name)
        await world.venue.cancel(BTC, name)
    exchange = world.venue._client._exchange
    gc.collect()
    return kept(vars(exchange), dict(vars(type(exchange))), exchange.kangbot_http)


async def test_orders_leave_nothing_behind_in_the_libraries() -> None:
    """Neither with ccxt (orders, requests, responses, options) nor with aiohttp (connections, waiters, names)."""
    order = {"orderId": "x", "orderLinkId": "y"}
    paths = {"/order/create": order, "/order/cancel": order}
    lists = dict.fromkeys(("/order/realtime", "/order/history", "/execution/list"), rows())
    async with bybit({path: (lambda _, said=said: said) for path, said in (paths | lists).items()}) as world:  # type: ignore[misc]
        world.venue._client.know([BTC])
        before = await trade(world, range(1, WARM + 1))
        assert before > 1_000  # it is looked at: ccxt describes a venue in some thousand entries
        assert await trade(world, range(WARM + 1, WARM + MORE + 1)) == before


def test_no_cache_of_the_libraries_is_without_a_bound() -> None:
    """An address with a query is one entry each: the newest are kept, and no more."""
    cached = (one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper)
    ours = [one for one in cached if one.__module__.partition(".")[0] in LIBRARIES]
    assert ours
    assert [one for one in ours if one.cache_info().maxsize is None] == []
