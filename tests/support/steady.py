"""When the machine stood still while a test measured: what a daemon owes within seconds it owes from then on anew."""

import threading
import time
from types import TracebackType
from typing import Self

_LOOKS_S = 0.05
_LATE_S = 0.25  # a look that comes so late says that nothing ran meanwhile


class Steady:
    """Looks at the clock all the while between `with` and its end."""

    def __init__(self) -> None:
        self._on_s: list[float] = []  # when it went on, by the epoch
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="steady", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        due_s = time.monotonic() + _LOOKS_S
        while not self._over.wait(_LOOKS_S):
            if time.monotonic() > due_s + _LATE_S:
                self._on_s.append(time.time())
            due_s = time.monotonic() + _LOOKS_S

    def stood(self, until_s: float, within_s: float) -> bool:
        """Return whether the machine stood still, and went on so shortly before `until_s`."""
        return any(until_s - within_s < on_s <= until_s for on_s in self._on_s)

    def since(self, begun_s: float, until_s: float) -> float:
        """Return for how long the machine ran on end before `until_s`, at most since `begun_s`."""
        return until_s - max([begun_s, *(on_s for on_s in self._on_s if begun_s < on_s <= until_s)])
