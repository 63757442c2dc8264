"""A session of the simulated world in which nobody does anything and nothing goes wrong, until a test says so."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kangbot.model.events import RunState
from kangbot.model.ids import MarketId
from kangbot.ports import IdRule
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario.hush import hushed
from kangbot.scenario.life import Life
from kangbot.scenario.plan import Options, Plan, plan_of
from kangbot.scenario.session import Session
from kangbot.sim.world.loop import run


def quiet(seed: int = 1, *, markets: int = 2, **changes: Any) -> Plan:
    """Return the plan of that seed without people and faults; `changes` are what happens instead."""
    drawn = plan_of(seed, random.Random(seed), Options(minutes=5, markets=markets, kinds=()))
    alone: dict[str, Any] = {
        "orders": (),
        "dooms": (),
        "switch": None,
        "hands": (),
        "rulings": (),
        "moves": (),
        "resets_ns": (),
        "takes_ns": (),
        "begun": None,
        "edits": (),
        "stash": {},
        "id_rule": IdRule.FOR_EVER,
        "drift_ppm": 0,
        "compact_s": None,
    }
    return msgspec.structs.replace(drawn, **{**alone, **changes})


class Scene(Session):
    """A session that is played as far as a test wants."""

    def begin(self) -> None:
        """Let the venue move, the daemon start, and what the plan has come at its times."""
        self._outside.pump.start()
        self._start()
        self._mishaps.begin()
        self._people.begin()

    @property
    def life(self) -> Life:
        """The daemon's life; there is one."""
        assert self._alive is not None
        return self._alive

    @property
    def up(self) -> bool:
        """Whether there is a daemon."""
        return self._alive is not None

    @property
    def markets(self) -> list[MarketId]:
        """The plan's markets."""
        return [market.market for market in self.plan.markets]

    async def at(self, second: float) -> None:
        """Let time pass until then, from the start on."""
        await asyncio.sleep(max(0.0, second - self.now_ns() / SECOND_NS))

    async def live(self) -> None:
        """Let every market go live."""
        async with asyncio.timeout(120):
            while (roster := self.life.roster) is None or roster.count(RunState.LIVE) < len(self.plan.markets):
                await asyncio.sleep(0.1)

    def die(self, away_s: float = 5.0) -> None:
        """Have the process die, and another one start so much later."""
        self._mishaps.away_ns = int(away_s * SECOND_NS)
        self.life.process.die()

    def noted(self, source: str) -> list[str]:
        """Return what the trace has of whoever that is, with its second."""
        lines = [line.split(maxsplit=2) for line in self.trace.timeline()]
        return [f"{float(at_s):g} {words}" for at_s, who, words in lines if who == source]


def play(plan: Plan, story: Callable[[Scene], Awaitable[None]]) -> Scene:
    """Run `story` in the session of that plan, in virtual time, and return the session when it is over."""

    async def main() -> Scene:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("session")
        scene = Scene(plan)
        with hushed(scene.fell):
            scene.begin()
            try:
                await story(scene)
            finally:
                scene.end()
                await asyncio.sleep(0)
        return scene

    return run(main())
