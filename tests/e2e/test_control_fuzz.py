"""The API of a real daemon against its own document: whatever may be sent, it answers in its form and trades on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import own_port
from tests.support.processes import MARKETS, World

pytestmark = pytest.mark.process

EXAMPLES = 4  # of each operation: tests/conformance/control asks each of them for more, of a double
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


def test_a_daemon_that_is_asked_for_anything_answers_by_its_document_and_trades_on(
    world: World, tmp_path: Path
) -> None:
    """Commands too: it is stopped, killed and released on the way. No answer is a fault of ours."""
    port = own_port()
    world.environment["KANGBOT_CONTROL__PORT"] = str(port)
    world.start()
    world.live()
    pid = world.daemon.pid
    token = (world.state / "control.token").read_text().strip()
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"http://127.0.0.1:{port}/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", CHECKS, "--phases", "fuzzing", "--max-examples", str(EXAMPLES)),
            *("--seed", "20261127", "--generation-database", "none", "--no-color", "--continue-on-failure"),
            *("--exclude-path", "/login"),  # it would lock us out, as it should
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "control.fault" not in (world.folder / "daemon.log").read_text()
    client = world.client
    client.release()
    client.tell("/start-all")
    report = world.until(lambda report: report.live == len(MARKETS))
    assert report.pid == pid
    assert sum(market.falls for market in report.markets) == 0
    world.orders(more_than=report.orders.filled)
