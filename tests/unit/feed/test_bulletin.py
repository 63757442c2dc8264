"""What befalls many topics is told together, and so is its end, however it comes."""

import asyncio

import pytest

from kangbot.feed.bulletin import Bulletin
from kangbot.machines.session_words import Trouble
from kangbot.model.ids import MarketId
from kangbot.ports import Channel, Topic

_TURNS = 3  # of the loop: one tells


class Board:
    """A bulletin, its notes, and the topics in trouble as their pool knows them."""

    def __init__(self) -> None:
        self.troubled: dict[str, None] = {}
        self.notes: list[tuple[str, str | None, str]] = []
        self.bulletin = Bulletin("word", self._note, lambda: bool(self.troubled))

    def _note(self, kind: str, _severity: str, market: MarketId | None, message: str) -> None:
        self.notes.append((kind, market, message))

    def down(self, *names: str) -> None:
        for name in names:
            self.troubled[name] = None
            self.bulletin.down(_topic(name), Trouble.SILENT, "no new data")

    def up(self, *names: str) -> None:
        for name in names:
            del self.troubled[name]
            self.bulletin.up(_topic(name))

    def let_go(self, *names: str) -> None:
        for name in names:
            self.troubled.pop(name, None)
            self.bulletin.gone(_topic(name))

    async def said(self) -> list[tuple[str, str | None, str]]:
        """Return what was noted since the last time."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        notes = self.notes.copy()
        self.notes.clear()
        return notes


def _topic(name: str) -> Topic:
    return Topic(market=MarketId(f"word:{name}-USD"), channel=Channel.QUOTE, native=f"q.{name}")


@pytest.fixture
async def board() -> Board:
    """A board on which nothing was told yet."""
    return Board()


async def test_many_that_are_let_go_end_what_was_told_of_them(board: Board) -> None:
    """Whoever was told that many are in trouble is told that none is any more, though no data of theirs came."""
    board.down("A", "B", "C", "D")
    assert [kind for kind, *_ in await board.said()] == ["feed.silent"]
    board.let_go("A", "B", "C")
    assert await board.said() == []
    board.let_go("D")
    ((kind, market, message),) = await board.said()
    assert (kind, market) == ("feed.topic_up", None)
    assert message == "word: no topic is in trouble any more; some are not asked for any longer"
    board.let_go("E")
    assert await board.said() == []


async def test_the_last_of_many_to_recover_says_what_became_of_the_others(board: Board) -> None:
    """That data of every topic flows would not be true of those that nobody asks for."""
    board.down("A", "B", "C", "D")
    await board.said()
    board.let_go("A")
    board.up("B", "C", "D")
    assert [message.partition("; ")[2] for *_, message in await board.said()] == ["some are not asked for any longer"]
    board.down("A", "B", "C", "D")
    await board.said()
    board.up("A", "B", "C", "D")
    assert [message for *_, message in await board.said()] == ["word: data of every topic flows again"]


async def test_a_topic_that_was_let_go_begins_anew(board: Board) -> None:
    """Its trouble of then does not make its part in another one's end a message of its own."""
    board.down("A")
    assert len(await board.said()) == 1
    board.let_go("A")
    assert await board.said() == []
    board.down("A", "B", "C", "D")
    await board.said()
    board.up("A")
    assert await board.said() == []


async def test_one_that_is_let_go_before_it_was_told_of_is_told_of_once(board: Board) -> None:
    """Trouble and end within one turn of the loop leave nothing behind."""
    board.down("A")
    board.let_go("A")
    assert len(await board.said()) == 1
    board.up(*board.troubled)
    board.down("A", "B", "C", "D")
    await board.said()
    board.up("A")
    assert await board.said() == []
