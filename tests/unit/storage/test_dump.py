"""A file that is no whole dump is told in words, before a table is touched; and what a line of one is."""

import gzip
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.storage.dump import _line, dump, empty, extent, fill, marks, revision_of
from kangbot.storage.tables import NAMES, REVISION
from tests.support.scripted_server import Answer, Fault, ScriptedServer

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
    for read in (revision_of, marks):
        with pytest.raises(ValueError, match=r"."):
            read(file)


def packed(path: Path, *lines: object) -> Path:
    """Write these lines, as a dump has them."""
    path.write_bytes(gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode()))
    return path


def test_how_far_each_journal_is_stored_is_read_from_the_first_table_alone(tmp_path: Path) -> None:
    """Whatever columns later versions give it; what stands behind it may be gigabytes, or be cut."""
    file = packed(
        tmp_path / "rows.gz",
        {"revision": REVISION},
        {"table": "journals", "columns": ["place", "tag", "stored"]},
        ["here", "abcdefgh", 41],
        [None, "other123", "7"],
        {"table": "orders", "columns": ["client_id"]},
        "nobody reads this",
    )
    assert marks(file) == {"abcdefgh": 41, "other123": 7}


@pytest.mark.parametrize(
    "lines",
    [
        [{"table": "journals", "columns": ["tag", "stored"]}, {"rows": 0}],
        [{"table": "positions", "columns": ["market"]}, ["one"], {"rows": 1}],
        [{"rows": 0}],
    ],
    ids=["no-row", "table-dropped", "no-table"],
)
def test_a_dump_may_say_nothing_of_journals(tmp_path: Path, lines: list[object]) -> None:
    """A history in which nothing is stored, or whose table of them somebody had dropped, is one all the same."""
    assert marks(packed(tmp_path / "rows.gz", {"revision": REVISION}, *lines)) == {}


@pytest.mark.parametrize(
    "lines",
    [[], [5], ["text"], [{}], [{"table": "journals", "columns": ["mine"]}], [{"table": "journals"}], [["a", 1]]],
    ids=json.dumps,
)
def test_a_file_whose_second_line_makes_no_sense_is_no_dump(tmp_path: Path, lines: list[object]) -> None:
    """A ValueError, whatever it is: a file of that name may be anybody's."""
    with pytest.raises(ValueError, match="no dump of a history"):
        marks(packed(tmp_path / "rows.gz", {"revision": REVISION}, *lines))


def test_a_row_of_another_length_than_its_table_is_damaged(tmp_path: Path) -> None:
    """It may not be taken for one that lacks its last column."""
    head = {"table": "journals", "columns": ["tag", "stored"]}
    with pytest.raises(ValueError, match="argument"):
        marks(packed(tmp_path / "rows.gz", {"revision": REVISION}, head, ["abcdefgh"]))


# -------------------------------------------------------------------------------------------------------- on the wire
HEAD_LINE = {"revision": REVISION}
ORDERS = {"table": "orders", "columns": ["client_id", "price"]}


def bare(said: str) -> Answer:
    """A server with our tables, without a row."""
    return [[name] for name in NAMES] if said == "SHOW TABLES" else [] if said.startswith("SELECT") else None


async def filled(server: ScriptedServer, path: Path) -> list[str]:
    """Fill it, and return what was said behind the look whether it is empty."""
    await fill(server.url, path)
    return [said for said in server.said if not said.startswith(("SELECT", "SHOW"))]


async def test_rows_go_in_within_one_transaction_in_portions(tmp_path: Path) -> None:
    """Five hundred at a time, each table's behind its own head; amounts and absent values as they stand."""
    rows = [[f"kb{number}", None if number % 2 else "0.010"] for number in range(501)]
    file = packed(
        tmp_path / "rows.gz",
        HEAD_LINE,
        {"table": "journals", "columns": ["tag", "stored"]},
        ["it's", 41],
        ORDERS,
        *rows,
        {"rows": 502},
    )
    async with ScriptedServer(bare) as server:
        begin, journals, first, second, commit = await filled(server, file)
        assert (begin, commit) == ("START TRANSACTION", "COMMIT")
        assert journals == r"INSERT INTO `journals` (`tag`, `stored`) VALUES ('it\'s', 41)"
        assert first.startswith("INSERT INTO `orders` (`client_id`, `price`) VALUES ('kb0', '0.010'), ('kb1', NULL), ")
        assert (first.count("('kb"), second.count("('kb")) == (500, 1)


@pytest.mark.parametrize(
    "lines",
    [
        [ORDERS, ["a", "1"]],
        [ORDERS, ["a", "1"], {"rows": 2}],
        [ORDERS, ["a", "1"], {"rows": 0}],
        [{"table": "mysql.user", "columns": ["a"]}, ["a"], {"rows": 1}],
        [{"table": "orders", "columns": ["a`, (SELECT 1)"]}, ["a"], {"rows": 1}],
        [{"table": ["orders"], "columns": ["a"]}, ["a"], {"rows": 1}],
        [{"table": "orders", "columns": [["a"]]}, ["a"], {"rows": 1}],
        [{"table": "orders"}, ["a"], {"rows": 1}],
        [{"table": "orders", "columns": []}, [], {"rows": 1}],
        [{"table": "orders", "columns": 1}, ["a"], {"rows": 1}],
        [["a"], {"rows": 1}],
        [ORDERS, ["a", "1"], ["a"], {"rows": 2}],
    ],
    ids=[
        "no-end",
        "row-missing",
        "row-too-many",
        "no-table-of-ours",
        "no-column",
        "table-of-no-name",
        "column-of-no-name",
        "columns-missing",
        "columns-none",
        "columns-no-list",
        "row-of-no-table",
        "row-too-short",
    ],
)
async def test_what_is_not_whole_or_not_ours_is_never_committed(tmp_path: Path, lines: list[object]) -> None:
    """And nothing but names goes into a statement."""
    async with ScriptedServer(bare) as server:
        with pytest.raises(ValueError, match=r"is cut|none of kangbot's|without columns|a row has 1 values"):
            await fill(server.url, packed(tmp_path / "rows.gz", HEAD_LINE, *lines))
        assert "COMMIT" not in server.said
        assert not any("mysql.user" in said or "SELECT 1)" in said for said in server.said)


async def test_a_history_with_a_row_is_not_filled_and_not_called_empty(tmp_path: Path) -> None:
    """Whichever table has it; one that is not there has none."""
    file = packed(tmp_path / "rows.gz", HEAD_LINE, {"rows": 0})

    def respond(said: str) -> Answer:
        if said == "SHOW TABLES":
            return [["theirs"], ["events"], ["equity"]]
        return [["1"]] if "FROM `equity`" in said else [] if said.startswith("SELECT") else None

    async with ScriptedServer(respond) as server:
        assert not await empty(server.url)
        with pytest.raises(NeedsHuman, match=rf"^{server.url} has a history already$"):
            await fill(server.url, file)
        assert not any("`orders`" in said for said in server.said), "a table that is not there is not asked"
        assert "COMMIT" not in server.said
    async with ScriptedServer(bare) as server:
        assert await empty(server.url)
        assert (await extent(server.url)).rows is False
        assert await fill(server.url, file) == 0


async def test_a_dump_sees_one_moment_and_writes_amounts_and_times_as_the_server_reads_them(tmp_path: Path) -> None:
    """The snapshot stands before the first look at a table; the count of rows is the last line."""

    def respond(said: str) -> Answer:
        if "information_schema" in said:
            return [["1"]]
        if "alembic_version" in said:
            return [[REVISION]]
        if said == "SHOW TABLES":
            return [["orders"], ["journals"], ["theirs"]]
        if said.startswith("SHOW COLUMNS"):
            return [["tag"], ["stored"]]
        if said == "SELECT tag, `stored` FROM journals":
            return [["abcdefgh", 41]]
        return [["ü✓", None]] if said.startswith("SELECT `tag`") else None

    watched: list[int] = []
    file = tmp_path / "rows.gz"
    async with ScriptedServer(respond) as server:
        assert await dump(server.url, file, watch=lambda: watched.append(1)) == {"abcdefgh": 41}
        begun = server.said.index("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        assert begun < server.said.index("SHOW TABLES")
        assert any("REPEATABLE READ" in said for said in server.set_up)
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    table = {"columns": ["tag", "stored"]}
    assert lines == [
        HEAD_LINE,
        {"table": "journals", **table},
        ["ü✓", None],
        {"table": "orders", **table},
        ["ü✓", None],
        {"rows": 2},
    ]
    assert len(watched) == 4


def test_a_value_is_written_as_the_server_reads_it() -> None:
    """To the last digit and the last microsecond; what no column has is a fault of ours."""
    at = datetime(2026, 1, 31, 12, 0, 0, 7)  # noqa: DTZ001 -- columns hold UTC
    assert (
        _line([Decimal("1E-18"), at, None, "ü"]) == '["0.000000000000000001","2026-01-31 12:00:00.000007",null,"ü"]\n'
    )
    with pytest.raises(TypeError, match="a history has no bytes"):
        _line([b"x"])


async def test_a_dump_that_may_not_go_on_ends_there(tmp_path: Path) -> None:
    """As where the disk has no room any more, or the server goes away; of a later schema nothing is written at all."""

    def full() -> None:
        raise OSError("no room")

    def respond(said: str) -> Answer:
        return [["orders"]] if said == "SHOW TABLES" else None if said.startswith(("SET", "START")) else [[REVISION]]

    async with ScriptedServer(respond) as server:
        with pytest.raises(OSError, match="no room"):
            await dump(server.url, tmp_path / "rows.gz", watch=full)
        server.respond = lambda said: Fault.CUT if "alembic" in said else None
        with pytest.raises(Retryable):
            await dump(server.url, tmp_path / "more.gz")
        assert not (tmp_path / "more.gz").exists()
        server.respond = lambda said: [["9999"]] if said.startswith("SELECT") else None
        with pytest.raises(NeedsHuman, match="revision 9999"):
            await dump(server.url, tmp_path / "more.gz")
        assert not (tmp_path / "more.gz").exists()
