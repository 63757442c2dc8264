"""JSON as people write it, with the place of a mistake."""

from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.importing import import_config
from kangbot.cli.importing.reading import read
from kangbot.errors import ConfigInvalid
from kangbot.settings.plain import LARGEST


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1,\n  // why\n "b" 2}', r"0\.json:3: is not JSON at column 6"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b"[1, 2]", "holds no JSON object"),
        (b'{"symbol": [".*"]}', "names no market that kangbot could trade"),
        (b"[" * 100_000, "beyond all bounds"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "beyond all bounds"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: bytes, words: str) -> None:
    """File and line, as an editor counts them; nothing is written."""
    source = tmp_path / "0.json"
    source.write_bytes(text)
    with pytest.raises(ConfigInvalid, match=words):
        import_config([source], tmp_path / "kangbot.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["0.json"]


def test_comments_inside_of_text_stay(tmp_path: Path) -> None:
    """An address has two slashes, and a name may have a comma before a bracket."""
    source = tmp_path / "a.json"
    source.write_text('{"url": "https://x/*y*/", "name": ",]", "list": [1, 2 , ] // end\n, }')
    assert read(source) == {"url": "https://x/*y*/", "name": ",]", "list": [1, 2]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: no such file or directory"),
        (b" " * (LARGEST + 1), f"is larger than {LARGEST} bytes"),
        (b'{"a": 1} // end\n{"b": 2}', "is not JSON at column 1: Extra data"),
        (b'{"a": "// not a remark}', "is not JSON at column 7"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: bytes | None, words: str) -> None:
    """Before anything is made of it."""
    source = tmp_path / "a.json"
    if text is not None:
        source.write_bytes(text)
    with pytest.raises(ConfigInvalid, match=words):
        read(source)


def test_amounts_are_exact_and_a_mark_of_its_editor_is_passed_over(tmp_path: Path) -> None:
    """0.1 is a tenth."""
    source = tmp_path / "a.json"
    source.write_bytes(b'\xef\xbb\xbf{"a": 0.1, "b": 7 /* of\n each */}')
    assert read(source) == {"a": Decimal("0.1"), "b": 7}
