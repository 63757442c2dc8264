"""What looking at the daemon costs its trading: 200 listeners and 1,000 questions a second, against nobody at all.

The same daemon trades 27 markets on bars of a second against the sandbox exchange: looked at by nobody; while
`benchmarks/audience.py` looks at another daemon of the same machine, whose markets are stopped; and while it looks at
this one: 200 connections to `/stream` and 1,000 requests a second to `/health`. The second is what the audience costs
the machine, the third also what it costs the loop. Compared are the lag of the loop, the time from a frame to the
order, memory and the share of a core.

    python -m benchmarks.control [seconds]
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.house import House, machine, read, running, scratch
from benchmarks.latency import trading
from kangbot.cli.demo.processes import Sandbox

LISTENERS = 200
RATE = 1000.0
MARKETS = 27


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def audience(house: House, port: int, seconds: float) -> dict[str, Any]:
    """Have the daemon looked at for `seconds`; return what the audience tells."""
    token = house.state / "read.token"
    command = [sys.executable, "-m", "benchmarks.audience", "--url", f"http://127.0.0.1:{port}"]
    command += ["--token-file", str(token), "--listeners", str(LISTENERS), "--rate", str(RATE)]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)], capture_output=True, text=True, timeout=seconds + 60, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[House, int]]:
    """Run a daemon with an exchange of its own until its markets are live; yield it and its control port."""
    folder.mkdir(parents=True)
    port = free_port()
    sandbox = Sandbox(seed=1, log=folder / "sandbox.log", options=("--no-limits", "--history-minutes", "30"))
    addresses = {
        "rest_url": sandbox.rest_url,
        "ws_public_url": sandbox.ws_public_url,
        "ws_private_url": sandbox.ws_private_url,
    }
    environment = {"KANGBOT_CONTROL__PORT": str(port)}
    with closing(sandbox), running(folder, trading(), addresses, environment=environment) as house:
        house.until(lambda report: report.live == MARKETS)
        yield house, port


def measure(folder: Path, seconds: float, *, audience_at: str) -> dict[str, object]:
    """Return the figures of a daemon while the audience looks at it ("here"), at another one, or at nobody."""
    with ExitStack() as stack:
        looked_at: tuple[House, int] | None = None
        if audience_at == "another":
            looked_at = stack.enter_context(daemon(folder / "other"))
            looked_at[0].client.tell("/stop-all")
        house, port = stack.enter_context(daemon(folder / "daemon"))
        before = read(house.process)
        heard: dict[str, Any] = {}
        if audience_at == "nobody":
            time.sleep(seconds)
        else:
            heard = audience(*(looked_at or (house, port)), seconds)
        after = read(house.process)
        report = house.until(lambda report: report.orders.filled > 0)
    return {
        "loop_lag_ms": report.loop_lag_recent_ms,
        "frame_to_order_ms": report.frame_to_order_ms,
        "orders": report.orders.sent,
        "rss_mb": after.rss_mb,
        "cpu_percent": after.cpu_percent(before),
    } | heard


def run(seconds: float) -> dict[str, object]:
    """Return `{"control": {where the audience looks: figures}, …}`; a third of `seconds` each."""
    with scratch() as folder:
        figures = {at: measure(folder / at, seconds / 3, audience_at=at) for at in ("nobody", "another", "here")}
    return {"control": figures, "listeners": LISTENERS, "questions_per_second": RATE, "machine": machine()}


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if sys.argv[1:] else 60.0), indent=2))
