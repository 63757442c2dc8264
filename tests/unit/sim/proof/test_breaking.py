"""What is held against the breakers."""

import asyncio
from collections import Counter

import msgspec
import pytest

from kangbot.errors import Refused, Retryable
from kangbot.machines.breaker import BreakerTerms
from kangbot.machines.breakers import Breakers
from kangbot.model.events import BreakerChanged, BreakerState, Lane
from kangbot.model.orders import Purpose
from kangbot.sim.proof.breaking import BreakerWatch
from tests.support.trade_words import MARKET, intent

BTC = MARKET
OPENED = BreakerChanged(
    market=BTC,
    lane=Lane.ENTRY,
    before=BreakerState.CLOSED,
    after=BreakerState.OPEN,
    until_ns=9,
    trips=1,
    cause="a test",
    at_ns=1,
)


class Story:
    """A watch, and what it objected to."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.said: list[str] = []
        self.deeds: Counter[str] = Counter()
        terms = BreakerTerms(in_a_row=2, row_within_ns=10)
        self.watch = BreakerWatch(terms, lambda: self.now_ns, self.said.append, self.deeds)

    def ends(self, error: Exception) -> None:
        """Have a call end so."""

        async def call() -> None:
            raise error

        with pytest.raises(type(error)):
            asyncio.run(self.watch.watch(BTC, Lane.ENTRY, call()))


def test_refusals_open_no_breaker() -> None:
    """They are answers of a venue that is there."""
    story = Story()
    for _ in range(3):
        story.ends(Refused("no funds"))
    story.watch.changed(OPENED)
    assert len(story.said) == 1
    assert story.deeds == {"venue_refused": 3, "breaker_open": 1}


def test_enough_failures_open_one_unless_they_are_old() -> None:
    """Of that very lane."""
    story = Story()
    for _ in range(2):
        story.ends(Retryable("away"))
    story.watch.changed(OPENED)
    assert story.said == []
    story.now_ns = 60 * 10**9
    story.watch.changed(OPENED)
    assert len(story.said) == 1


def test_a_restart_forgets_no_open_breaker() -> None:
    """No entry leaves before it has closed in the new life; one that was open in a life before says nothing there."""
    story = Story()
    story.watch.changed(OPENED)
    story.said.clear()
    story.watch.sends(intent(1), Breakers())
    assert story.said == []  # it is of this life, whose breakers are asked themselves
    story.watch.begins()
    story.watch.sends(intent(1, purpose=Purpose.EXIT), Breakers())
    assert story.said == []
    story.watch.sends(intent(1), Breakers())
    assert [words.split(", and ")[1] for words in story.said] == [
        "a restart has forgotten that the entry lane was open"
    ]
    closed = msgspec.structs.replace(OPENED, before=BreakerState.OPEN, after=BreakerState.CLOSED)
    story.watch.announced(closed)
    story.watch.sends(intent(1), Breakers())
    assert len(story.said) == 1
    story.watch.changed(closed)
    story.watch.begins()
    story.watch.sends(intent(1), Breakers())
    assert (len(story.said), story.deeds["breaker_open_at_start"]) == (1, 1)
