"""What it costs in memory to be looked at in every way there is, beside 27 markets and a database."""

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from tests.support import mariadb
from tests.support.fault_world import FaultWorld
from tests.support.ports import own_port

pytestmark = [pytest.mark.process, pytest.mark.mariadb]

LISTENERS = 10
PROBES = ("/health", "/ready")  # a machine that stands still is not well, which they answer with a status of their own
MOST_MB = 80 + 15  # the daemon's own bound, and what the API, the page and the figures may take beside it


async def _looked(world: FaultWorld, port: int) -> int:
    """Ask for every address of the API and every file of the page while ten listen, and return how many answered."""
    token = (world.state / "read.token").read_text().strip()
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=120),
    ) as session:
        listeners = [await session.ws_connect("/stream", max_msg_size=0) for _ in range(LISTENERS)]
        async with session.get("/openapi.json") as answer:
            paths = json.loads(await answer.read())["paths"]
        async with session.get("/") as answer:
            page = await answer.text()
        market = "bybit:BTC-USDT:USDT"
        looks = [path.replace("{market}", market) for path, methods in paths.items() if "get" in methods]
        files = re.findall(r"/static/[\w.-]+", page)
        answered = 0
        for path in dict.fromkeys([*looks, *files, "/static/plotly.js", "/metrics"]):
            if path == "/stream":
                continue
            async with session.get(path) as answer:
                await answer.read()
                assert answer.status in ((200, 503) if path in PROBES else (200,)), (path, answer.status)
                answered += 1
        for listener in listeners:
            for _ in range(3):  # the snapshot, and two changes of it
                await listener.receive_json(timeout=120)
            await listener.close()
        return answered


async def test_looking_in_every_way_stays_within_its_budget(
    tmp_path: Path, database_server: mariadb.MariadbServer
) -> None:
    """API, page, the pack of charts, figures and ten live connections, each once, by the daemon's own count."""
    port = own_port()
    environment = {
        "KANGBOT_CONTROL__PORT": str(port),
        "KANGBOT_DATABASE__URL": database_server.url(database_server.database()),
    }
    with FaultWorld(tmp_path, environment=environment) as world:
        await asyncio.to_thread(world.trading)
        # Whoever looks back before the tables are made is told to ask again.
        before = await asyncio.to_thread(world.until, lambda report: report.history_backlog < report.journal_sequence)
        assert before.history == "mysql"
        answered = await _looked(world, port)
        after = world.client.report()
        figures = (before.rss_mb, before.rss_peak_mb, after.rss_mb, after.rss_peak_mb)
        print(f"MB resident before and at most, after {answered} answers and at most: {figures}")
        assert answered > 20
        assert after.rss_mb <= MOST_MB, figures
        # A start has a peak of its own, before anybody looks: tables are made, and every market's past is read.
        assert after.rss_peak_mb <= max(MOST_MB, before.rss_peak_mb), figures
