"""Commands typed in this process, beside a daemon of one market."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kangbot.cli.main import app
from tests.support.control_desk import Served, serving

Type = Callable[..., Awaitable[Result]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A daemon of one market."""
    async with serving(tmp_path) as it:
        yield it


@pytest.fixture
def typed(served: Served) -> Type:
    """Type a command to that daemon, from a thread of its own; the answer is what it printed, and its exit code."""

    async def run(*words: str) -> Result:
        call = [*words, "--socket", str(served.socket)]
        return await asyncio.get_running_loop().run_in_executor(None, CliRunner().invoke, app, call)

    return run
