"""Which files are copies of a server's history, which is one already, and what is refused.

How a copy is made of a real server's rows is in tests/conformance/history/test_keep.py.
"""

import asyncio
import errno
import gzip
import json
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.keep import KEPT, PACKED, Keeping, copies, keep
from kangbot.storage.room import SPARE
from kangbot.storage.tables import REVISION
from kangbot.storage.url import MysqlUrl
from tests.support.records import NOON_NS
from tests.support.scripted_server import Answer, ScriptedServer

MILLISECOND_NS = 1_000_000


def named(revision: str, at: str) -> str:
    """The name of a copy."""
    return f"history.revision-{revision}.{at}.jsonl.gz"


def holding(stored: int | None, *, size: int = 0, rows: bool = True) -> ScriptedServer:
    """A server with a journal stored so far; None: its table of journals is gone."""

    def respond(said: str) -> Answer:
        if said == "SHOW TABLES":
            return [["orders"], ["journals"]] if stored is not None else [["orders"]]
        if "data_length" in said:
            return [[size]]
        if "information_schema" in said:
            return [["1"]]
        if "alembic_version" in said:
            return [["0003"]]
        if said.startswith("SELECT tag, `stored`"):
            return [["abcdefgh", stored]]
        if said.startswith("SHOW COLUMNS"):
            return [["tag"], ["stored"]] if "journals" in said else [["client_id"]]
        if said.startswith("SELECT"):
            return ([["abcdefgh", stored]] if "journals" in said else [["kb1"]]) if rows else []
        return None

    return ScriptedServer(respond)


async def kept(url: MysqlUrl, folder: Path, *, revision: str = "0003", at_ns: int = NOON_NS) -> Path | None:
    """Keep a copy: it has a loop of its own."""
    return await asyncio.to_thread(keep, url, revision, Keeping(folder=folder, now_ns=at_ns))


def test_copies_are_told_by_their_names_and_stand_in_the_order_of_their_making(tmp_path: Path) -> None:
    """Not in that of their revisions; what is no whole copy, or of somebody else, is none."""
    times = ("20251231T235959.999999Z", "20260101T000000.000002Z", "20260101T000000.000010Z")
    oldest, older, newer = map(named, ("0002", "0003", "0001"), times)
    strangers = (f"{newer}.part", "history.sqlite", "history.revision-0003.jsonl.gz", f"my {older}")
    for name in (newer, oldest, older, *strangers):
        (tmp_path / name).touch()
    assert [path.name for path in copies(tmp_path)] == [oldest, older, newer]
    assert copies(tmp_path / "nowhere") == []


async def test_a_copy_is_its_owners_alone_and_named_by_revision_and_time(tmp_path: Path) -> None:
    """Whole, or not there; the folder is made for it."""
    async with holding(41) as server:
        copy = await kept(server.url, tmp_path / "disk" / "state", at_ns=1_790_000_000_500_000_000)
    assert copy == tmp_path / "disk" / "state" / named("0003", "20260921T141320.500000Z")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert list(copy.parent.iterdir()) == [copy]
    lines = [json.loads(line) for line in gzip.decompress(copy.read_bytes()).splitlines()]
    assert (lines[0], lines[-1]) == ({"revision": "0003"}, {"rows": 2})


@pytest.mark.parametrize("stored", [41, None])
async def test_what_is_copied_already_is_not_copied_again(tmp_path: Path, stored: int | None) -> None:
    """A migration that fails each minute would push out the copies of better days; by the marks, if any are left."""
    async with holding(stored) as server:
        first = await kept(server.url, tmp_path)
        assert await kept(server.url, tmp_path, at_ns=NOON_NS + MILLISECOND_NS) == first
        # An upgrade that was killed half-way has an older schema's copy, and the version before needs that one.
        assert await kept(server.url, tmp_path, revision="0005", at_ns=NOON_NS + MILLISECOND_NS) == first
        later = await kept(server.url, tmp_path, revision="0002", at_ns=NOON_NS + MILLISECOND_NS)
        assert later != first, "one of a later schema is of no use to it"
    async with holding(42) as server:
        assert await kept(server.url, tmp_path, at_ns=NOON_NS + 2 * MILLISECOND_NS) == copies(tmp_path)[-1]
    assert len(copies(tmp_path)) == 3


async def test_a_file_of_that_name_that_is_no_copy_is_passed_over(tmp_path: Path) -> None:
    """Whatever it holds; nor does it keep the upgrade from going on."""
    for number, content in enumerate(
        (b"", b"no gzip", gzip.compress(b"5\n"), gzip.compress(b'{"revision":"0003"}\n5'))
    ):
        (tmp_path / named("0003", f"20260101T000000.00000{number}Z")).write_bytes(content)
    async with holding(41) as server:
        copy = await kept(server.url, tmp_path)
    assert copy == copies(tmp_path)[-1]
    assert len(copies(tmp_path)) == KEPT, "the newest stay"


async def test_a_history_without_a_row_leaves_no_folder(tmp_path: Path) -> None:
    """There is nothing to lose."""
    async with holding(0, rows=False) as server:
        assert await kept(server.url, tmp_path / "state") is None
    assert not (tmp_path / "state").exists()


async def test_room_is_asked_for_before_the_first_byte_and_before_each_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of what the server has, and what the journal needs beside it; else it is refused with the ways on."""
    size = 900 << 20
    need = size // PACKED + SPARE
    for free in ([need - 1], [need, SPARE - 1]):
        left = [*free]
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _, left=left: SimpleNamespace(free=left.pop(0) if len(left) > 1 else left[0])
        )
        async with holding(41, size=size) as server:
            with pytest.raises(NeedsHuman, match="cannot be copied before its tables change, so they are left") as told:
                await kept(server.url, tmp_path)
        assert "--without-copy" in told.value.remedy
        assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=need))
    async with holding(41, size=size) as server:
        assert await kept(server.url, tmp_path) is not None


@pytest.mark.parametrize("of_file", [True, False])
async def test_a_copy_that_did_not_reach_the_disk_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_file: bool
) -> None:
    """The tables change next: after a power cut an empty file, or none, would stand in their place."""
    flush = os.fsync

    def fails(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode) is of_file:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(handle)

    async with holding(41) as server:
        with monkeypatch.context() as worn_out:
            worn_out.setattr(os, "fsync", fails)
            with pytest.raises(NeedsHuman, match=r"so they are left: .*: Input/output error"):
                await kept(server.url, tmp_path)
        assert len(copies(tmp_path)) == (not of_file)
        assert not list(tmp_path.glob("*.part"))


async def test_what_a_kill_has_left_is_cleared_and_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    """A half of somebody else's file stays."""
    half, theirs = tmp_path / f"{named('0001', '20260101T000000.000000Z')}.part", tmp_path / "rows.jsonl.gz.part"
    half.touch()
    theirs.touch()
    (tmp_path / "file").touch()
    async with holding(41) as server:
        assert await kept(server.url, tmp_path) is not None
        assert (half.exists(), theirs.exists()) == (False, True)
        with pytest.raises(NeedsHuman, match="File exists"):
            await kept(server.url, tmp_path / "file")
    assert REVISION > "0003", "else this would be no older schema"
