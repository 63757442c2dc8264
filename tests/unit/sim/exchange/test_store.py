"""Every order that the venue took: found by its ids for ever, and while it is open by its market."""

import msgspec
import pytest

from kangbot.model.ids import MarketId, VenueOrderId
from kangbot.model.orders import OrderKind, OrderStatus, Side
from kangbot.sim.exchange.orders import OrderRequest, SimOrder
from kangbot.sim.exchange.refusal import Reason, RequestRefused
from kangbot.sim.exchange.store import OrderStore
from tests.support.sim_bench import Bench
from tests.support.trade_words import dec


@pytest.fixture
def store() -> OrderStore:
    """One that has no order yet."""
    return OrderStore()


def put(store: OrderStore, number: int, *, market: MarketId = Bench.btc, client_id: str | None = None) -> SimOrder:
    """Keep an order that came at `number`."""
    name = f"kb{number}" if client_id is None else client_id
    request = OrderRequest(market=market, side=Side.BUY, kind=OrderKind.MARKET, quantity=dec(1), client_id=name)
    order = SimOrder(
        order_id=VenueOrderId(f"v{number}"),
        request=request,
        quantity=request.quantity,
        price=None,
        created_ns=number,
        updated_ns=number,
    )
    store.put(order)
    return order


def end(store: OrderStore, order: SimOrder) -> SimOrder:
    """Keep its successor, which is cancelled."""
    ended = msgspec.structs.replace(order, status=OrderStatus.CANCELED)
    store.put(ended)
    return ended


def test_an_order_is_found_by_either_id_as_it_is_now(store: OrderStore) -> None:
    """Open or not. Its own id goes before a client id, and what nobody gave finds nothing."""
    first, second, nameless = put(store, 1), put(store, 2), put(store, 3, client_id="")
    ended = end(store, first)
    assert store.find("v1") == store.find(client_id="kb1") == store.get("v1") == ended
    assert store.find("v2", "kb1") == second
    assert store.find("v3") == nameless
    assert [store.find("v9"), store.find(client_id="kb9"), store.find()] == [None, None, None]
    with pytest.raises(KeyError):
        store.get("v9")


def test_a_client_id_is_admitted_once_whatever_became_of_its_order(store: OrderStore) -> None:
    """Each attempt is counted; "" is nobody's, and always new."""
    end(store, put(store, 1))
    put(store, 2, client_id="")
    store.admit("")
    store.admit("kb2")
    for attempt in (1, 2):
        with pytest.raises(RequestRefused) as refused:
            store.admit("kb1")
        assert (refused.value.reason, store.duplicates_refused) == (Reason.DUPLICATE_ID, attempt)


def test_open_orders_are_those_of_their_market_in_the_order_in_which_they_came(store: OrderStore) -> None:
    """A change gives an order no other turn; one that has ended has none."""
    one, two, other, three = put(store, 1), put(store, 2), put(store, 3, market=Bench.eth), put(store, 4)
    moved = msgspec.structs.replace(one, status=OrderStatus.PARTIAL)
    store.put(moved)
    end(store, two)
    assert store.open(Bench.btc) == [moved, three]
    assert store.open() == [moved, three, other]
    assert [store.any_open(market) for market in (Bench.btc, Bench.eth, Bench.spot)] == [True, True, False]
    end(store, other)
    assert not store.any_open(Bench.eth)


def test_the_newest_come_first_whatever_their_status(store: OrderStore) -> None:
    """At most so many."""
    orders = [put(store, number) for number in (1, 2, 3)]
    ended = end(store, orders[1])
    assert store.newest(2) == [orders[2], ended]
    assert (len(store), list(store)) == (3, [orders[0], ended, orders[2]])


def test_what_is_over_is_forgotten_and_its_client_id_is_free_again(store: OrderStore) -> None:
    """Of the time before that, and nothing that is open or younger."""
    kept, over, at_the_border = put(store, 1), put(store, 2), put(store, 3)
    end(store, over)
    late = end(store, at_the_border)
    store.forget(3)
    assert list(store) == [kept, late]
    store.admit("kb2")
    for name in ("kb1", "kb3"):
        with pytest.raises(RequestRefused):
            store.admit(name)
