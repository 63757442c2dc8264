"""The file of a backup: what is put into it comes out as it was, and what is wrong with it is said in words."""

import contextlib
import errno
import os
import shutil
import stat
import zipfile
from pathlib import Path

import msgspec
import pytest

from kangbot.cli.archive import FORMAT, Manifest, beside, checksum, clear, must_be_there, packed, unpacked
from kangbot.cli.restore import restore
from kangbot.errors import NeedsHuman, Refused

CONTENT = {"journal.sqlite": b"records", "kangbot.toml": b"mode", "config/0001-x-start.toml": b"mode", "KILL": b"news"}
MANIFEST = """\
{"format": 2, "kangbot": "0.1.0", "at_ns": 0, "mode": "sandbox", "venue": "bybit", "history": "server",
 "files": {"journal.sqlite": "0"}}
"""


def archived(folder: Path, content: dict[str, bytes], *, names: tuple[str, ...] | None = None) -> Path:
    """Return a backup of this content; its manifest has these `names`."""
    source = folder / "source"
    for name, data in content.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    files = {name: checksum(source / name) if name in content else "0" for name in names or content}
    file = packed(source, manifest_of(files)) if names is None else _zipped(folder, files, content)
    return Path(shutil.move(file, folder / "backup.zip"))


def _zipped(folder: Path, files: dict[str, str], content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "made.zip", "w") as archive:
        archive.writestr("manifest.json", msgspec.json.encode(manifest_of(files)))
        for name, data in {**dict.fromkeys(files, b""), **content}.items():
            archive.writestr(name, data)
    return folder / "made.zip"


def manifest_of(files: dict[str, str]) -> Manifest:
    """Return a manifest that names these files."""
    return Manifest(format=FORMAT, kangbot="0.1.0", at_ns=7, mode="paper", venue="bybit", history="server", files=files)


def taken_out(folder: Path, file: Path) -> Manifest:
    """Unpack it into a folder of its own."""
    out = folder / "out"
    out.mkdir()
    return unpacked(file, out)


def test_what_is_packed_comes_out_as_it_was(tmp_path: Path) -> None:
    """And is its owner's alone meanwhile: the history of an account is in it."""
    file = archived(tmp_path, CONTENT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    manifest = taken_out(tmp_path, file)
    assert manifest.files == {name: checksum(tmp_path / "source" / name) for name in CONTENT}
    assert {name: (tmp_path / "out" / name).read_bytes() for name in manifest.files} == CONTENT


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


@pytest.mark.parametrize(
    "manifest",
    ["{", "[]", "7", "{}", '{"format": "2"}', '{"format": null}', '{"format": 2}', MANIFEST.replace('"0"', "0")],
)
def test_a_manifest_that_is_none_is_told(tmp_path: Path, manifest: str) -> None:
    """Whatever stands in its place."""
    file = tmp_path / "backup.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", manifest)
    with pytest.raises(NeedsHuman, match=r"backup\.zip is no backup that can be read: ") as refused:
        taken_out(tmp_path, file)
    assert refused.value.remedy == "take another backup"


def test_a_backup_of_a_later_kangbot_is_told_to_be_one(tmp_path: Path) -> None:
    """Whatever else its manifest has by then: the file is in order, and another one would be no better."""
    file = tmp_path / "backup.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", f'{{"format": {FORMAT + 1}, "parts": []}}')
    with pytest.raises(NeedsHuman, match=r"was written by a later kangbot$") as refused:
        taken_out(tmp_path, file)
    assert refused.value.remedy == "restore it with that version"


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "config/../../x", "config", "other.sqlite", "config/a/b", "state/KILL"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Nothing is unpacked where one would, not even what stands before it."""
    file = archived(tmp_path, CONTENT, names=(*CONTENT, name))
    with pytest.raises(NeedsHuman, match="it has a file of a strange name"):
        taken_out(tmp_path, file)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("lost", ["journal.sqlite", "kangbot.toml"])
def test_a_backup_without_memory_or_configuration_is_not_whole(tmp_path: Path, lost: str) -> None:
    """A daemon would begin as if it had never traded."""
    file = archived(tmp_path, {name: data for name, data in CONTENT.items() if name != lost})
    with pytest.raises(NeedsHuman, match="is damaged: it is not whole"):
        taken_out(tmp_path, file)


def test_each_file_of_another_content_is_named(tmp_path: Path) -> None:
    """By its checksum: a journal that differs in a byte is another."""
    file = archived(tmp_path, {**CONTENT, "KILL": b"other"}, names=tuple(CONTENT))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("KILL", b"otheR")
    with pytest.raises(NeedsHuman, match=r"is damaged: KILL$"):
        taken_out(tmp_path, file)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_is_full_by_then_is_no_fault_of_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A quota is in no figure of the disk. Whoever is told to take another backup may throw the good one away."""

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    file = archived(tmp_path, CONTENT)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(Refused, match=rf"backup\.zip cannot be unpacked: .* cannot be written: {os.strerror(number)}"):
        taken_out(tmp_path, file)


def test_a_file_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path) -> None:
    """A folder is none either."""
    for nothing in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(NeedsHuman, match=f"{nothing} is no backup that can be read: No such file"):
            must_be_there(nothing)
    (tmp_path / "one.zip").touch()
    must_be_there(tmp_path / "one.zip")


def test_the_folder_beside_a_file_is_gone_afterwards(tmp_path: Path) -> None:
    """Whatever ends the block; one that is in use is left alone, and one that nobody holds any more is removed."""
    (tmp_path / ".scratch-left").mkdir()
    (tmp_path / ".scratch-left" / "half").touch()
    (tmp_path / ".other-left").mkdir()
    with contextlib.suppress(ZeroDivisionError), beside(tmp_path / "backup.zip", ".scratch-") as folder:
        assert folder.parent == tmp_path
        assert [path.name for path in tmp_path.iterdir() if path != folder] == [".other-left"]
        clear(tmp_path, ".scratch-")
        assert folder.is_dir()
        _ = 1 // 0
    assert [path.name for path in tmp_path.iterdir()] == [".other-left"]


def test_a_place_for_no_folder_is_told_by_the_name_that_was_typed(tmp_path: Path) -> None:
    """With the folder that refuses it."""
    file = tmp_path / "nowhere" / "backup.zip"
    with pytest.raises(Refused, match=f"^{file} cannot be written: No such file or directory: {file.parent}"):
        beside(file, ".scratch-").__enter__()
