"""The sandbox as a process."""

import socket

import pytest
from aiohttp import ClientSession

from kangbot.sandbox.main import run
from kangbot.sandbox.options import ServeOptions
from kangbot.sandbox.server import serve


def test_a_port_that_is_taken_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """In the system's words, without its number."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(ServeOptions(host="127.0.0.1", port=port, seed=1)) == 1
    said = f"the sandbox cannot listen on 127.0.0.1:{port}: Address already in use. Name another --port\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(("host", "named"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_its_addresses_can_be_asked_as_they_are_told(host: str, named: str) -> None:
    """An IPv6 address stands in brackets there."""
    async with await serve(ServeOptions(host=host)) as sandbox, ClientSession() as session:
        for url in (sandbox.rest_url, sandbox.ws_public_url, sandbox.ws_spot_url, sandbox.ws_private_url):
            assert f"//{named}:{sandbox.port}" in url
        async with session.get(f"{sandbox.rest_url}/v5/market/time") as answer:
            assert answer.status == 200
