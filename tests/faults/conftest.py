"""Rows from the tests to the report, and the worlds in which faults happen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from tests.support.fault_rows import PROPERTY, Row, draw, expected
from tests.support.fault_world import FaultWorld
from tests.support.reports import write_report

Expect = Callable[[str, str], Row]


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Begin a row: the fault, and what must be seen."""

    def begin(fault: str, expectation: str) -> Row:
        row = expected(fault, expectation)
        request.node.user_properties.append((PROPERTY, row.said))
        return row

    return begin


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FaultWorld]:
    """Twenty-seven markets at a sandbox behind proxies, and no daemon yet."""
    with FaultWorld(tmp_path) as made:
        yield made


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Draw the table, and write the report where the whole suite was asked for."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    rows = [
        said for report in reports if report.when == "call" for name, said in report.user_properties if name == PROPERTY
    ]
    if not rows:
        return
    rows.sort(key=lambda row: str(row["fault"]))
    if "sweep" in config.option.markexpr.replace("not sweep", ""):
        write_report("faults", {"rows": rows, "ok": all(row["ok"] for row in rows)})
    draw(rows)
