"""The import contracts in pyproject.toml hold every room, those that joined later included."""

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
