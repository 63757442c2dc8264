"""What the kill switch promises, and whether it kept it.

From the call on that sets it no entry leaves for the first time, and from the next turn of the loop none leaves at all.
Once its caller has been answered, or its file is there, every later life begins with it set, until somebody releases
it. What became of resting entries and of positions needs an end of the faults: `kangbot/scenario/`.
"""

from collections import Counter
from collections.abc import Callable

from kangbot.model.orders import Intent, Purpose


class KillWatch:
    """Watches one session's switch. `fail(what)` is told of a promise that was broken; `deeds` counts what happened."""

    def __init__(self, fail: Callable[[str], None], deeds: Counter[str]) -> None:
        self.set = False  # in the life that runs
        self.settled = False  # every market has had its turn since
        self.flatten = False
        self._kept = False  # a later life must find it
        self._was_set = False
        self._fail = fail
        self._deeds = deeds

    # ------------------------------------------------------------------------------------------------------ by session
    def keeps(self) -> None:
        """Learn that it is on disk, as the caller was told, or by the caller's own hand."""
        self._kept = True

    def gives_up(self) -> None:
        """Learn that somebody wants it released: from here on a restart may find it or not."""
        self._kept = False

    def changed(self, killed: str, *, flatten: bool) -> None:
        """Learn in the moment of it that it was set, widened or released."""
        if killed and not self.set:
            self._deeds["kill_set"] += 1
        if killed and flatten and not self.flatten:
            self._deeds["kill_flatten"] += 1
        if self.set and not killed:
            self._released()
        self.set, self.flatten = bool(killed), flatten
        self.settled = False

    def turned(self) -> None:
        """Learn that every market has had its turn."""
        self.settled = self.set

    def resumed(self, killed: str, *, flatten: bool) -> None:
        """Learn how a new life finds it."""
        if self._kept and not killed:
            self._fail("the kill switch was set and kept, and a restart has forgotten it")
        if self._kept and self.flatten and not flatten:
            self._fail("the kill switch was to flatten, and a restart has forgotten that")
        if killed:
            self._deeds["kill_survived_restart"] += 1
        elif self.set:
            self._released()
        self.set = self.settled = bool(killed)
        self.flatten = flatten

    def sends(self, intent: Intent, *, again: bool) -> None:
        """Learn that an order leaves; `again`: not for the first time."""
        if intent.purpose is not Purpose.ENTRY:
            return
        if self.set and (self.settled or not again):
            self._fail(f"entry {intent.client_id} leaves while the kill switch is set")
        elif self._was_set and not self.set:
            self._deeds["entry_after_release"] += 1

    def _released(self) -> None:
        self._deeds["kill_released"] += 1
        self._was_set = True
