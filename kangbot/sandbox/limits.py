"""Requests a second and endpoint, counted in a rolling window."""

from collections import deque

import msgspec

_WINDOW_MS = 1000


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an endpoint's budget."""

    limit: int
    left: int  # after this request; -1 where it was one too many
    reset_ms: int  # when the oldest request leaves the window; now where there is something left

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(max(0, self.left)),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class Limits:
    """The windows of every endpoint."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[int]] = {}

    def take(self, name: str, limit: int, now_ms: int, window_ms: int = _WINDOW_MS) -> Allowance:
        """Count one request; one that is too many is not counted."""
        taken = self._taken.setdefault(name, deque())
        while taken and taken[0] <= now_ms - window_ms:
            taken.popleft()
        if len(taken) >= limit:
            return Allowance(limit=limit, left=-1, reset_ms=taken[0] + window_ms)
        taken.append(now_ms)
        return Allowance(limit=limit, left=limit - len(taken), reset_ms=now_ms)
