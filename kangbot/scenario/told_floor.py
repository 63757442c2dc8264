"""The floor, with a judge who hears what an edit of the configuration changes there, and counts it by its kind."""

from collections.abc import Sequence
from typing import Any

from kangbot.market.floor import Floor
from kangbot.market.spec import MarketSpec
from kangbot.market.task import MarketTask
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.sim.proof.invariants import Invariants
from kangbot.sim.world.process import Process


class ToldFloor(Floor):
    """The floor of one life. What a dead process does is told to nobody."""

    def __init__(self, check: Invariants, process: Process, **named: Any) -> None:
        super().__init__(**named)
        self._check = check
        self._process = process

    def change(
        self,
        *,
        joins: Sequence[tuple[MarketSpec, Instrument | None]],
        leaves: Sequence[MarketId],
        changes: Sequence[MarketSpec],
        caller: str,
    ) -> None:
        """Change as the floor does, once the judge has heard of it."""
        if not self._process.alive:
            return
        for market in leaves:
            self._leaves(self.markets[market])
        for spec in changes:
            self._changes(self.markets[spec.market], spec)
        self._check.deeds["market_back"] += sum(instrument is None for _, instrument in joins)
        told = self._check.targets.edited
        super().change(
            joins=[(told(spec), instrument) for spec, instrument in joins],
            leaves=leaves,
            changes=[told(spec) for spec in changes],
            caller=caller,
        )

    def _leaves(self, task: MarketTask) -> None:
        deeds, executor = self._check.deeds, task.desk.executor
        deeds["market_left"] += 1
        deeds["market_left_holding"] += task.desk.holds
        deeds["market_left_in_flight"] += bool(executor.orders)

    def _changes(self, task: MarketTask, spec: MarketSpec) -> None:
        deeds, before = self._check.deeds, task.wanted
        busy = task.desk.holds or bool(task.desk.executor.orders)
        deeds["market_decides_otherwise"] += not before.decides_as(spec)
        deeds["market_resized"] += before.size != spec.size
        deeds["market_resized_busy"] += before.size != spec.size and busy
        deeds["market_levered"] += before.leverage != spec.leverage
        deeds["market_orders_otherwise"] += before.style != spec.style
