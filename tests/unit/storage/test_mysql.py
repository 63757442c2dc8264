"""What the history says to a server, and what it makes of the answers; what a real one does is in tests/conformance."""

import ast
import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kangbot.errors import NeedsHuman, Retryable
from kangbot.journal import codec
from kangbot.ports import Listing, Page
from kangbot.storage import mysql, tables
from kangbot.storage.mysql import _BYTES, _ROWS, MysqlHistory, _chunks, _statement
from kangbot.storage.pool import Pool
from kangbot.storage.tables import REVISION
from tests.support.records import TAG, noted, records
from tests.support.scripted_server import Answer, Fault, ScriptedServer

HERE = "vps-1:/var/lib/kangbot"
_STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE) ")


class Base:
    """A server with our schema, which has stored `stored` records of our journal; `odd` answers otherwise."""

    def __init__(self, revision: str = REVISION, stored: int = 0) -> None:
        self.revision = revision
        self.stored = stored
        self.has = records([noted(1), noted(2)])
        self.odd: Callable[[str], Answer] = lambda _: None
        self.prepared = 0

    def respond(self, said: str) -> Answer:
        if (odd := self.odd(said)) is not None:
            return odd
        if "information_schema" in said:
            return [["1"]]
        if "alembic_version" in said:
            return [[self.revision]]
        if said.startswith("SELECT sequence, body"):
            return [[str(record.sequence), codec.encode(record.event)] for record in self.has]
        if said.startswith("SELECT tag, `stored`, place"):
            return [[TAG, self.stored, HERE, "1.5"]]
        return None

    async def prepare(self) -> None:
        self.prepared += 1

    def history(self, server: ScriptedServer) -> MysqlHistory:
        pool = Pool(server.url, lambda: 0.0, size=1, connect_s=60.0, statement_s=60.0)
        return MysqlHistory(pool, self.prepare, HERE)


def kinds(server: ScriptedServer) -> list[str]:
    """What was said, by the first words of each statement, without the look at the schema."""
    first = server.said.index("COMMIT") + 1 if "information_schema" in "".join(server.said[:3]) else 0
    return [" ".join(said.split("(", maxsplit=1)[0].split()[:3]) for said in server.said[first:]]


# ------------------------------------------------------------------------------------------------------------- storing
async def test_records_are_stored_between_the_lock_of_their_mark_and_its_change() -> None:
    """In one transaction: who comes second waits at the lock, and finds what the first one did."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.store(records([noted(1), noted(2)]))
        assert kinds(server) == [
            "BEGIN",
            "INSERT INTO journals",
            "SELECT tag, `stored`,",
            "INSERT INTO `events`",
            "UPDATE journals SET",
            "COMMIT",
        ]
        assert f"`stored` = 2, place = '{HERE}'" in server.said[-2]
        assert server.said[-2].endswith(f"WHERE tag = '{TAG}'")
        await history.aclose()


async def test_what_is_stored_is_not_written_again_and_a_part_of_it_is_left_out() -> None:
    """The mark says so; and what it has is looked at, for another database may have been put in place."""
    base = Base(stored=2)
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.store(records([noted(1), noted(2)]))
        assert kinds(server) == [
            "BEGIN",
            "INSERT INTO journals",
            "SELECT tag, `stored`,",
            "SELECT sequence, body",
            "COMMIT",
        ]
        await history.store(records([noted(1), noted(2), noted(3)]))
        (written,) = [said for said in server.said if said.startswith("INSERT INTO `events`")]
        assert written.count("a note 3") == 2  # its message, and its body
        assert "a note 2" not in written
        with pytest.raises(NeedsHuman, match="it has record 2 of journal"):
            await history.store(records([noted(1), noted(7)]))
        assert server.said[-1] == "ROLLBACK"
        await history.aclose()


async def test_nothing_to_store_is_not_said() -> None:
    """Nobody is dialled for it."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.store([])
        await history.aclose()
        assert server.connections == 0


async def test_a_lost_answer_to_the_commit_is_sent_again() -> None:
    """The mark tells whether it had happened, so nobody need ask."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.stored(TAG)
        base.odd = lambda said: Fault.CUT if said == "COMMIT" else None
        with pytest.raises(Retryable, match="the answer to the commit was lost"):
            await history.store(records([noted(1)]))
        base.odd, base.stored = lambda _: None, 1
        await history.store(records([noted(1)]))
        assert sum(said.startswith("INSERT INTO `events`") for said in server.said) == 1
        await history.aclose()


@pytest.mark.parametrize(("code", "named"), [(1054, True), (1045, True), (1213, False)])
async def test_a_refusal_names_the_table_and_has_the_schema_looked_at_again(code: int, *, named: bool) -> None:
    """A server names a column alone; and a person may put another database in place. A collision is none."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.stored(TAG)
        base.odd = lambda said: code if "`events`" in said else None
        with pytest.raises(NeedsHuman if named else Retryable) as caught:
            await asyncio.wait_for(history.store(records([noted(1)])), 60)
        assert ("(table events)" in str(caught.value)) is named
        looks = sum("information_schema" in said for said in server.said)
        base.odd = lambda _: None
        await history.store(records([noted(1)]))
        assert sum("information_schema" in said for said in server.said) - looks == named
        await history.aclose()


async def test_whoever_looks_makes_no_schema_and_whoever_writes_does() -> None:
    """A page is answered in seconds, and a migration takes what it takes."""
    base = Base(revision="0001")
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        with pytest.raises(Retryable, match="kangbot db upgrade"):
            await history.page(Page(listing=Listing.EVENTS))
        assert base.prepared == 0
        with pytest.raises(NeedsHuman, match="still old"):
            await history.stored(TAG)
        assert base.prepared == 1
        base.revision = REVISION
        assert await history.page(Page(listing=Listing.EVENTS)) == []
        await history.aclose()


# ----------------------------------------------------------------------------------------------------------- the close
async def test_who_has_written_says_that_nobody_does_any_more() -> None:
    """Its own mark alone, by its place; else a successor elsewhere would wait for an hour."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.store(records([noted(1)]))
        await history.aclose()
        left = f"UPDATE journals SET written_at = NULL WHERE tag = '{TAG}' AND place = '{HERE}'"
        assert server.said[-2:] == [left, "COMMIT"]


@pytest.mark.parametrize("wrote", [False, True])
async def test_who_has_not_written_or_was_not_heard_says_nothing(*, wrote: bool) -> None:
    """Neither a reader nor a daemon whose database is away holds its end up."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        if wrote:
            await history.store(records([noted(1)]))
            base.odd = lambda said: Fault.CUT if said == "BEGIN" else None
            with pytest.raises(Retryable):
                await history.stored(TAG)
        else:
            await history.stored(TAG)
        base.odd = lambda _: None
        await history.aclose()
        assert not any("written_at = NULL" in said for said in server.said)


@pytest.mark.parametrize("answer", [Fault.CUT, 1142])
async def test_a_goodbye_that_fails_keeps_nobody_from_ending(answer: Answer) -> None:
    """The pool is closed all the same."""
    base = Base()
    async with ScriptedServer(base.respond) as server:
        history = base.history(server)
        await history.store(records([noted(1)]))
        base.odd = lambda said: answer if "written_at = NULL" in said else None
        await history.aclose()
        assert history.pool().open == 0
        with pytest.raises(Retryable, match="is closed"):
            await history.stored(TAG)


# --------------------------------------------------------------------------------------------------------- statements
def test_rows_go_in_portions_that_any_server_takes() -> None:
    """So many rows, so many bytes as they are sent, in their order; what is too large by itself goes alone."""
    many = [(number, "x") for number in range(2 * _ROWS + 1)]
    assert [len(chunk) for chunk in _chunks(many)] == [_ROWS, _ROWS, 1]
    half, whole = (1, "x" * (_BYTES // 2)), (2, "x" * _BYTES)
    assert list(_chunks([half, half])) == [[half, half]]
    assert list(_chunks([half, half, half])) == [[half, half], [half]]
    huge = (3, "x" * (3 * _BYTES))
    assert list(_chunks([half, huge, whole, half])) == [[half], [huge], [whole], [half]]
    wide = (4, "界" * (_BYTES // 6))
    assert list(_chunks([wide, wide, wide])) == [[wide, wide], [wide]]


def test_what_stands_is_left_and_all_else_is_what_the_last_record_says() -> None:
    """Neither hides a mistake, as INSERT IGNORE does."""
    fill = _statement(tables.FILL, 2, row_alias=False)
    position = _statement(tables.POSITION, 1, row_alias=False)
    assert fill.startswith("INSERT INTO `fills` (`market`, `execution_id`, ")
    assert fill.count("(%s, ") == 2
    assert fill.endswith(" ON DUPLICATE KEY UPDATE `market` = `fills`.`market`")
    assert position.count("%s") == len(tables.POSITION.columns)
    assert position.endswith(
        " ON DUPLICATE KEY UPDATE `net` = VALUES(`net`), `entry_price` = VALUES(`entry_price`), "
        "`changed_at` = VALUES(`changed_at`), `journal` = VALUES(`journal`), `sequence` = VALUES(`sequence`)"
    )
    assert _statement(tables.FILL, 1, row_alias=True).endswith(
        ") AS new_row ON DUPLICATE KEY UPDATE `market` = `fills`.`market`"
    )
    assert _statement(tables.POSITION, 1, row_alias=True).endswith(
        ") AS new_row ON DUPLICATE KEY UPDATE `net` = new_row.`net`, `entry_price` = new_row.`entry_price`, "
        "`changed_at` = new_row.`changed_at`, `journal` = new_row.`journal`, `sequence` = new_row.`sequence`"
    )


def test_no_statement_says_a_word_that_mysql_keeps_for_itself() -> None:
    """`stored` is the only one of our columns' names that MySQL reserves and MariaDB does not (MySQL 8.0, keywords)."""
    told = 0
    for file in Path(mysql.__file__).parent.glob("*.py"):
        if file.name == "sqlite.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _STATEMENT.match(node.value):
                bare = node.value.replace("`stored`", "")
                told += bare != node.value
                assert not re.search(r"\bstored\b", bare), f"{file.name}:{node.lineno}"
    assert told >= 4
