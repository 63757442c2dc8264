"""What must never die: each has a count of what it has done, and says whether work waits for it.

The counts are plain integers that their owners keep anyway, so nothing is added to the path of an order. They are read
when somebody looks: the beat that feeds the watchdogs, and `GET /live`. What is stuck is `machines/progress.py`.
"""

from collections.abc import Callable

from kangbot.machines.progress import Progress

_SECOND_NS = 1_000_000_000


def _always() -> bool:
    return True


class Vitals:
    """The vital parts by name. Neither looking nor beating raises, waits or logs."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._beats: dict[str, int] = {}
        self._sources: dict[str, tuple[Callable[[], int], Callable[[], bool]]] = {}

    def register(
        self,
        name: str,
        bound_s: float,
        *,
        done: Callable[[], int] | None = None,
        waiting: Callable[[], bool] = _always,
    ) -> None:
        """Watch `name`: stuck is what does nothing for `bound_s` seconds while work waits.

        `done` counts what was done; without it, `beat` does. `waiting` tells whether there is work; by default always.
        """
        self._beats[name] = 0
        self._sources[name] = (done or (lambda: self._beats[name]), waiting)
        self._progress[name] = Progress(bound_ns=int(bound_s * _SECOND_NS))

    def beat(self, name: str) -> None:
        """Count one piece of work of `name` as done."""
        self._beats[name] += 1

    def stuck(self, now_ns: int) -> str:
        """Look at all, and return which are stuck and for how long; "" where none is."""
        for name, (done, waiting) in self._sources.items():
            self._progress[name] = self._progress[name].looked(done(), now_ns, waiting=waiting())
        stuck = [(name, one.waited_ns // _SECOND_NS) for name, one in self._progress.items() if one.stuck]
        return ", ".join(f"{name} for {waited_s} s" for name, waited_s in stuck)
