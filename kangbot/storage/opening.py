"""A history by its address: the embedded file, or a server behind a pool. Nothing is connected before its first use."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from socket import gethostname
from typing import Protocol

from kangbot.health.report import PoolReport
from kangbot.model.events import Record
from kangbot.ports import History, Shelf
from kangbot.storage.migrate import upgrade_apart
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import DatabaseUrl, SqliteUrl

_MACHINE = Path("/etc/machine-id")


class Readable(History, Shelf, Protocol):
    """A history that can be looked through, and read back for a journal that was lost."""

    def pool(self) -> PoolReport | None:
        """Return how its connections are used; None where it has no pool of them."""

    async def journals(self) -> Mapping[str, int]:
        """Return how far each journal is stored, by its tag."""

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        """Return at most `limit` of its records with sequence > `after`, in order; bars are not among them."""


def place_of(state_dir: Path, machine: Path = _MACHINE) -> str:
    """Return the name by which a daemon with this state folder is told to others that would write where it does.

    Rented servers are often all called the same, so the machine's id is in it too; shortened and mixed, for it is not
    to be shown: man 5 machine-id. A container has none, and a host name that is drawn.
    """
    try:
        mark = f" ({sha256(b'kangbot' + machine.read_bytes().strip()).hexdigest()[:6]})"
    except OSError:
        mark = ""
    return f"{gethostname()}{mark}:{state_dir.absolute()}"


def open_history(
    url: DatabaseUrl,
    draw: Callable[[], float],
    *,
    pool_size: int,
    connect_s: float,
    statement_s: float,
    copies: Path,
    place: str = "",
    keep_bars: int = 0,
) -> Readable:
    """Return the history at `url`; the numbers are a server's.

    Its rows are copied into the folder `copies` before its schema changes. `place` is that of the daemon that writes
    there, which keeps `keep_bars` of each market's closed bars (0: all); who only reads has neither.
    """
    prepare = partial(upgrade_apart, url, copies)
    if isinstance(url, SqliteUrl):
        return SqliteHistory(url.path, prepare, place, keep_bars)
    from kangbot.storage.mysql import MysqlHistory  # noqa: PLC0415 -- 8 MB that an embedded history saves
    from kangbot.storage.pool import Pool  # noqa: PLC0415 -- same

    pool = Pool(url, draw, size=pool_size, connect_s=connect_s, statement_s=statement_s)
    return MysqlHistory(pool, prepare, place, keep_bars)
