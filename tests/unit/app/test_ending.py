"""How the daemon is told to end, and what is raised when it has."""

import asyncio

import pytest
from structlog.testing import capture_logs

from kangbot.app.ending import Ending


async def test_a_wish_ends_it_in_order_and_raises_nothing() -> None:
    """Twice is once."""
    ending, stopping = Ending(), list[bool]()
    stopping.append(ending.stopping)
    ending.wish()
    ending.wish()
    await ending.begun()
    stopping.append(ending.stopping)
    ending.conclude()
    assert stopping == [False, True]


async def test_an_error_that_the_policy_ends_it_for_is_raised_once_all_has_settled() -> None:
    """It says where it was met; a wish that comes meanwhile takes nothing of it away."""
    ending = Ending()
    ending.end_for("order of bybit:BTC-USDT:USDT", ValueError("no"))
    ending.wish()
    await ending.begun()
    with pytest.raises(ValueError, match="no") as raised:
        ending.conclude()
    assert raised.value.__notes__ == ["in order of bybit:BTC-USDT:USDT"]


async def test_a_task_that_broke_ends_it_at_once() -> None:
    """Whoever waits for the end gets the error, with the task's name."""
    ending = Ending()
    asyncio.get_running_loop().call_soon(ending.break_off, "app/stop", ValueError("torn"))
    with pytest.raises(ValueError, match="torn") as raised:
        await ending.begun()
    assert raised.value.__notes__ == ["in the task app/stop"]


async def test_what_breaks_while_it_ends_is_logged_and_holds_nothing_up() -> None:
    """The first reason counts."""
    ending = Ending()
    ending.wish()
    with capture_logs() as logs:
        ending.break_off("app/stop", ValueError("torn"))
    ending.end_for("order", ValueError("late"))
    await ending.begun()
    ending.conclude()
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task.crashed", "app/stop")]
