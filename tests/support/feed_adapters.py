"""Every adapter of `ports.Feeds`: how its bench is opened, and what a suite cannot ask of it, with the reason.

What is not named as lacking is asked: an adapter that can do less than it says here fails.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum, auto
from typing import NamedTuple

from tests.support.feed_bench import Bench, binance_usdm, bybit, paper, simulation


class Trait(Enum):
    """What an adapter has beyond public data; each has a suite of its own."""

    ACCOUNT = auto()  # the account's stream
    ACCOUNT_CONNECTION = auto()  # and a connection under it that can break
    DENIAL = auto()  # a venue that says no to a subscription


class Adapter(NamedTuple):
    """One adapter. `virtual`: its bench stands in virtual time."""

    open: Callable[[], AbstractAsyncContextManager[Bench]]
    virtual: bool
    lacks: Mapping[Trait, str]


ADAPTERS: Mapping[str, Adapter] = {
    "binance_usdm": Adapter(
        binance_usdm,
        virtual=False,
        lacks={
            Trait.ACCOUNT: "its dialect speaks of public data only: orders there are on paper",
            Trait.ACCOUNT_CONNECTION: "likewise",
            Trait.DENIAL: "Binance acknowledges streams that do not exist; that they stay mute is what is noticed",
        },
    ),
    "bybit": Adapter(bybit, virtual=False, lacks={}),
    "paper": Adapter(
        paper,
        virtual=False,
        lacks={Trait.ACCOUNT_CONNECTION: "the account is an object of this process: nothing between can break"},
    ),
    "simulation": Adapter(
        simulation,
        virtual=True,
        lacks={Trait.DENIAL: "a scenario trades what its venue lists, and no fault of a plan unlists it"},
    ),
}


def adapters(trait: Trait | None, *, virtual: bool) -> list[str]:
    """Return the names of those with the trait (None: all) whose bench stands in that time."""
    return [name for name, one in sorted(ADAPTERS.items()) if one.virtual is virtual and trait not in one.lacks]
