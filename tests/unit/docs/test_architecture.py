"""The plan of the house has every room, and what it sends a newcomer to is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLAN = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_room_has_its_line() -> None:
    """A room that joins says what it holds."""
    package = ROOT / "kangbot"
    inside = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    inside |= {path.stem for path in package.glob("[a-z]*.py")} - {"errors"}
    rows = "\n".join(line for line in PLAN.partition("## The rooms")[2].splitlines() if line.startswith("| `"))
    assert {room for room in inside if not re.search(rf"`{room}(/|\.py)?`", rows)} == set()


def test_every_file_that_it_names_is_there() -> None:
    """A file that was moved leaves its old name behind, where a newcomer looks first."""
    named = {name for name in re.findall(r"`([a-z_/]+(?:\.py|/)|[a-z_]+(?:/[a-z_]+)+\.py)`", PLAN) if "*" not in name}
    assert len(named) > 60
    assert {name for name in named if not any((within / name).exists() for within in (ROOT, ROOT / "kangbot"))} == set()
