"""What hosts' names lead to: one lookup of each at a time, whose answer counts however late it comes.

A resolver may take longer than anybody waits for a connection: a first name server that is away costs each lookup five
seconds and more. Were the lookup given up with the wait, no answer would ever be known. So a lookup goes on when who
asked has gone, and its answer is kept: the next one to ask has it once the resolver has been silent for a while.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, NamedTuple, TypeVar

from kangbot.runtime.tasks import Tasks

T = TypeVar("T")

_SILENT_S = 1.8  # until the last answer stands in for the one that does not come: RFC 8767, 5


class Found(NamedTuple, Generic[T]):
    """Where a name leads, and whether the resolver says so now."""

    answer: T
    now: bool


class Names(Generic[T]):
    """The names that one owner looks up by `look`, which is given a host and a port. Belongs to the loop that asks."""

    def __init__(self, owner: str, look: Callable[[str, int], Coroutine[Any, Any, T]]) -> None:
        self._look = look
        self._known: dict[tuple[str, int], T] = {}
        self._lookups: dict[tuple[str, int], asyncio.Task[T | Exception]] = {}
        self._tasks = Tasks(f"names/{owner}", lambda _name, _error: None)  # a lookup hands its errors on

    async def find(self, host: str, port: int) -> Found[T]:
        """Return what the resolver answers, or what it answered last where it is silent; what it raises.

        Waits for as long as the resolver takes where nothing is known yet.
        """
        key = (host, port)
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = self._tasks.spawn(host, self._ask(key))
        try:
            async with asyncio.timeout(_SILENT_S if key in self._known else None):
                answer = await asyncio.shield(lookup)
        except TimeoutError:
            return Found(self._known[key], now=False)
        if isinstance(answer, Exception):
            raise answer
        return Found(answer, now=True)

    async def aclose(self) -> None:
        """Wait for no lookup any more. Safe to call twice."""
        await self._tasks.aclose()

    async def _ask(self, key: tuple[str, int]) -> T | Exception:
        """Return the error in place of raising it: nobody may be there to hear it."""
        try:
            answer = self._known[key] = await self._look(*key)
        except Exception as error:  # noqa: BLE001 -- handed whole to whoever asks
            return error
        finally:
            del self._lookups[key]
        return answer
