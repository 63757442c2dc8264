"""Holds what a start makes of a compacted journal against the fold of every record there ever was."""

from kangbot.journal.replay import Others, checkpoint_of
from kangbot.machines.memory import Memory, Recollection
from kangbot.sim.world.disk import Disk


class Recovery:
    """One session's judge, which has kept all records. `others` remember by the journal beside it, and are new."""

    def __init__(self, disk: Disk, others: Others) -> None:
        self._disk = disk
        self._others = others
        self._whole = Recollection()
        self._last = 0

    def wrong(self, memory: Memory, others: Others) -> str:
        """Return how what a start has come to differs from what it must; "" where it does not."""
        for sequence in range(self._last + 1, self._disk.last + 1):
            record = self._disk.record(sequence)
            self._whole.add(record)
            for other in self._others.values():
                other.observe(record.event)
        self._last = self._disk.last
        wanted, found = checkpoint_of(self._whole.memory(), self._others), checkpoint_of(memory, others)
        if wanted == found:
            return ""
        wrong = [name for name, state in wanted.states.items() if found.states[name] != state]
        return f"the checkpoint at {self._disk.floor} comes to another {' and '.join(wrong) or 'end'} than its records"
