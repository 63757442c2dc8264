"""What is raised becomes an answer: its status, its words, its headers, and never a secret or a traceback."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from kangbot.control.answers import HEADERS, answer, dress, errors_in_words, failure
from kangbot.errors import Ambiguous, InsufficientFunds, NeedsHuman, RateLimited, Refused, Retryable
from kangbot.market.naming import UnknownMarketError

Client = TestClient[web.Request, web.Application]
Page = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def raising(error: BaseException | None, page: Page | None = None) -> AsyncIterator[Client]:
    """A server whose only route raises this, or is this."""

    async def handle(_: web.Request) -> web.Response:
        if error is not None:
            raise error
        return answer({"well": True})

    app = web.Application(middlewares=[errors_in_words(lambda text: text.replace("s3cret", "***"))])
    app.on_response_prepare.append(dress)
    app.router.add_get("/it", page or handle)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (UnknownMarketError("no market s3cret"), 404, "no market ***"),
        (NeedsHuman("the disk s3cret is full", remedy="make room"), 503, "the disk *** is full; make room"),
        (Retryable("away: s3cret"), 503, "away: ***"),
        (RateLimited("too many"), 503, "too many"),
        (Refused("not now: s3cret"), 409, "not now: ***"),
        (InsufficientFunds("no money"), 409, "no money"),
        (Ambiguous("it may have happened"), 409, "it may have happened"),
        (ConnectionResetError("s3cret"), 400, "the connection broke off, or the body cannot be unpacked"),
        (web.HTTPBadRequest(text="not so"), 400, "not so"),
        (web.HTTPConflict(), 409, "Conflict"),
        (ZeroDivisionError("s3cret"), 500, "a fault in the daemon, see its log: ZeroDivisionError: ***"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else str(one)[:8],
)
async def test_each_error_has_its_status_and_its_words(error: Exception, status: int, words: str) -> None:
    """By the response that it asks for; secrets are masked in all of them."""
    async with raising(error) as client:
        got = await client.get("/it")
        assert (got.status, await got.json()) == (status, {"error": words})
        assert got.headers["Cache-Control"] == "no-store"


async def test_a_fault_is_logged_once_a_route_and_a_refusal_never() -> None:
    """A dashboard asks twice a second."""
    with capture_logs() as logged:
        async with raising(ZeroDivisionError()) as client:
            for _ in range(3):
                await client.get("/it")
        assert [(entry["event"], entry["route"]) for entry in logged] == [("control.fault", "/it")]
        async with raising(Refused("no")) as client:
            await client.get("/it")
    assert len(logged) == 1


async def test_what_is_not_there_and_what_is_not_done_there_is_said_with_what_is() -> None:
    """In our words, and with the header that a client reads."""
    async with raising(None) as client:
        nowhere, wrong = await client.get("/nowhere"), await client.post("/it")
        assert (nowhere.status, (await nowhere.json())["error"]) == (
            404,
            "nothing is at this address; GET /openapi.json tells what is",
        )
        assert wrong.status == 405
        assert (await wrong.json())["error"] == "POST is not for this address; GET,HEAD is"
        assert wrong.headers["Allow"] == "GET,HEAD"


async def test_how_long_to_wait_is_kept_and_other_headers_of_an_error_are_not() -> None:
    """Whatever raised it may have set them for something else."""
    headers = {"Retry-After": "61", "Set-Cookie": "a=b"}
    async with raising(web.HTTPTooManyRequests(text="wait", headers=headers)) as client:
        got = await client.get("/it")
        assert (got.status, got.headers["Retry-After"]) == (429, "61")
        assert "Set-Cookie" not in got.headers


async def test_every_answer_has_our_headers_and_what_a_page_set_itself_stays() -> None:
    """But the name of the server, which is nobody's business."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="page", headers={"X-Frame-Options": "SAMEORIGIN", "Server": "aiohttp/9"})

    async with raising(None, page) as client:
        got = await client.get("/it")
        assert got.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert {name: got.headers[name] for name in HEADERS if name != "X-Frame-Options"} == {
            name: value for name, value in HEADERS.items() if name != "X-Frame-Options"
        }


def test_an_error_is_an_object_with_words() -> None:
    """As JSON that no cache keeps, also where somebody wants more headers."""
    said = failure(418, "no tea", {"X-Why": "pot"})
    assert isinstance(said.body, bytes)
    assert (said.status, json.loads(said.body)) == (418, {"error": "no tea"})
    assert (said.headers["X-Why"], said.headers["Cache-Control"]) == ("pot", "no-store")
    assert answer({}, headers={"Cache-Control": "max-age=5"}).headers["Cache-Control"] == "max-age=5"
