"""The demo's mischief: when it strikes, with what, and that the exchange knows every piece of it."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
import pytest

from kangbot.cli.demo.chaos import _FAULTS, Chaos
from kangbot.sandbox.faults import Fault


class Struck:
    """An exchange and a daemon that note what is done to them."""

    def __init__(self) -> None:
        self.faults: list[Mapping[str, object]] = []
        self.kills = 0

    def fault(self, fault: Mapping[str, object]) -> None:
        self.faults.append(fault)

    def kill(self) -> None:
        self.kills += 1


def played(seed: int, seconds: int) -> tuple[list[tuple[int, str]], Struck]:
    """Return what was done at which second, and to whom."""
    struck: Any = Struck()
    chaos = Chaos(Random(seed), struck)
    done = [(at, chaos.strike(float(at), struck)) for at in range(seconds)]
    return [(at, words) for at, words in done if words], struck


def test_it_strikes_every_eight_seconds_and_kills_the_daemon_once() -> None:
    """Markets have had time to trade before; the second strike is another one, so that there is something to lose."""
    done, struck = played(1, 60)
    assert [at for at, _ in done] == [10, 18, 26, 34, 42, 50, 58]
    assert [at for at, words in done if words == "the daemon is killed"] == [26]
    assert (struck.kills, len(struck.faults)) == (1, 6)


def test_a_seed_is_a_story() -> None:
    """The same again, and another for another."""
    assert played(1, 120)[0] == played(1, 120)[0] != played(2, 120)[0]
    assert {words for words, _ in _FAULTS} < {words for _, words in played(1, 2000)[0]}


@pytest.mark.parametrize("fault", [fault for _, fault in _FAULTS])
def test_the_exchange_knows_every_fault(fault: Mapping[str, object]) -> None:
    """To the last of its fields: one that it does not know would be passed over."""
    known = msgspec.convert(dict(fault), type=Fault)
    assert fault.items() <= {"fault": fault["fault"], **msgspec.to_builtins(known)}.items()
