"""Whatever is in the file: a valid configuration, or ConfigInvalid. Never another exception."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kangbot.errors import ConfigInvalid
from kangbot.settings.loading import load
from kangbot.settings.paths import shipped_config

SHIPPED = shipped_config("examples") / "live.toml"
BYTES = SHIPPED.read_bytes()
LINES = SHIPPED.read_text(encoding="utf-8").splitlines()

ODD = r"""
-1 0 1.5 1e999999999999999999999 nan inf true "" "x" [] {} [[]] [{}] {a=1} 1979-05-27 07:32:00 "\u0000" "~" 0.0 -0
999999999999999999999999 "http://[" 'a"b' "é😀" [1,"a",{}] 1e-400 "live" "mysql://u:p@h/d"
"""
odd_values = st.sampled_from(ODD.split())
odd_lines = st.sampled_from(
    [
        "[x]",
        "[[markets]]",
        "[markets]",
        "[[venues]]",
        "[venues.bybit.key]",
        "[risk.leverage.x]",
        "[defaults.parameters.a]",
    ]
)


def outcome(path: Path, environ: dict[str, str] | None = None) -> None:
    """Load the file; a refusal must say what and where. Another exception fails the test."""
    try:
        load(path, environ or {})
    except ConfigInvalid as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.message and problem.file for problem in problems)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file that is mutated."""
    return tmp_path / "kangbot.toml"


quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_truncated_at_every_byte(path: Path) -> None:
    """A file that was being written when it was read."""
    for length in range(0, len(BYTES), 9):
        path.write_bytes(BYTES[:length])
        outcome(path)


@quick
@given(at=st.integers(0, len(BYTES) - 1), junk=st.binary(min_size=1, max_size=8))
def test_overwritten_bytes(path: Path, at: int, junk: bytes) -> None:
    """A file that a disk or an editor damaged."""
    path.write_bytes(BYTES[:at] + junk + BYTES[at + len(junk) :])
    outcome(path)


@quick
@given(number=st.integers(0, len(LINES) - 1), value=odd_values)
def test_a_value_of_another_kind(path: Path, number: int, value: str) -> None:
    """Any key with any value: wrong types, extremes, other alphabets."""
    key, equals, _ = LINES[number].partition("=")
    changed = [
        *LINES[:number],
        f"{key}{equals} {value}" if equals else f"{LINES[number]} {value}",
        *LINES[number + 1 :],
    ]
    path.write_text("\n".join(changed), encoding="utf-8")
    outcome(path)


@quick
@given(st.lists(st.tuples(st.integers(0, len(LINES)), odd_lines | odd_values.map("x = {}".format)), max_size=4))
def test_lines_put_in(path: Path, added: list[tuple[int, str]]) -> None:
    """Unknown keys, tables where values belong, values where tables belong."""
    lines = list(LINES)
    for at, line in added:
        lines.insert(at, line)
    path.write_text("\n".join(lines), encoding="utf-8")
    outcome(path)


@quick
@given(st.permutations(LINES))
def test_lines_in_another_order(path: Path, lines: list[str]) -> None:
    """Every key in a section that is not its own."""
    path.write_text("\n".join(lines), encoding="utf-8")
    outcome(path)


NAMES = """
MODE MARKETS VENUES VENUES__BYBIT VENUES__BYBIT__REST_URL DEFAULTS DEFAULTS__PARAMETERS DEFAULTS__PARAMETERS__FAST
DATABASE__URL DATABASE__POOL_SIZE__X RISK__LEVERAGE LIVE__I_UNDERSTAND __ X_ DEFAULTS__ STATE_DIR
"""
names = st.sampled_from(NAMES.split())
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@quick
@given(st.dictionaries(names.map("KANGBOT_{}".format), odd_values | texts | st.just('[{"symbol": "\\ud800"}]')))
def test_variables_with_anything_in_them(path: Path, environ: dict[str, str]) -> None:
    """The environment is as little to be trusted as the file."""
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    outcome(path, environ)
