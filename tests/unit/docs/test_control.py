"""The tables of control.md name what is served: each route, and nothing else."""

import re
from pathlib import Path

import aiohttp

from tests.support.control_desk import serving

DOCUMENT = (Path(__file__).parents[3] / "docs" / "control.md").read_text(encoding="utf-8")


async def test_every_route_has_its_row_and_every_row_its_route(tmp_path: Path) -> None:
    """Whoever writes a script begins here: a route that is missing is never used, one that is gone is a 404."""
    async with serving(tmp_path) as served:
        bearer = {"Authorization": f"Bearer {served.read}"}
        async with aiohttp.ClientSession(served.url, headers=bearer) as client, client.get("/openapi.json") as answer:
            paths = (await answer.json())["paths"]
    served_now = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    named = [
        (method, path)
        for method, routes in re.findall(r"^\| `(GET|POST) ([^|]+)\|", DOCUMENT, re.MULTILINE)
        for path in re.findall(r"(?:^|`)(/[^`]+)`", routes)
    ]
    assert sorted(named) == sorted(served_now)
