"""A journal made anew from what a history has of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from kangbot.errors import NeedsHuman
from kangbot.journal.folder import RESTORING
from kangbot.journal.lock import FolderLock
from kangbot.journal.rebuild import rebuild
from kangbot.journal.replay import Others, replay
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.model.events import BarStored, Event, Record
from kangbot.model.ids import LOST_AT_MOST
from kangbot.risk.account import AccountRisk
from kangbot.risk.limits import Limits
from kangbot.runtime.world import Clock, World
from tests.support.folded import replayed
from tests.support.journal_story import lives
from tests.support.records import bar_stored, intended, noted
from tests.support.records import records as numbered
from tests.support.trade_words import TAG

WORLD = World(clock=Clock(), seed=b"rebuild")


class ListArchive:
    """A history in memory: everything but the bars, as the real ones keep it."""

    def __init__(self, events: Sequence[Event], *, first: int = 1) -> None:
        self.stored = {TAG: len(events)}
        self._records = [
            record
            for record in numbered(events, journal=TAG)
            if not isinstance(record.event, BarStored) and record.sequence >= first
        ]

    async def journals(self) -> Mapping[str, int]:
        return self.stored

    async def recall(self, journal: str, after: int, limit: int) -> Sequence[Record]:
        assert journal == TAG
        return [record for record in self._records if record.sequence > after][: min(limit, 7)]  # in many pages


def risk() -> Others:
    return {"risk": AccountRisk(Limits())}


@settings(max_examples=30, deadline=None)
@given(lives(60))
async def test_what_is_rebuilt_remembers_what_was_lost(
    tmp_path_factory: pytest.TempPathFactory, events: Sequence[Event]
) -> None:
    """Memory and the ledger of risk; but numbers go on far beyond any that may have been given."""
    events = [noted(0), *events]
    folder = tmp_path_factory.mktemp("state")
    known = risk()
    made = await rebuild(folder, ListArchive(events), tag=None, others=known)
    told = [record for record in numbered(events, journal=TAG) if not isinstance(record.event, BarStored)]
    whole = msgspec.structs.replace(replayed(told), last_sequence=len(events))
    assert made.tag == TAG
    assert made.memory.next_number == whole.next_number + LOST_AT_MOST
    again = risk()
    async with await JournalWriter.open(folder, WORLD, reserve_bytes=0) as journal:
        assert (journal.tag, journal.last, journal.drained) == (TAG, len(events), len(events))
        memory = await replay(journal, again)
        assert await journal.append(noted(1)) == len(events) + 1
    assert memory == msgspec.structs.replace(whole, next_number=whole.next_number + LOST_AT_MOST)
    heard = risk()
    for record in told:
        heard["risk"].observe(record.event)
    assert again["risk"].checkpoint() == known["risk"].checkpoint() == heard["risk"].checkpoint()


@pytest.mark.parametrize("name", [FILE, f"{FILE}-wal"])
async def test_a_journal_that_is_there_is_not_overwritten(tmp_path: Path, name: str) -> None:
    """Not even a part of one; and nothing is left behind."""
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(NeedsHuman, match="is not overwritten"):
        await rebuild(tmp_path, ListArchive([intended()]), tag=None, others={})
    assert (tmp_path / name).read_bytes() == b"precious"
    assert not any((tmp_path / left).exists() for left in {FILE, "journal.rebuilt"} - {name})


async def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """A daemon that runs has its journal open, wherever the file has gone."""
    held = FolderLock(tmp_path)
    with pytest.raises(NeedsHuman, match="belongs to a running kangbot"):
        await rebuild(tmp_path, ListArchive([intended()]), tag=None, others={})
    held.release()
    assert (await rebuild(tmp_path, ListArchive([intended()]), tag=TAG, others={})).memory.last_sequence == 1


async def test_what_a_restore_has_begun_is_not_rebuilt_over(tmp_path: Path) -> None:
    """Half of a backup is in the folder: only the same restore knows the rest of it."""
    (tmp_path / RESTORING).touch()
    with pytest.raises(NeedsHuman, match="did not come to its end"):
        await rebuild(tmp_path, ListArchive([intended()]), tag=None, others={})
    assert not (tmp_path / FILE).exists()


async def test_another_than_the_one_that_was_named_is_not_taken(tmp_path: Path) -> None:
    """Not even the only one: it is of another account, perhaps."""
    with pytest.raises(NeedsHuman, match="has no journal mistaken"):
        await rebuild(tmp_path, ListArchive([intended()]), tag="mistaken", others={})


async def test_one_of_several_is_named(tmp_path: Path) -> None:
    """Which is lost is not guessed."""
    archive = ListArchive([intended()])
    archive.stored["another1"] = 7
    with pytest.raises(NeedsHuman, match=r"which journal was lost\? The history has: journal1 \(1 .*another1 \(7 rec"):
        await rebuild(tmp_path, archive, tag=None, others={})
    with pytest.raises(NeedsHuman, match="has no journal mistaken"):
        await rebuild(tmp_path, archive, tag="mistaken", others={})
    assert (await rebuild(tmp_path, archive, tag=TAG, others={})).tag == TAG


@pytest.mark.parametrize("tag", [None, TAG])
async def test_an_empty_history_is_another_than_the_daemon_wrote(tmp_path: Path, tag: str | None) -> None:
    """There is no name to ask for: the address is wrong, or nothing was ever lost."""
    archive = ListArchive([])
    archive.stored.clear()
    with pytest.raises(NeedsHuman, match="has nothing of any journal") as caught:
        await rebuild(tmp_path, archive, tag=tag, others={})
    assert "--tag" not in caught.value.remedy
    assert "[database] url" in caught.value.remedy


async def test_a_history_without_the_beginning_is_not_enough(tmp_path: Path) -> None:
    """A position that is only partly remembered would be traded as if it were whole."""
    with pytest.raises(NeedsHuman, match="from record 3 on: what came before is unknown"):
        await rebuild(tmp_path, ListArchive([noted(number) for number in range(5)], first=3), tag=None, others={})
    assert not (tmp_path / FILE).exists()


async def test_what_an_earlier_attempt_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """It was killed while it wrote."""
    (tmp_path / "journal.rebuilt").write_bytes(b"half")
    (tmp_path / "journal.rebuilt-wal").write_bytes(b"half")
    await rebuild(tmp_path, ListArchive([intended(), bar_stored()]), tag=None, others={})
    async with await JournalWriter.open(tmp_path, WORLD, reserve_bytes=0) as journal:
        assert (journal.last, (await replay(journal)).last_sequence) == (2, 2)
