"""How the embedded history is opened."""

import sqlite3
from contextlib import closing
from pathlib import Path

from kangbot.storage.sqlite import _connect


def test_a_person_may_read_for_as_long_as_they_like(tmp_path: Path) -> None:
    """They see what was there when they began, and nobody waits for them."""
    path = tmp_path / "history.sqlite"
    with closing(_connect(path)) as ours, closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as theirs:
        ours.execute("CREATE TABLE orders (id)")
        theirs.execute("BEGIN")
        assert theirs.execute("SELECT * FROM orders").fetchall() == []
        ours.execute("INSERT INTO orders VALUES (1)")
        assert theirs.execute("SELECT * FROM orders").fetchall() == []
        theirs.execute("COMMIT")
        assert theirs.execute("SELECT * FROM orders").fetchall() == [(1,)]


def test_what_is_stored_outlives_the_loss_of_power(tmp_path: Path) -> None:
    """The journal lets go of what it says it has: each commit is on the disk when it returns."""
    with closing(_connect(tmp_path / "history.sqlite")) as ours:
        assert ours.execute("PRAGMA synchronous").fetchone() == (2,)
