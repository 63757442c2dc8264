"""The file itself: read, or refused in words that say where and why."""

from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid
from kangbot.settings import sources
from kangbot.settings.loading import load
from kangbot.settings.sources import Origin, merged, nearest, nested, value_at

from .conftest import MARKET, Mistakes


def test_where_a_service_is_installed_its_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever types a command without --config beside it means that one, and does not know where it is."""
    missing, service = tmp_path / "config" / "kangbot.toml", tmp_path / "etc" / "kangbot.toml"
    monkeypatch.setattr(sources, "SERVICE", service)
    with pytest.raises(ConfigInvalid, match=r"or name another with --config\."):
        load(missing, {})
    service.parent.mkdir()
    service.write_text(MARKET)
    with pytest.raises(ConfigInvalid, match=rf"or name another with --config; the service's is {service}\."):
        load(missing, {})


def test_a_line_is_told_although_another_key_of_its_section_comes_from_a_variable(mistakes: Mistakes) -> None:
    """Origin is known key by key."""
    (found,) = mistakes(f'[venues.bybit]\nrest_url = "ftp://x"\n{MARKET}', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert (found.line, found.key) == (2, "venues.bybit.rest_url")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8, not TOML, too large, too deep: each in one message, with its line."""
    missing = tmp_path / "missing.toml"
    binary, broken, deep, digits = (tmp_path / name for name in ("binary", "broken", "deep", "digits"))
    binary.write_bytes(b"mode = 'sandbox'\n\xff\xfe")
    broken.write_text("[defaults\nsize = 5\n")
    deep.write_text("a = " + "[" * 20_000)
    digits.write_text("a = " + "9" * 10_000)
    large = tmp_path / "large"
    large.write_bytes(b"#" * 5_000_000)
    expected = {
        missing: "no such file",
        tmp_path: "is a directory",
        binary: ":2: is not UTF-8",
        broken: ":1: is not TOML",
        deep: "nested too deeply",
        digits: "too large",
        large: "larger than",
        Path("a\0b"): "cannot be read",
    }
    for path, words in expected.items():
        with pytest.raises(ConfigInvalid) as caught:
            load(path, {})
        assert words in caught.value.message


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("mode = paper", "straight quotes"),
        ("mode = “paper”", "straight quotes"),
        ("; a remark", "begins with #"),
        ("mode: 'paper'", "key = value"),
        ("pool_size = 2 // two", "begins with #"),
        ("size = 1,5", "has a point"),
        ('state_dir = "C:\\state"', "single quotes"),
        ('state_dir = "C:\\Users"', "single quotes"),
        ('mode = "paper', "Close the text"),
        ("state_dir = 'a", "Close the text"),
        ('state_dir = """a', "Close the text"),
        ("[risk\nleverage = 1", "between brackets"),
        ("a = [1", "Close it with ]"),
        ("mode = 'paper'\nmode = 'paper'", "each key once"),
        ("[risk]\n[risk]", "each [section] once"),
        ("mode\u00a0= 'paper'", "at column 5 again: it is not seen, and no space (U+00A0)"),
        ("\u200bmode = 'paper'", "at column 1 again: it is not seen, and no space (U+200B)"),
        ("mode = 'paper'\u3000# a remark", "at column 15 again"),
        ("mode = paper # a\u00a0remark", "straight quotes"),
    ],
)
def test_what_is_not_toml_is_told_with_how_it_is_written(tmp_path: Path, line: str, remedy: str) -> None:
    """Whoever writes a configuration for the first time does not know the format's words."""
    path = tmp_path / "kangbot.toml"
    path.write_text(f"{line}\n{MARKET}")
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    assert remedy in caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\nmode = paper\n", 2, "is not TOML: invalid value at column 8"),
        ("\n\n[risk]\nstop_policy = [1,\n", 5, " at the end of the file"),
        ("a = 1e1001\n", 0, "holds a number too large to be one"),
        ("a = 1e-1001\n", 0, "holds a number too large to be one"),
    ],
)
def test_what_is_not_toml_is_told_with_its_place(tmp_path: Path, text: str, line: int, words: str) -> None:
    """Line and column, or that the file ends too early."""
    path = tmp_path / "kangbot.toml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert problem.line == line
    assert words in problem.message


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """A file edited on another system is still a file."""
    path = tmp_path / "kangbot.toml"
    path.write_bytes(b"\xef\xbb\xbf" + f"mode = 'paper'\n{MARKET}".replace("\n", "\r\n").encode())
    assert load(path, {}).mode == "paper"


def test_a_place_is_that_of_the_file_also_where_markets_were_taken_out() -> None:
    """Without the wrong ones they have other numbers; of a key that is not there it is the closest table's."""
    origin = Origin(file="k.toml", lines={("markets", 2): 7, ("markets", 2, "symbol"): 8}, kept=(0, 2))
    found = origin.problem(("markets", 1, "symbol"), "wrong", "right it")
    assert (found.key, found.line, found.file) == ("markets[2].symbol", 8, "k.toml")
    assert (found.message, found.remedy) == ("wrong", "right it")
    assert origin.line(("markets", 1, "size")) == 7
    assert origin.line(("risk", "leverage")) == 0


def test_a_variable_is_named_as_it_was_written_and_the_file_where_it_says_the_key() -> None:
    """Of a list that a variable gave, it is to blame for each part."""
    origin = Origin(
        file="k.toml",
        lines={("logs",): 3, ("logs", "level"): 4},
        overlay={"logs": {"format": "json"}, "markets": [{"symbol": "x"}]},
        names=("Kangbot_Logs__Format", "KANGBOT_MARKETS", "PATH"),
    )
    for key, file, said in (
        (("logs", "format"), "environment", "Kangbot_Logs__Format"),
        (("markets", 0, "symbol"), "environment", "KANGBOT_MARKETS"),
        (("logs", "level"), "k.toml", "logs.level"),
    ):
        found = origin.problem(key, "wrong")
        assert (found.file, found.key, found.line) == (file, said, 4 if file == "k.toml" else 0)
    assert origin.in_file(("logs", "format"), "wrong").line == 3


def test_a_misspelt_name_is_met_by_its_neighbour_and_another_by_nobody() -> None:
    """In whatever letters."""
    assert nearest("Databse", ("database", "defaults")) == "Did you mean database?"
    assert nearest("zzz", ("database", "defaults")) == ""


def test_tables_are_laid_over_each_other_table_by_table() -> None:
    """And neither of the two is changed; a value covers a table, and a table a value."""
    below, above = {"a": {"x": 1, "y": {"z": 2}}, "b": 3}, {"a": {"y": {"w": 4}}, "b": {"c": 5}}
    assert merged(below, above) == {"a": {"x": 1, "y": {"z": 2, "w": 4}}, "b": {"c": 5}}
    assert below == {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    assert merged(below, {"a": 7})["a"] == 7
    assert value_at(below, ("a", "y", "z")) == 2
    assert value_at(below, ("b", "z")) is None
    assert value_at(below, ("a", "q", "z")) is None
    assert nested(("a", "b"), 1) == {"a": {"b": 1}}
