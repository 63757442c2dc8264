"""`kangbot sandbox`: it says where it answers, and serves."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from kangbot.cli.sandbox import serve


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_exchange_says_where_it_answers_and_goes_on(options: tuple[str, ...]) -> None:
    """In an object or in words; Ctrl-C ends it with 0."""
    command = [sys.executable, "-m", "kangbot", "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, code = process.stdout.read(), process.wait(300)
    assert code == 0
    if options:
        assert json.loads(first)["rest_url"].startswith("http://127.0.0.1:")
        assert rest == ""
    else:
        assert first.startswith("the simulated exchange answers on http://127.0.0.1:")
        assert "with the key 'sandbox'" in rest


def test_an_address_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With the way to another; nothing is served."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve(host="127.0.0.1", port=port, seed=1, as_json=False) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"the sandbox cannot listen on 127.0.0.1:{port}: Address already in use. Name another --port\n",
    )
