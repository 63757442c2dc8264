"""A sandbox exchange in a process of its own, and the few words that tests say to its control interface."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEY, SECRET = "conformance", "secret-of-the-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where a sandbox can be reached."""

    rest_url: str
    ws_public_url: str
    ws_spot_url: str
    ws_private_url: str
    key: str = KEY
    secret: str = SECRET

    def truth(self) -> dict[str, Any]:
        """Return what the venue knows."""
        answer: dict[str, Any] = self.control("GET", "truth")
        return answer

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control interface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.rest_url}/sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)


@contextlib.contextmanager
def sandbox_process(*arguments: str) -> Iterator[Running]:
    """Run `python -m kangbot.sandbox` with three markets until the block ends; it must then end by itself with 0."""
    command = [sys.executable, "-m", "kangbot.sandbox", "--symbols", "BTCUSDT,ETHUSDT,XRPUSDT"]
    command += ["--spot-symbols", "BTCUSDT", "--api-key", KEY, "--api-secret", SECRET, "--history-minutes", "200"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            assert ready.pop("ready") is True
            names = ("rest_url", "ws_public_url", "ws_spot_url", "ws_private_url")
            yield Running(**{name: ready[name] for name in names})
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert code == 0
