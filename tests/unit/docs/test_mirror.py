"""Unit tests mirror the package: whoever opens a module finds its tests by name alone, and the other way round."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE, UNIT = ROOT / "kangbot", ROOT / "tests" / "unit"
BESIDE = ("benchmarks", "docker", "docs")  # tests of what stands beside the package

WITHOUT = {  # modules that have no test of their name, and why
    "cli/doctor/finding.py": "declarations alone",
    "cli/exit_codes.py": "declarations alone",
    "control/port.py": "declarations alone",
    "machines/order_words.py": "declarations alone",
    "machines/session_words.py": "declarations alone",
    "model/events.py": "declarations alone; journal/test_codec_written.py reads each as it was written once",
    "model/written.py": "one setting, which journal/test_codec_written.py holds for every record",
    "modes/way.py": "declarations alone",
    "ports.py": "declarations alone; each adapter is judged in tests/conformance",
    "sandbox/__main__.py": "judged as a process, which tests/support/sandbox_process.py runs for tests/conformance",
    "sandbox/options.py": "declarations alone",
    "settings/__main__.py": "judged as a process, in settings/test_apart.py",
    "settings/daemon.py": "declarations alone",
    "settings/feeds.py": "declarations alone",
    "settings/telegram.py": "declarations alone",
    "sim/proof/edit_mutants.py": "faults of ours, each of which tests/sim/test_mutants.py sees noticed",
    "sim/proof/market_mutants.py": "faults of ours, each of which tests/sim/test_mutants.py sees noticed",
    "sim/proof/spot_mutants.py": "faults of ours, each of which tests/sim/test_mutants.py sees noticed",
}
OF_SEVERAL = {  # tests that have the name of no module, and why
    "strategy/test_pass.py": "what a strategy wants, the plan and the gate together, bar by bar",
    "test_stories.py": "the tests themselves",
}


def modules() -> Iterator[Path]:
    """Yield each module by its place in the package; one that is a folder by the folder's name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield (path if path.name != "__init__.py" else path.parent.with_suffix(".py")).relative_to(PACKAGE.parent)


def judging() -> Iterator[Path]:
    """Yield each test file by its place among the unit tests."""
    for path in sorted(UNIT.rglob("test_*.py")):
        if (place := path.relative_to(UNIT)).parts[0] not in BESIDE:
            yield place


def judged(test: Path) -> set[str]:
    """Return the modules that it may be about: `test_X.py` and `test_X_SUBJECT.py` are of `X`."""
    words = test.stem.removeprefix("test_").split("_")
    named = ("_".join(words[:end]) for end in range(1, len(words) + 1))
    return {str(test.with_name(f"{name}.py")) for name in named if name}


MODULES = {str(module.relative_to("kangbot")) for module in modules() if len(module.parts) > 1}
NAMED = {module for test in judging() for module in judged(test)}
FOLDERS = {str(path.parent.relative_to(PACKAGE)) + ".py" for path in PACKAGE.rglob("__init__.py")}


def test_each_module_has_a_test_of_its_name() -> None:
    """A folder's own lines may be judged with its modules."""
    assert len(MODULES) > 400
    assert sorted(MODULES - FOLDERS - NAMED - WITHOUT.keys()) == []


def test_each_test_has_the_name_of_what_it_judges() -> None:
    """In the folder of that name."""
    assert sorted(str(test) for test in judging() if not judged(test) & MODULES and str(test) not in OF_SEVERAL) == []


@pytest.mark.parametrize("name", WITHOUT)
def test_what_has_no_test_of_its_name_is_there_and_has_none(name: str) -> None:
    """A module that was moved takes its reason with it; one that has got its test needs none any more."""
    assert name in MODULES - FOLDERS
    assert name not in NAMED


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_what_judges_several_is_there_and_has_no_name_of_one(name: str) -> None:
    """The same of a test."""
    assert (UNIT / name).is_file()
    assert not judged(Path(name)) & MODULES
