"""What goes wrong in a session, each fault at its time: the network, the venue, the disk, clocks, and the process."""

import asyncio
from collections.abc import Callable

from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.life import Life, Outside
from kangbot.scenario.plan import Doom, Ruling
from kangbot.sim.proof.trace import Trace
from kangbot.sim.world.faults import Fault, Kind
from kangbot.sim.world.venue_time import VenueTime

_DOOM_S = 5.0  # a process that did not pass its spot by then dies where it stands
_CLOCK_S = 0.5  # how wrong the wall clock may be
_VENUE_CLOCKS_S = (-10.0, -6.0, -3.0, -0.1, 0.5, 2.0)  # by how much the clocks of the venue's hosts are off
_AGAIN_NS = SECOND_NS // 2  # how soon a fail-over looks again whether the venue is under load
# Bybit says of its order history that it "may delay" (docs/v5/order/order-list). With the venue's queue that is less
# than the margin after the receive window and the second between two absences.
_LAG_NS = SECOND_NS
_OF_STREAMS = (Kind.PUBLIC_DOWN, Kind.PRIVATE_DOWN, Kind.PARTITION, Kind.HALF_OPEN, Kind.MUTE)


class Mishaps:
    """The faults of one plan. `alive` is the daemon's life while it has one, `now_ns` the time since the start."""

    def __init__(
        self,
        *,
        outside: Outside,
        venue_time: VenueTime,
        trace: Trace,
        alive: Callable[[], Life | None],
        now_ns: Callable[[], int],
    ) -> None:
        self._outside = outside
        self._faults, self._plan = outside.faults, outside.plan
        self._venue_time = venue_time
        self._trace = trace
        self._alive = alive
        self._now_ns = now_ns
        self._loop = asyncio.get_running_loop()
        self._dooms = list(self._plan.dooms)
        self.away_ns = 0  # how long the next death lasts
        self.wrong_ns = 0  # by which the wall clock is wrong

    def begin(self) -> None:
        """Have each fault come at its time."""
        for fault in self._plan.faults:
            self._loop.call_later(fault.at_ns / 1e9, self._strike, fault)
        for ruling in self._plan.rulings:
            self._loop.call_later(ruling.at_ns / 1e9, self._rule, ruling)

    def end(self) -> None:
        """Let everything work again, and the process live."""
        for kind in Kind:
            self._over(kind)
        if (life := self._alive()) is not None:
            life.process.spare()
        self._trace.note(self._now_ns(), "fault", "all over")

    def _rule(self, ruling: Ruling) -> None:
        to = ruling.instrument
        said = f"tick {to.tick}, step {to.step}, least quantity {to.min_quantity} of {to.market} from here on"
        self._trace.note(self._now_ns(), "venue", said)
        self._outside.invariants.deeds["rules_changed"] += 1
        self._outside.front.engine.change_rules(to)

    def _strike(self, fault: Fault) -> None:
        faults, rng = self._faults, self._faults.rng
        said = f"{fault.kind.value} for {fault.for_ns / 1e9:.1f} s, {fault.share:.2f}"
        self._trace.note(self._now_ns(), "fault", said)
        if fault.kind is Kind.CRASH:
            self._doom(self._dooms.pop(0))
            return
        if fault.kind is Kind.VENUE_CLOCK_STEP:
            self._loop.call_later(rng.random() * fault.for_ns / 2e9, self._fail_over, fault)
            return
        if fault.kind is Kind.CLOCK_STEP:
            faults.struck(Kind.CLOCK_STEP)
            self.wrong_ns = int(rng.uniform(-_CLOCK_S, _CLOCK_S) * SECOND_NS)
            return
        faults.begin(fault.kind, fault.share)
        self._strike_streams(fault.kind)
        if fault.kind is Kind.STALE_ANSWERS:
            self._outside.front.lag_ns = _LAG_NS
        self._loop.call_later(fault.for_ns / 1e9, self._over, fault.kind)

    def _over(self, kind: Kind) -> None:
        self._faults.end(kind)
        if kind is Kind.STALE_ANSWERS:
            self._outside.front.lag_ns = 0
        if kind in _OF_STREAMS and (life := self._alive()) is not None:
            life.feeds.heal()

    def _strike_streams(self, kind: Kind) -> None:
        life = self._alive()
        if life is None:
            return
        if kind is Kind.PUBLIC_DOWN:
            self._faults.struck(kind)
            life.feeds.break_public()
        elif kind is Kind.PRIVATE_DOWN:
            self._faults.struck(kind)
            life.feeds.break_private()
        elif kind in (Kind.PARTITION, Kind.HALF_OPEN):
            life.feeds.fall_silent()
        elif kind is Kind.MUTE:
            life.feeds.mute(self._faults.rng.choice(self._plan.markets).market)

    def _fail_over(self, fault: Fault) -> None:
        """Have another of the venue's hosts answer, by a clock of its own; under load, where there is any in time."""
        if not self._outside.network.waiting and self._now_ns() < fault.at_ns + fault.for_ns - _AGAIN_NS:
            self._loop.call_later(_AGAIN_NS / 1e9, self._fail_over, fault)
            return
        off_s = self._faults.rng.choice(_VENUE_CLOCKS_S)
        self._faults.struck(Kind.VENUE_CLOCK_STEP)
        self._trace.note(self._now_ns(), "fault", f"the venue's clock is {off_s:+} s off from here on")
        self._venue_time.fail_over(int(off_s * SECOND_NS))

    def _doom(self, doom: Doom) -> None:
        life = self._alive()
        if life is None or life.process.doomed:
            return
        self._faults.struck(Kind.CRASH)
        self.away_ns = doom.away_ns
        life.process.doom(doom.spot, doom.passes)
        self._loop.call_later(_DOOM_S, life.process.fall_due)
