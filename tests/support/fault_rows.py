"""The rows of the fault suite: what was done, what must be seen, what was seen; a report and a table of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

PROPERTY = "fault"  # under which a test hands its row to the run, over process borders too


@dataclass(slots=True)
class Row:
    """One fault. It counts as not ok until it was measured and found good."""

    said: dict[str, object]

    def measured(self, words: str, *, ok: bool) -> None:
        """State what was seen, and fail the test where it is not what must be seen."""
        self.said |= {"measured": words, "ok": ok}
        assert ok, f"{self.said['fault']}: expected {self.said['expected']}; measured {words}"


def expected(fault: str, expectation: str) -> Row:
    """Return a row that has not been measured."""
    return Row(
        {"fault": fault, "expected": expectation, "measured": "the run ended before it was measured", "ok": False}
    )


def draw(rows: Iterable[Mapping[str, object]]) -> None:
    """Print the table."""
    table = Table(title="faults", show_lines=True)
    for name in ("fault", "expected", "measured"):
        table.add_column(name, overflow="fold")
    table.add_column("ok")
    for row in rows:
        table.add_row(str(row["fault"]), str(row["expected"]), str(row["measured"]), "yes" if row["ok"] else "NO")
    Console(width=150).print(table)
