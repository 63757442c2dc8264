"""The file itself: read, or refused in words that say where and why."""

from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid
from kangbot.settings import sources
from kangbot.settings.loading import load

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
        ("mode = 'paper'\nmode = 'paper'", "each key once"),
        ("[risk]\n[risk]", "each [section] once"),
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
