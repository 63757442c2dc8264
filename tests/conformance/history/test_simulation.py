"""The suite of storing in virtual time, and what that adapter alone can show: a history that comes and goes."""

# ruff: noqa: F403 -- whatever a suite asks is asked here too, what is added to it included

import random

import pytest

from kangbot.errors import Retryable
from kangbot.sim.world.faults import Faults, Kind
from kangbot.sim.world.history import SimHistory
from tests.conformance.history.test_store import *
from tests.support.records import TAG, noted, records

pytestmark = pytest.mark.virtual_time


async def test_after_a_failure_the_same_records_may_be_sent_again() -> None:
    """Before it stored or after it: nothing is certain, and nothing is lost or doubled."""
    faults = Faults(random.Random(1))
    history, everything = SimHistory(faults), records([noted(number) for number in range(1, 8)])
    for _ in range(20):
        faults.begin(Kind.HISTORY_AWAY, 1.0)
        with pytest.raises(Retryable):
            await history.store(everything)
        faults.end(Kind.HISTORY_AWAY)
    await history.store(everything)
    assert (await history.stored(TAG), history.conflicts) == (7, 0)
