"""A server over both doors, and a script that may command."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.control_desk import Served, serving

CALLER = "control token from 127.0.0.1"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server over both doors."""
    async with serving(tmp_path) as it:
        yield it


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A script that may command."""
    async with aiohttp.ClientSession(served.url, headers={"Authorization": f"Bearer {served.control}"}) as session:
        yield session


async def got(client: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    """Return what is answered."""
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def told(client: aiohttp.ClientSession, path: str, body: object = None, status: int = 200) -> Any:
    """Command, and return what is answered."""
    async with client.post(path, json={} if body is None else body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()
