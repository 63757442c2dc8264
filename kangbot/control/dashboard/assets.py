"""Serves the page's files: compressed, cached by the browser, and never from outside the two places they come from.

Our own files are small; they are compressed at their first use and kept. The library of the charts is 5 MB in its
package: it is compressed once, in a thread, into the state folder, and sent from that file, so that the daemon's memory
never holds it and a browser fetches 1.4 MB once. Its package is never imported. What an older version of it left there
is removed at the start.
"""

import asyncio
import gzip
import hashlib
import mimetypes
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from kangbot.control.dashboard.charts import charts_library
from kangbot.runtime.installation import REPLACED
from kangbot.runtime.threads import Worker

log = structlog.get_logger(__name__)

_STATIC = Path(__file__).parent / "static"
_KINDS = (".html", ".css", ".js", ".svg")
_CHARTS = "plotly.js"
_PACKED = "plotly-{size}.js.gz"  # of a library of so many bytes: another version has another size
_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}  # asked for again, and answered 304 by its tag


class _Asset(msgspec.Struct, frozen=True):
    """One file as it is sent."""

    plain: bytes
    packed: bytes
    tag: str
    kind: str


class Assets:
    """The routes `/` and `/static/{name}`. `cache` is a folder that may be written."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._kept: dict[str, _Asset] = {}
        self._packing = asyncio.Lock()

    def mount(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/", self._page)
        router.add_get(f"/static/{_CHARTS}", self._charts)
        router.add_get("/static/{name}", self._static)

    def tidy(self) -> None:
        """Remove what an older library, or a death while one was compressed, has left in the folder."""
        source = charts_library()
        current = None if source is None else self._packed(source)
        for stale in self._cache.glob("plotly-*.js.*"):
            if stale != current:
                try:
                    stale.unlink()
                except OSError as error:
                    log.warning("dashboard.stale_library", file=stale.name, error=error.strerror)

    def _packed(self, source: Path) -> Path:
        return self._cache / _PACKED.format(size=source.stat().st_size)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._send(request, "index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return self._send(request, request.match_info["name"])

    def _send(self, request: web.Request, name: str) -> web.StreamResponse:
        asset = self._kept.get(name) or self._read(name)
        headers = {**_HEADERS, "ETag": asset.tag}
        if request.headers.get("If-None-Match") == asset.tag:
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.packed, content_type=asset.kind, charset="utf-8", headers=headers)
        return web.Response(body=asset.plain, content_type=asset.kind, charset="utf-8", headers=headers)

    def _read(self, name: str) -> _Asset:
        """Take a file of ours; only its own folder is looked in, and only for kinds that a page has."""
        path = _STATIC / Path(name).name
        if path.name != name or path.suffix not in _KINDS or not path.is_file():
            gone = not _STATIC.is_dir()
            raise web.HTTPNotFound(text=REPLACED if gone else f"no page {name!r}")
        plain = path.read_bytes()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
        self._kept[name] = asset = _Asset(plain, gzip.compress(plain, mtime=0), tag, kind)
        return asset

    async def _charts(self, request: web.Request) -> web.StreamResponse:
        source = charts_library()
        if source is None:
            raise web.HTTPNotFound(text="the package plotly is not installed: the page shows no candles without it")
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.FileResponse(source, headers=_HEADERS)
        packed = self._packed(source)
        async with self._packing:
            if not packed.is_file():
                worker = Worker("pages")
                try:
                    await worker.run(lambda: _pack(source, packed))
                except OSError:  # no room, which is told of elsewhere
                    return web.FileResponse(source, headers=_HEADERS)
                finally:
                    await worker.aclose(0.0)
        headers = {**_HEADERS, "Content-Encoding": "gzip", "Content-Type": "text/javascript; charset=utf-8"}
        return web.FileResponse(packed, headers=headers)


def _pack(source: Path, target: Path) -> None:
    """Compress whole or not at all: a file that is cut short would be a page that never draws."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        part.write_bytes(gzip.compress(source.read_bytes(), 6, mtime=0))
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)  # the room that is left is the journal's
        raise
