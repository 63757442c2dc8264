"""A backup that cannot be read is refused in words, whatever is wrong with it."""

import os
import zipfile
from pathlib import Path

import pytest

from kangbot.cli import database
from kangbot.cli.backup import backup, restore
from kangbot.errors import NeedsHuman, Refused

MANIFEST = """\
{"format": 2, "kangbot": "0.1.0", "at_ns": 0, "mode": "sandbox", "venue": "bybit", "history": "server",
 "files": {"journal.sqlite": "0"}}
"""


def test_bytes_that_changed_on_the_way_are_told(tmp_path: Path) -> None:
    """A stream that cannot be unpacked at all, too: nothing is placed, and the operator learns which file it is."""
    file, config = tmp_path / "backup.zip", tmp_path / "kangbot.toml"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", MANIFEST)
        archive.writestr("journal.sqlite", b"records " * 100)
        begins = archive.getinfo("journal.sqlite").header_offset + 30 + len("journal.sqlite")
    raw = bytearray(file.read_bytes())
    raw[begins] = 0xFF  # a kind of block that there is not
    file.write_bytes(raw)
    with pytest.raises(NeedsHuman, match=r"backup\.zip is no backup that can be read"):
        restore(config, file)
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_place_that_takes_no_file_is_told_by_the_name_that_was_typed(tmp_path: Path) -> None:
    """Not by that of the folder beside it in which the backup is made."""
    config = tmp_path / "kangbot.toml"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    nowhere = tmp_path / "nowhere"
    with pytest.raises(Refused, match=rf"^{nowhere / 'backup.zip'} cannot be written: No such file or directory"):
        backup(config, nowhere / "backup.zip")
    for special in (tmp_path, Path(os.devnull)):
        with pytest.raises(Refused, match="it is no plain file; name one"):
            backup(config, special)
    with pytest.raises(NeedsHuman, match=r"nowhere is no backup that can be read: No such file or directory$"):
        restore(config, nowhere)
    assert [path.name for path in tmp_path.iterdir()] == [config.name]


def test_a_copy_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any database is asked."""
    monkeypatch.setenv("KANGBOT_DATABASE__URL", "mysql://nobody@127.0.0.1:1/none")
    config, empty = tmp_path / "kangbot.toml", tmp_path / "empty"
    config.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    empty.write_bytes(b"")
    for file, why in ((tmp_path / "none", "No such file or directory"), (empty, "it is no dump of a history")):
        with pytest.raises(NeedsHuman, match=f"the history cannot be restored: {file}: {why}"):
            database.restore(config, file)
