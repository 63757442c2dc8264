"""Every adapter of `ports.Venue`: how its bench is opened, and what a suite cannot ask of it, with the reason.

What is not named as lacking is asked: an adapter that can do less than it says here fails.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum, auto
from typing import NamedTuple

from tests.support.venue_bench import Bench, bybit, paper
from tests.support.venue_sim_bench import simulation


class Trait(Enum):
    """What an adapter has beyond the port itself; each has a suite of its own."""

    MOVED = auto()  # its owner moves money into the account and out of it: `MovingBench`
    NETWORK = auto()  # requests may be lost, answers too: `RemoteBench`
    WIRE = auto()  # an address, connections, and a key that requests are signed with: `WireBench`


class Adapter(NamedTuple):
    """One adapter. `virtual`: its bench stands in virtual time."""

    open: Callable[[], AbstractAsyncContextManager[Bench]]
    virtual: bool
    lacks: Mapping[Trait, str]


ADAPTERS: Mapping[str, Adapter] = {
    "bybit": Adapter(bybit, virtual=False, lacks={}),
    "paper": Adapter(
        paper,
        virtual=False,
        lacks={
            Trait.MOVED: "its balance is what the configuration says; another one is told by `modes/past.py`",
            Trait.NETWORK: "the account is an object of this process: a request arrives, and its answer is there",
            Trait.WIRE: "it holds no key and opens no connection; those for market data are the real venue's adapter's",
        },
    ),
    "simulation": Adapter(
        simulation,
        virtual=True,
        lacks={
            Trait.WIRE: "in virtual time there are no sockets; whoever holds the port trades, so that no key is checked"
        },
    ),
}


def adapters(trait: Trait | None, *, virtual: bool) -> list[str]:
    """Return the names of those with the trait (None: all) whose bench stands in that time."""
    return [name for name, one in sorted(ADAPTERS.items()) if one.virtual is virtual and trait not in one.lacks]
