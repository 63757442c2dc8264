"""The question that every container test ends with: do the exchange, the journal and the database say the same."""

import time
from pathlib import Path

from tests.support.agreement import Journalled, disagreements
from tests.support.engine import House, docker, inspected


def agreed(house: House, scratch: Path) -> dict[str, object]:
    """Stop the daemon in order under load, compare everything, and start it again."""
    house.exchange.pause()
    time.sleep(0.5)
    began = time.monotonic()
    docker("stop", house.name("kangbot"))
    stopped_s = time.monotonic() - began
    assert inspected(house.name("kangbot"), "{{.State.ExitCode}}") == "0", house.log()[-2000:]
    journal = Journalled(house.state(scratch))
    violations = disagreements(journal, house.query(), house.exchange)
    house.exchange.heal()
    house.exchange.go_on()
    docker("start", house.name("kangbot"))
    return {
        "orders": len(journal.statuses),
        "executions": len(journal.executions),
        "stopped_s": round(stopped_s, 1),
        "violations": violations,
    }
