"""An upgrade over many rows takes room: on the disk, and where its indexes are sorted."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.migrate import check, upgrade
from kangbot.storage.tables import REVISION
from kangbot.storage.url import parse
from tests.support import mariadb

OLD = "0004"  # the next one makes indexes
ROWS = 100_000


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    folder = tmp_path / "little"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=False).returncode:
        pytest.skip("this host lets not even root mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.mariadb
def test_a_server_without_room_to_sort_an_index_calls_a_person(little: Path, tmp_path: Path) -> None:
    """Tried again, it would come to the same, after minutes. With room the same upgrade goes on."""
    with mariadb.running(tmp_path / "server") as server:
        name = server.database()
        url = parse(server.url(name))
        upgrade(url, to=OLD)
        server.sql(
            "INSERT INTO events (journal, sequence, at, at_ns, kind, market, body) SELECT 'abcdefgh', seq,"
            f" '2026-01-01' + INTERVAL seq SECOND, 0, 'noted', CONCAT('market ', seq % 27), '{{}}' "
            f"FROM seq_1_to_{ROWS}",
            database=name,
        )
        server.stop()
        server.start(f"--tmpdir={little}")
        with pytest.raises(NeedsHuman, match="cannot be migrated: Temporary file write failure") as caught:
            upgrade(url)
        assert "tmpdir" in caught.value.remedy
        assert check(url).current == OLD
        server.stop()
        server.start()
        assert upgrade(url).current == OLD
        assert check(url).current == REVISION
