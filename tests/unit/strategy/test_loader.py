"""Strategies from a file, and whatever the file does wrong with its line and its remedy."""

import signal
import sys
from collections.abc import Callable
from decimal import getcontext, localcontext
from pathlib import Path
from textwrap import dedent

import pytest

from kangbot.errors import Problem
from kangbot.strategy import registry
from kangbot.strategy.loader import load_class, split
from kangbot.strategy.parameters import StrategyInvalid

Write = Callable[..., Path]

GOOD = """
    from __future__ import annotations

    from decimal import Decimal

    from kangbot.strategy.base import Parameters, Strategy, Target

    class Nothing(Parameters, frozen=True, kw_only=True):
        bars: int = 3

    class Memory:
        def update(self, bar):
            pass

    class Still(Strategy[Nothing, Memory]):
        name = "still"
        parameters_type = Nothing
        lookback = 1

        def indicators(self):
            return Memory()

        def decide(self, view):
            return Target(exposure=Decimal(0), reason=f"{self.parameters.bars} bars")
    """


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a strategy file and return its path."""

    def write_file(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text))
        return path

    return write_file


def problems(name: str, folder: Path | None = None) -> list[Problem]:
    """Return what is wrong with a strategy's file."""
    with pytest.raises(StrategyInvalid) as caught:
        registry.load(name, {}, folder)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def test_a_strategy_comes_from_a_file(write: Write, tmp_path: Path) -> None:
    """By path alone, by path and class, and relative to a folder; once loaded it is shared."""
    path = write(GOOD)
    strategy = registry.load(str(path), {"bars": 7})
    assert (strategy.name, strategy.parameters.bars) == ("still", 7)
    assert type(registry.load(f"{path}:Still", {})) is type(strategy)
    assert type(registry.load("mine.py:Still", {}, tmp_path)) is type(strategy)


def test_how_a_file_computes_is_no_matter_of_whoever_loads_it(write: Write) -> None:
    """A precision of its own is what many files begin with; the daemon's sums would be rounded to it."""
    with localcontext(prec=28):
        path = write(
            dedent(GOOD).replace("from decimal import Decimal", "from decimal import *\ngetcontext().prec = 4")
        )
        assert registry.load(str(path), {}).name == "still"
        assert getcontext().prec == 28


@pytest.mark.parametrize("raises", [False, True])
def test_what_a_file_sets_for_signals_ends_with_its_loading(write: Write, raises: bool) -> None:
    """SIGTERM is the daemon's orderly end, whatever a library that the file imports makes of it."""
    before = signal.getsignal(signal.SIGTERM)
    text = f"""
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        {"1 / 0" if raises else ""}
        """
    assert problems(str(write(text)))
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_copy_of_a_file_is_another_strategy(tmp_path: Path, write: Write) -> None:
    """What falls in it names its own file."""
    (tmp_path / "beside").mkdir()
    here, beside = write(GOOD), write(GOOD, "beside/mine.py")
    assert [sys.modules[load_class(path, "").__module__].__file__ for path in (here, beside)] == [
        str(here),
        str(beside),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mine.py", ("mine.py", "")),
        ("folder/mine.py:Mine", ("folder/mine.py", "Mine")),
        ("C:mine.py:", ("C:mine.py", "")),
        ("ema_cross", None),
        ("ema_cross:EmaCross", None),
        ("mine.pyc", None),
    ],
)
def test_a_file_is_told_from_a_name(text: str, names: tuple[str, str] | None) -> None:
    """By its ending, with a class behind it or without one."""
    assert split(text) == names


def test_an_edited_file_is_another_strategy(write: Write) -> None:
    """Even within the same second and of the same length."""
    first = registry.load(str(write(GOOD)), {})
    second = registry.load(str(write(GOOD.replace("bars: int = 3", "bars: int = 4"))), {})
    assert (first.parameters.bars, second.parameters.bars) == (3, 4)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the system's own reason."""
    (found,) = problems("absent.py", folder=tmp_path)
    assert (found.file, found.key) == (str(tmp_path / "absent.py"), "strategy")
    assert found.message == "cannot be read: No such file or directory"
    assert "from the configuration's folder" in found.remedy


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ny = = 2\n", 2, "SyntaxError: invalid syntax (mine.py, line 2)"),
        ("x = 1\n\ny = x / 0\n", 3, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise KeyError('k')\nf()\n", 2, "KeyError: 'k'"),
        ("import sys\nsys.exit(0)\n", 2, "SystemExit: 0"),
        ("import nowhere_to_be_found\n", 1, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = 1\ncompile('1 +', 'elsewhere', 'eval')\n", 2, "SyntaxError: invalid syntax (elsewhere, line 1)"),
    ],
)
def test_a_file_that_fails_says_where(write: Write, text: str, line: int, message: str) -> None:
    """The line of the user's file, whatever happened; nothing half-loaded stays behind."""
    path = write(text)
    for _ in range(2):
        (found,) = problems(str(path))
        assert (found.file, found.line, found.message) == (str(path), line, message)


def test_ctrl_c_while_a_file_is_loaded_is_no_mistake_of_it(write: Write) -> None:
    """It ends what was asked for, and nothing half-loaded stays behind."""
    path = write("raise KeyboardInterrupt\n")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            registry.load(str(path), {})


def test_a_file_with_no_line_to_blame(write: Write) -> None:
    """A file that cannot be decoded fails before its first line."""
    path = write("")
    path.write_bytes(b"\x00")
    (found,) = problems(str(path))
    assert found.line == 0
    assert found.message.endswith("source code string cannot contain null bytes")


HEAD = "from kangbot.strategy.base import Parameters, Strategy\n"
FULL = "    name = 'n'\n    parameters_type = Parameters\n    lookback = 1\n    def indicators(self): pass\n"


@pytest.mark.parametrize(
    ("text", "class_name", "says"),
    [
        (HEAD, "", "has no strategy class. Derive one from kangbot.strategy.base.Strategy"),
        (HEAD + "class A(Strategy): pass\n", "", "class A does not define name, parameters_type, decide, indicators"),
        (HEAD + f"class A(Strategy):\n{FULL}", "", "class A does not define decide"),
        (
            HEAD + f"class A(Strategy):\n{FULL}    decide = None\nclass B(A): pass\n",
            "",
            "has several strategy classes. Name one: mine.py:A",
        ),
        (HEAD + f"class Alpha(Strategy):\n{FULL}", ":Alhpa", "has no strategy class Alhpa. Did you mean Alpha?"),
        (HEAD + f"class Alpha(Strategy):\n{FULL}", ":Alpha", "class Alpha does not define decide"),
    ],
)
def test_a_file_without_the_class_says_what_it_has(write: Write, text: str, class_name: str, says: str) -> None:
    """None, an unfinished one, several, or not that one."""
    (found,) = problems(f"{write(text)}{class_name}")
    assert says in str(found)


@pytest.mark.parametrize(
    ("says", "instead", "told"),
    [
        ('name = "still"', "name = 5", "name must be text, not 5"),
        ('name = "still"', r'name = "\ud800"', "name must be text that can be written down: "),
        ('name = "still"', "name = property(str)", "name must be text, not <property object at "),
        ("parameters_type = Nothing", "parameters_type = dict", "a class derived from Parameters, not <class 'dict'>"),
        ("lookback = 1", "lookback = 1; bars_kept = 0", "bars_kept must be a whole number of bars, at least 1, not 0"),
        ("lookback = 1", "lookback = 1; bars_kept = -3", "a whole number of bars, at least 1, not -3"),
        ("lookback = 1", "lookback = 1; bars_kept = 1 << 80", "bars_kept must be a whole number of bars, at least 1, "),
        ("lookback = 1", "lookback = 1; bars_kept = '9'", "a whole number of bars, at least 1, not '9'"),
        ("lookback = 1", "lookback = 2.5", "lookback must be a whole number of bars, not 2.5"),
        ("lookback = 1", "lookback = float('nan')", "lookback must be a whole number of bars, not nan"),
        ("lookback = 1", "lookback = -1", "lookback must be a whole number of bars, not -1"),
        ("lookback = 1", "lookback = lambda self: 1", "lookback must be a whole number of bars, not <bound method "),
    ],
)
def test_what_a_class_says_of_itself_is_of_the_kind_that_it_must_be(
    write: Write, says: str, instead: str, told: str
) -> None:
    """An edit with such a class was applied, and the next start of the daemon ended, or no report could be read."""
    (found,) = problems(str(write(GOOD.replace(says, instead))))
    assert found.key == "strategy"
    assert found.message.startswith("class Still: ")
    assert told in found.message


def test_an_abstract_base_beside_the_strategy_is_passed_over(write: Write) -> None:
    """Only what can be made is a candidate."""
    path = write(HEAD + f"class Base(Strategy):\n{FULL}class Real(Base):\n    decide = None\n")
    assert type(registry.load(str(path), {})).__name__ == "Real"
