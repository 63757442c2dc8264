"""A request is understood as its route has it, or refused before anybody is asked."""

import aiohttp
import pytest

from tests.support.control_desk import Served

from .conftest import got


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=2001", "limit=x", "offset=-1", "market=%00", "market='", "other=1", "limit=1&limit=2"]
)
async def test_a_query_that_is_not_understood_asks_nothing(
    served: Served, client: aiohttp.ClientSession, query: str
) -> None:
    """In words."""
    assert "error" in await got(client, f"/orders?{query}", 400)
    assert served.desk.asked == []


async def test_bodies_are_json_small_and_said_to_be_so(served: Served, client: aiohttp.ClientSession) -> None:
    """A form that a foreign page sends without asking is none."""
    for body, kind, status in (
        (b"{}", "text/plain", 415),
        (b"reason=x", "application/x-www-form-urlencoded", 415),
        (b"[" * 60_000, "application/json", 400),
        (b"{" + b" " * 70_000 + b"}", "application/json", 413),
        (b"\xff\xfe", "application/json", 400),
        (b'{"flaten": true}', "application/json", 400),
        (b"{}", "application/json; charset=utf-8", 200),
    ):
        async with client.post("/kill", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == status, (body[:20], kind)
            assert "error" in await answer.json() or status == 200
