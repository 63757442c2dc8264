"""How many events of each kind were written to the journal: since start, and within the last quarter of an hour.

A note counts by its own kind, any other event by the kind of its record. Each is counted as it is queued, which is one
entry of a dictionary; the kind's name is found when somebody looks. What is kept is bounded, however many kinds come.
"""

from collections import deque
from collections.abc import Mapping

from kangbot.health.report import EventReport
from kangbot.health.rolling import MINUTES
from kangbot.model.events import Event, Noted

MOST_KINDS = 200  # several times as many as there are
OTHER = "other"

_Key = str | type[Event]


class EventCounts:
    """Hears of every event of the journal; `sample` is called once a minute."""

    def __init__(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._samples: deque[Mapping[_Key, int]] = deque([{}], maxlen=MINUTES + 1)

    def observe(self, event: Event) -> None:
        """Count an event."""
        key: _Key = event.kind if isinstance(event, Noted) else type(event)
        if key not in self._counts and len(self._counts) >= MOST_KINDS:
            key = OTHER
        self._counts[key] = self._counts.get(key, 0) + 1

    def sample(self) -> None:
        """Remember where the counts are."""
        self._samples.append(self._counts.copy())

    def reports(self) -> list[EventReport]:
        """Return each kind that was met, what came most of late first."""
        before = self._samples[0]
        met = [
            EventReport(kind=_name(key), recent=total - before.get(key, 0), total=total)
            for key, total in self._counts.items()
        ]
        return sorted(met, key=lambda one: (-one.recent, one.kind))


def _name(key: _Key) -> str:
    return key if isinstance(key, str) else str(key.__struct_config__.tag)
