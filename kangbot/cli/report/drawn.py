"""The points of a plot, few enough for any number of years.

One for each quarter of an hour; where those are more than anybody can see, one for twice as long, and so on. Five years
have 175,000 quarters of an hour, by which a page takes 17 MB and its maker 240 MB; a screen has a thousand columns.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 10_000
_FIRST_NS = 15 * 60 * 1_000_000_000


class Drawn(Generic[T]):
    """Takes points in, newest first, as a history is read; of those in one span `joined(newer, older)` is kept."""

    def __init__(self, joined: Callable[[T, T], T]) -> None:
        self._joined = joined
        self._span_ns = _FIRST_NS
        self._points: dict[int, T] = {}  # by span, the newest first

    def add(self, at_ns: int, point: T) -> None:
        """Take in a point from before the last one."""
        self._put(at_ns // self._span_ns, point)
        if len(self._points) > MOST:
            self._span_ns *= 2
            points, self._points = self._points, {}
            for span, each in points.items():
                self._put(span // 2, each)

    def _put(self, span: int, point: T) -> None:
        newer = self._points.get(span)
        self._points[span] = point if newer is None else self._joined(newer, point)

    def points(self) -> Sequence[T]:
        """Return them, oldest first."""
        return list(self._points.values())[::-1]
