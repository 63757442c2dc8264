"""When a question that failed may be put once more.

Each market has its own backoff. Where the venue is away for everybody, one probe asks for all of them, and `Circuits`
answers this for whoever would otherwise find out alone.
"""

from collections.abc import Awaitable, Callable

Again = Callable[[], Awaitable[None]]  # awaited between a failure and the next try; returns when that may leave


async def at_once() -> None:
    """Wait for nobody: where there is no one to ask for all."""
