"""Strategies by name or from a file, and every mistake with its key, its place and its remedy."""

import signal
from collections.abc import Callable, Mapping
from decimal import Decimal, getcontext, localcontext
from pathlib import Path
from textwrap import dedent

import pytest

from kangbot.errors import Problem
from kangbot.strategy import registry
from kangbot.strategy.ema_cross import EmaCross
from kangbot.strategy.parameters import Parameters, StrategyInvalid, parse

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


def problems(name: str, parameters: Mapping[str, object] | None = None, folder: Path | None = None) -> list[Problem]:
    """Return what is wrong with a strategy's configuration."""
    with pytest.raises(StrategyInvalid) as caught:
        registry.load(name, parameters or {}, folder)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


# ------------------------------------------------------------------------------------------------------------ by name
def test_a_name_and_its_parameters_make_a_strategy() -> None:
    """As TOML gives them: floats become exact decimals by what was written."""
    strategy = registry.load("ema_cross", {"fast": 9, "slow": 21, "stop_percent": 0.1})
    assert isinstance(strategy, EmaCross)
    assert (strategy.parameters.fast, strategy.parameters.stop_percent) == (9, Decimal("0.1"))
    assert strategy.parameters.allow_short


def test_an_unknown_name_is_told_the_nearest() -> None:
    """Or all there are."""
    (near,), (far,) = problems("ema_corss"), problems("xyz")
    assert (near.key, near.remedy) == ("strategy", "Did you mean ema_cross?")
    assert far.remedy == "Known are: ema_cross, rsi_reversion"


def test_every_mistake_in_parameters_is_found_in_one_pass() -> None:
    """Unknown with the nearest, wrong types and ranges with what was given."""
    found = problems("ema_cross", {"fsat": 5, "slow": "20", "fast": 0, "stop_percent": "wide", "allow_short": 1})
    assert [str(problem) for problem in found] == [
        "fsat: is not a parameter of this strategy. Did you mean fast?",
        "fast: must be a whole number >= 1, not 0",
        "slow: must be a whole number, not '20'",
        "stop_percent: must be a number, not 'wide'",
        "allow_short: must be true or false, not 1",
    ]


def test_parameters_that_contradict_each_other_are_found() -> None:
    """By the strategy's own rule, once the types are right."""
    (found,) = problems("ema_cross", {"fast": 20, "slow": 10})
    assert str(found) == "fast: must be below slow (10), not 20"


class Needy(Parameters, frozen=True, kw_only=True):
    """A parameter without a default, and one with."""

    must: int
    may: float | None = None


def test_a_required_parameter_is_asked_for() -> None:
    """With what to do; an unknown one of a strategy without parameters has none to be compared with."""
    with pytest.raises(StrategyInvalid, match=r"must: is required. Set must"):
        parse(Needy, {})
    with pytest.raises(StrategyInvalid, match=r"x: is not a parameter of this strategy. There is none to set"):
        parse(Parameters, {"x": 1})
    assert parse(Needy, {"must": 1}) == Needy(must=1)


# -------------------------------------------------------------------------------------------------------- from a file
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
        ("compile('1 +', 'elsewhere', 'eval')\n", 1, "SyntaxError: invalid syntax (elsewhere, line 1)"),
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
