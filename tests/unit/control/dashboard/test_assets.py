"""The page's files over a real server on loopback: what is sent, how it is cached, and what is never sent."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from kangbot.control.dashboard import assets
from kangbot.control.dashboard.assets import Assets
from kangbot.control.dashboard.charts import charts_library
from kangbot.health.checks import health_of
from kangbot.runtime import installation
from kangbot.settings.health import HealthSettings
from tests.support.pages import modules
from tests.support.reporting import a_report

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a server that has the page and nothing else."""
    app = web.Application()
    Assets(tmp_path / "cache").mount(app.router)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_page_is_at_the_root(client: Client) -> None:
    """Who opens the address gets the page."""
    answer = await client.get("/")
    assert answer.status == 200
    assert answer.content_type == "text/html"
    assert "<title>kangbot</title>" in await answer.text()


async def test_a_page_whose_files_were_removed_says_so(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by an upgrade under a daemon that runs. What was read before is sent as ever."""
    assert (await client.get("/static/style.css")).status == 200
    monkeypatch.setattr(assets, "_STATIC", tmp_path / "gone")
    answer = await client.get("/")
    assert (answer.status, await answer.text()) == (404, installation.REPLACED)
    assert (await client.get("/static/style.css")).status == 200


async def test_every_file_that_the_page_names_is_there(client: Client) -> None:
    """No module imports, and no tag asks for, a file that is not sent."""
    page = await (await client.get("/")).text()
    names = modules(page)
    assert {"style.css", "main.js", "icon.svg"} <= names
    seen: set[str] = set()
    while names - seen:
        name = min(names - seen)
        seen.add(name)
        answer = await client.get(f"/static/{name}")
        assert answer.status == 200, name
        names |= modules(await answer.text())
    assert {"overview.js", "market.js", "words.js"} <= seen


async def test_every_check_of_the_health_has_a_name_in_both_languages(client: Client) -> None:
    """A reason beside the score begins with it."""
    words = await (await client.get("/static/words.js")).text()
    names = [check.name for check in health_of(a_report(), HealthSettings().thresholds).checks]
    assert [name for name in names if words.count(f'"check.{name}":') != 2] == []


async def test_a_file_that_has_not_changed_is_not_sent_again(client: Client) -> None:
    """The browser asks with the tag it got, and the answer has no body."""
    first = await client.get("/static/main.js")
    again = await client.get("/static/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""


async def test_a_client_without_gzip_gets_plain_text(client: Client) -> None:
    """Compression is offered, never forced."""
    answer = await client.get("/static/main.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert "listen(" in await answer.text()


@pytest.mark.parametrize(
    "name", ["../assets.py", "..%2Fassets.py", "%2e%2e/assets.py", "assets.py", "none.js", ".", ""]
)
async def test_nothing_outside_the_folder_is_sent(client: Client, name: str) -> None:
    """A name that is a path, or that no page has, is not found."""
    assert (await client.get(f"/static/{name}")).status == 404


async def test_a_full_disk_keeps_no_charts_from_the_page_and_loses_no_room(client: Client, tmp_path: Path) -> None:
    """What cannot be kept is sent as it is; what was begun of it is removed, for the journal needs the room."""
    source = charts_library()
    assert source is not None
    part = tmp_path / "cache" / f"plotly-{source.stat().st_size}.js.part"
    part.parent.mkdir()
    part.symlink_to("/dev/full")
    answer = await client.get("/static/plotly.js")
    assert (answer.status, await answer.read()) == (200, source.read_bytes())
    assert list(part.parent.iterdir()) == []


async def test_the_charts_come_out_of_their_package_compressed(client: Client, tmp_path: Path) -> None:
    """What the browser unpacks is the package's own file, and the second browser is served from the same one."""
    source = charts_library()
    assert source is not None
    client.session.headers["Accept-Encoding"] = "gzip"
    first = await (await client.get("/static/plotly.js")).read()
    packed = list((tmp_path / "cache").iterdir())
    assert [path.suffix for path in packed] == [".gz"]
    assert first == source.read_bytes() == gzip.decompress(packed[0].read_bytes())
    made_ns = packed[0].stat().st_mtime_ns
    assert (await client.get("/static/plotly.js")).status == 200
    assert packed[0].stat().st_mtime_ns == made_ns


async def test_what_an_older_library_left_is_removed(client: Client, tmp_path: Path) -> None:
    """After an upgrade, and after a death in the middle; what is of this version stays, and so does all else."""
    cache, source = tmp_path / "cache", charts_library()
    assert source is not None
    Assets(cache).tidy()  # a folder that is not there has nothing in it
    cache.mkdir()
    current = f"plotly-{source.stat().st_size}.js.gz"
    for name in ("plotly-1.js.gz", "plotly-1.js.part", current, "journal.db"):
        (cache / name).touch()
    Assets(cache).tidy()
    assert {path.name for path in cache.iterdir()} == {current, "journal.db"}


async def test_a_library_that_cannot_be_removed_is_said_and_ends_nothing(tmp_path: Path) -> None:
    """It costs room, and no more."""
    (tmp_path / "plotly-1.js.gz").mkdir()
    with capture_logs() as logs:
        Assets(tmp_path).tidy()
    assert [(entry["event"], entry["file"]) for entry in logs] == [("dashboard.stale_library", "plotly-1.js.gz")]
