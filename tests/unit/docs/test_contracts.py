"""What pyproject.toml promises: import contracts that hold every room, and no exception without its reason."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
HOMES = {contract["name"]: contract for contract in CONTRACTS if contract["id"].startswith("home-")}


def rooms() -> set[str]:
    """Return the names of the package's modules and folders."""
    inside = [path for path in (ROOT / "kangbot").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return {f"kangbot.{path.stem}" for path in inside} - {"kangbot.__init__"}


@pytest.mark.parametrize("name", HOMES)
def test_a_library_is_forbidden_in_every_room_but_the_homes_that_its_contract_names(name: str) -> None:
    """A list of rooms that leaves one out forbids nothing there, and says so to nobody."""
    _, _, homes = name.rpartition(" in ")
    named = {f"kangbot.{home}" for home in homes.split(", ")}
    assert named <= rooms()
    assert set(HOMES[name]["source_modules"]) == rooms() - named


def test_venues_do_not_see_each_other() -> None:
    """Each adapter stands in the contract."""
    adapters = {f"kangbot.venues.{path.parent.name}" for path in (ROOT / "kangbot" / "venues").glob("*/__init__.py")}
    contract = next(contract for contract in CONTRACTS if contract["id"] == "venues")
    assert set(contract["modules"]) == adapters


def test_every_rule_that_is_left_out_has_its_reason_beside_it() -> None:
    """For the whole project, and for a folder of it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    linter = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    rules = re.findall(r'^ *"[A-Z]+\d*",.*$', linter, re.MULTILINE)
    assert len(rules) > 30
    assert not [rule for rule in rules if " # " not in rule]


def test_every_line_that_a_rule_is_silenced_on_says_why() -> None:
    """Behind two dashes."""
    files = [path for room in ("kangbot", "tests", "benchmarks", "migrations") for path in (ROOT / room).rglob("*.py")]
    silenced = [line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    silenced = [line for line in silenced if re.search(r"# noqa: [A-Z]", line)]
    assert len(silenced) > 100
    assert not [line for line in silenced if not re.search(r"# noqa: [A-Z0-9, ]+ -- \S", line)]
