"""Ask, and end in time whatever the resolver does.

A name is looked up in a thread, by a call that nothing can end. asyncio waits for its threads before a loop is closed,
and Python before a process ends: with a resolver that hangs, a command would stand for minutes behind its own answer.
Here the threads are nobody's to wait for; the end of the process is theirs.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` as asyncio.run does, and leave threads behind that have not ended."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(_Unawaited())
        return runner.run(main)


class _Unawaited(ThreadPoolExecutor):
    """Each call in a daemon thread of its own; asyncio takes no other class than a pool of threads."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 -- whoever asked is told
                    future.set_exception(error)

        Thread(target=work, name="unawaited", daemon=True).start()
        return future
