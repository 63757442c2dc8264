"""Ids of the venue: in the shape of a UUID, the same again for one seed, and nobody else's."""

from itertools import product
from uuid import UUID

from kangbot.sim.exchange.ids import Ids
from tests.support.sim_bench import START_NS


def test_an_id_has_the_shape_of_a_uuid() -> None:
    """Libraries read them as such; a prefix becomes one by twelve digits of a count."""
    ids = Ids(b"seed", START_NS)
    for text in (ids.next("order"), ids.next("execution"), f"{ids.prefix('bybit:BTC-USDT')}-{255:012x}"):
        assert (str(UUID(text)), UUID(text).version) == (text, 5)


def test_one_seed_and_start_give_the_same_ids() -> None:
    """Each kind is counted for itself: how many orders there were says nothing of executions."""
    first, second = Ids(b"seed", START_NS), Ids(b"seed", START_NS)
    orders = [first.next("order") for _ in range(3)]
    executions = [first.next("execution") for _ in range(3)]
    assert [second.next("execution") for _ in range(3)] == executions
    assert [second.next("order") for _ in range(3)] == orders
    assert first.prefix("a") == second.prefix("a") == first.prefix("a")


def test_no_two_ids_are_the_same() -> None:
    """Of one venue or of two, of one kind or of another, however many; a start before the epoch is one as well."""
    made = [
        ids.next(kind)
        for ids in (Ids(seed, start_ns) for seed, start_ns in product((b"one", b"two"), (START_NS, START_NS + 1, -1)))
        for kind in ("order", "execution")
        for _ in range(300)
    ]
    assert len(set(made)) == len(made)


def test_prefixes_differ_by_their_names_and_by_their_venues() -> None:
    """Trades of two markets have no id in common."""
    prefixes = {ids.prefix(name) for ids in (Ids(b"one", 1), Ids(b"two", 1), Ids(b"one", 2)) for name in ("a", "b")}
    assert len(prefixes) == 6
