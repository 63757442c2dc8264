"""A file that is no whole dump is told in words, before a table is touched."""

import gzip
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman
from kangbot.storage.dump import revision_of
from kangbot.storage.tables import REVISION

HEAD = b'{"revision":"%s"}\n' % REVISION.encode()


def test_the_revision_stands_first(tmp_path: Path) -> None:
    """A later kangbot's is refused: it may have tables that would be left out."""
    file = tmp_path / "history.jsonl.gz"
    file.write_bytes(gzip.compress(HEAD))
    assert revision_of(file) == REVISION
    file.write_bytes(gzip.compress(b'{"revision":"9999"}\n'))
    with pytest.raises(NeedsHuman):
        revision_of(file)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no gzip",
        gzip.compress(b""),
        gzip.compress(b"[1]\n"),
        gzip.compress(b"no JSON\n"),
        gzip.compress(HEAD)[:-12],
        gzip.compress(HEAD)[:10] + b"\xff" + gzip.compress(HEAD)[11:],  # a kind of block that there is not
    ],
    # Names of their own: gzip stamps the time, and processes that share the tests out must have the same names.
    ids=["nothing", "no-gzip", "empty", "no-head", "no-json", "cut", "broken"],
)
def test_what_is_no_dump_is_a_value_error(tmp_path: Path, raw: bytes) -> None:
    """Which the restore has words for, wherever the file was cut or changed."""
    file = tmp_path / "history.jsonl.gz"
    file.write_bytes(raw)
    with pytest.raises(ValueError, match=r"."):
        revision_of(file)
