"""Asking with threads that nobody waits for."""

import asyncio
import threading

import pytest

from kangbot.runtime.unawaited import run


def test_what_a_thread_returns_or_raises_is_what_was_asked_for() -> None:
    """As with threads of asyncio's own."""

    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        with pytest.raises(SystemExit):
            async with asyncio.timeout(300):
                await asyncio.get_running_loop().run_in_executor(None, exit_, 3)
        return await asyncio.to_thread(lambda: 5)

    assert run(ask()) == 5


def exit_(code: int) -> None:
    """End what it runs in."""
    raise SystemExit(code)


def test_what_is_asked_raises_as_it_is() -> None:
    """Its own error is the answer."""

    async def ask() -> None:
        raise KeyError("an answer")

    with pytest.raises(KeyError, match="an answer"):
        run(ask())


def test_the_end_waits_for_no_thread() -> None:
    """Nor does the process: a name that is looked up for minutes stands behind an answer that is there."""
    go, begun, looking = threading.Event(), threading.Event(), list[threading.Thread]()

    def look_up() -> None:
        looking.append(threading.current_thread())
        begun.set()
        go.wait()

    async def ask() -> str:
        asked = asyncio.ensure_future(asyncio.to_thread(look_up))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return "no answer in time"

    assert run(ask()) == "no answer in time"
    (thread,) = looking
    assert thread.is_alive()
    assert thread.daemon
    go.set()
    thread.join()


def test_each_call_has_a_thread_of_its_own() -> None:
    """However many hang, the next one is made."""
    go = threading.Event()

    async def ask() -> int:
        hanging = [asyncio.ensure_future(asyncio.to_thread(go.wait, 600)) for _ in range(100)]
        try:
            async with asyncio.timeout(300):
                return await asyncio.to_thread(lambda: 7)
        finally:
            go.set()
            await asyncio.gather(*hanging)

    assert run(ask()) == 7
