"""`kangbot sandbox`: it says where it answers, and serves."""

import json
import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_exchange_says_where_it_answers_and_goes_on(options: tuple[str, ...]) -> None:
    """In an object or in words; Ctrl-C ends it with 0."""
    command = [sys.executable, "-m", "kangbot", "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, code = process.stdout.read(), process.wait(60)
    assert code == 0
    if options:
        assert json.loads(first)["rest_url"].startswith("http://127.0.0.1:")
        assert rest == ""
    else:
        assert first.startswith("the simulated exchange answers on http://127.0.0.1:")
        assert "with the key 'sandbox'" in rest
