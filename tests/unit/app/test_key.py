"""The key's daily look, on virtual time: what is told, once, and when."""

import asyncio

from kangbot.app.key import KeyWatch
from kangbot.errors import NeedsHuman, Retryable
from kangbot.execution.budget import Budget
from kangbot.machines.limiter import Window
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.sim.world.loop import VirtualLoop, run
from kangbot.venues.bybit.rights import KeyRights

DAY_S = 86_400


class Key:
    """A key of Bybit's that ends on the twentieth day."""

    def __init__(self) -> None:
        self.withdraws = False
        self.addresses: tuple[str, ...] = ()
        self.expires_ns: int | None = 20 * DAY_S * SECOND_NS
        self.away = False
        self.silent = 0  # times
        self.asked = 0

    async def rights(self) -> KeyRights:
        self.asked += 1
        if self.away:
            raise NeedsHuman("the key has ended", remedy="renew it")
        if self.asked <= self.silent:
            raise Retryable("bybit was not reached")
        return KeyRights(
            reads_only=False,
            contracts=True,
            spot=True,
            withdraws=self.withdraws,
            transfers=False,
            addresses=self.addresses,
            expires_ns=self.expires_ns,
        )


def watched(key: Key, *, days: int) -> list[tuple[str, int]]:
    """Return what was told within so many days, with the day."""
    told: list[tuple[str, int]] = []
    fallen: list[BaseException] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = Clock(monotonic_ns=lambda: loop.now_ns, anchor_ns=0)

        def note(kind: str, severity: Severity, market: MarketId | None, text: str) -> None:
            loud = Severity.CRITICAL if kind == "key.withdraws" else Severity.ERROR
            assert (severity, market) == (loud, None)
            assert text
            told.append((kind, clock.now_ns() // (DAY_S * SECOND_NS)))

        budget = Budget(clock=clock, venue="bybit", windows=(Window(most=10, span_ns=SECOND_NS),))
        tasks = Tasks("key", lambda _name, error: fallen.append(error))
        tasks.spawn("key", KeyWatch(clock=clock, rights=key.rights, budget=budget, note=note).run())
        await asyncio.sleep(days * DAY_S)
        await tasks.aclose()

    run(main())
    assert fallen == []
    return told


def test_a_key_that_ends_is_told_of_in_time_and_thrice() -> None:
    """Two weeks before, three days before, on the last day; not on each of the days between."""
    assert watched(Key(), days=25) == [("key.expires", 6), ("key.expires", 17), ("key.expires", 19)]


def test_a_bound_key_and_one_without_a_day_do_not_end() -> None:
    """Bybit tells a day for a bound key, too, and it has none."""
    bound, endless = Key(), Key()
    bound.addresses, endless.expires_ns = ("192.0.2.1",), None
    assert watched(bound, days=25) == watched(endless, days=25) == []


def test_a_key_that_may_withdraw_is_told_of_once() -> None:
    """However long it may."""
    key = Key()
    key.withdraws, key.expires_ns = True, None
    assert watched(key, days=5) == [("key.withdraws", 0)]
    assert key.asked == 5


def test_a_key_that_is_not_taken_is_asked_again_and_told_of_by_others() -> None:
    """The account's questions and the orders say so at once."""
    key = Key()
    key.away = True
    assert watched(key, days=3) == []
    assert key.asked == 3


def test_a_venue_that_does_not_answer_at_the_start_hides_no_key_for_a_day() -> None:
    """It is asked again within hours: what the key may do, or that it ends tomorrow, is to be told in time."""
    key = Key()
    key.withdraws, key.expires_ns, key.silent = True, None, 3
    assert watched(key, days=1) == [("key.withdraws", 0)]
    assert key.asked == 4
