"""What people do in a session: commands to markets, and the kill switch."""

import asyncio
from collections.abc import Callable

from kangbot.machines.killswitch import Wish
from kangbot.market.roster import Command, UnknownMarketError
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.orders import Purpose
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.life import Life
from kangbot.scenario.plan import Plan, Switch
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.invariants import Invariants
from kangbot.sim.proof.trace import Trace

_AGAIN_S = 3.0  # how soon somebody tries again what the daemon was not there for
_KILLED_NS = 32 * SECOND_NS  # of calm: what the kill switch withdraws and closes is gone by then


class People:
    """Those of one session. `alive` returns the daemon's life while it has one; `now_ns` is since the start."""

    def __init__(
        self,
        *,
        plan: Plan,
        engine: SimVenue,
        invariants: Invariants,
        trace: Trace,
        alive: Callable[[], Life | None],
        now_ns: Callable[[], int],
    ) -> None:
        self.calm_since_ns = 0  # no more faults, and the daemon is up; 0 for not yet
        self._plan = plan
        self._engine = engine
        self._invariants = invariants
        self._trace = trace
        self._alive = alive
        self._now_ns = now_ns
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """Have everything done at its time."""
        for order in self._plan.orders:
            self._loop.call_later(order.at_ns / 1e9, self._command, order.market, order.command)
        if (switch := self._plan.switch) is not None:
            self._loop.call_later(switch.at_ns / 1e9, self._kill, switch)

    def _command(self, market: MarketId, command: Command) -> None:
        life = self._alive()
        if life is None or life.roster is None:
            return
        self._trace.note(self._now_ns(), "operator", f"{command.value} {market}")
        try:
            life.roster.command(market, command, "operator")
        except UnknownMarketError:
            return  # it has not opened yet

    # ----------------------------------------------------------------------------------------------------- kill switch
    def _kill(self, switch: Switch) -> None:
        """Set it, once somebody is there to hear of it."""
        life = self._alive()
        if life is None or life.roster is None:
            self._loop.call_later(_AGAIN_S, self._kill, switch)
            return
        self._trace.note(self._now_ns(), "operator", f"kills{' and flattens' if switch.flatten else ''}")
        if switch.by_file:
            self._invariants.deeds["kill_by_file"] += 1
        life.kill(Wish(reason="a person wants to look", flatten=switch.flatten), by_file=switch.by_file)
        over_ns = self._plan.calm_ns if switch.release_ns is None else switch.release_ns
        self._loop.call_later(max(_AGAIN_S, (over_ns - self._now_ns()) / 1e9), self._release, switch)

    def _release(self, switch: Switch) -> None:
        """Release it, again and again until it is."""
        life, killing = self._alive(), self._invariants.killing
        ready = switch.release_ns is not None or (
            self.calm_since_ns and self._now_ns() > self.calm_since_ns + _KILLED_NS
        )
        if ready and life is not None and life.roster is not None:
            if not killing.set:
                return
            if switch.release_ns is None:
                self._look_at_killed()
            self._trace.note(self._now_ns(), "operator", "releases the kill switch")
            life.release(by_file=switch.by_file)
        self._loop.call_later(_AGAIN_S, self._release, switch)

    def _look_at_killed(self) -> None:
        """Hold the venue against a switch that has been set for half a minute without faults."""
        check = self._invariants
        for order in self._engine.orders.open():
            intent = check.intents.get(ClientId(order.request.client_id))
            if intent is not None and intent.purpose is Purpose.ENTRY:
                check.fail("kill", f"entry {intent.client_id} rests while the kill switch is set")
        if not check.killing.flatten:
            return
        check.deeds["kill_flat"] += 1
        for market in self._engine.account.open_markets():
            held = self._engine.account.holding(market).net
            check.fail("kill", f"{market} holds {held} while the kill switch is set to flatten")
