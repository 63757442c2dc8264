"""The sandbox from its options to its end."""

import socket

import pytest

from kangbot.sandbox.main import run
from kangbot.sandbox.options import ServeOptions


def test_a_port_that_is_taken_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """In the system's words, without its number."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(ServeOptions(host="127.0.0.1", port=port, seed=1)) == 1
    said = f"the sandbox cannot listen on 127.0.0.1:{port}: Address already in use. Name another --port\n"
    assert capsys.readouterr() == ("", said)
