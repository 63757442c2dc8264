"""A history in memory that can be away, and can fail after it has stored as well as before."""

import asyncio
from collections.abc import Sequence

from kangbot.errors import Retryable
from kangbot.model.events import Record
from kangbot.sim.world.faults import Faults, Kind

_STORE_S = (0.002, 0.02)
_HANGS_S = 5.0


class SimHistory:
    """Implements `ports.History`; outlives processes. `rows` are the records by sequence."""

    def __init__(self, faults: Faults) -> None:
        self.rows: dict[int, Record] = {}
        self.conflicts = 0  # records that came again with another content
        self._faults = faults

    async def stored(self, journal: str) -> int:  # noqa: ARG002 -- the port's signature: there is one journal here
        """Return the highest sequence that is stored."""
        await self._maybe_away()
        return max(self.rows, default=0)

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:  # noqa: ARG002 -- as above
        """Return records after that one; what was just answered is answered again."""
        return [self.rows[sequence] for sequence in sorted(self.rows) if sequence > after][:limit]

    async def store(self, records: Sequence[Record]) -> None:
        """Store the records by their event id."""
        before = self._faults.rng.random() < 0.5
        if before:
            await self._maybe_away()
        else:
            await asyncio.sleep(self._faults.rng.uniform(*_STORE_S))
        for record in records:
            self.conflicts += self.rows.setdefault(record.sequence, record) != record
        if not before:
            await self._maybe_away()

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _maybe_away(self) -> None:
        if not self._faults.strikes(Kind.HISTORY_AWAY):
            await asyncio.sleep(self._faults.rng.uniform(*_STORE_S))
            return
        if self._faults.rng.random() < 0.3:
            await asyncio.sleep(_HANGS_S)
        raise Retryable("the history is away")
