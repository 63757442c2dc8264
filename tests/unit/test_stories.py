"""The tests themselves: one whose story nobody plays cannot fail."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def unplayed(source: str) -> Iterator[str]:
    """Yield each test of a file that defines a function and never names it again."""
    for test in ast.walk(ast.parse(source)):
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test_"):
            inner = [one for one in test.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            told = {one.name for one in inner if not one.decorator_list}  # else its decorator has it
            named = {one.id for one in ast.walk(test) if isinstance(one, ast.Name)}
            if told - named:
                yield test.name


@pytest.mark.parametrize("room", sorted(path.name for path in TESTS.iterdir() if path.is_dir()))
def test_every_story_that_is_told_is_played(room: str) -> None:
    """In each folder of tests."""
    files = (TESTS / room).rglob("test_*.py")
    assert [f"{path.name}: {name}" for path in files for name in unplayed(path.read_text())] == []


def test_a_story_that_nobody_plays_is_found() -> None:
    """Once it is played it is not."""
    told = "def test_it():\n    async def story():\n        assert False\n"
    assert list(unplayed(told)) == ["test_it"]
    assert list(unplayed(f"{told}    play(story)\n")) == []
