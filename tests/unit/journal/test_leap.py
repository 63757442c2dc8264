"""A restored journal gives no number that may have been given since the copy was made."""

from pathlib import Path

import msgspec
import pytest

from kangbot.errors import NeedsHuman
from kangbot.journal.leap import leap
from kangbot.journal.replay import checkpoint_of, replay
from kangbot.journal.writer import FILE, JournalWriter
from kangbot.model.ids import LOST_AT_MOST
from kangbot.ports import Checkpoint
from kangbot.runtime.world import Clock, World
from tests.support.records import intended, noted

WORLD = World(clock=Clock(), seed=b"leap")


async def test_the_records_stay_and_the_numbers_go_on_later(tmp_path: Path) -> None:
    """What is remembered is what was, save for the next number; a second leap goes on from there."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(noted(1), intended())
        before = await replay(journal)
        tag = journal.tag
    assert leap(tmp_path / FILE) == (tag, 2)
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        after = await replay(journal)
        assert await journal.append(noted(2)) == 3
    assert after.next_number == before.next_number + LOST_AT_MOST
    assert (after.markets, after.born_ns, after.last_sequence) == (before.markets, before.born_ns, 2)
    leap(tmp_path / FILE)
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        assert (await replay(journal)).next_number == before.next_number + 2 * LOST_AT_MOST


async def test_a_compacted_journal_keeps_what_others_remember(tmp_path: Path) -> None:
    """Only the number in the checkpoint changes."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(intended(), noted(1))
        memory = await replay(journal)
        journal.mark_drained(2)
        kept = checkpoint_of(memory, {})
        losses = msgspec.Raw(b'{"today":"-120.5"}')
        await journal.compact(Checkpoint(sequence=kept.sequence, states={**kept.states, "ledger": losses}))
        await journal.append(noted(2))
    assert leap(tmp_path / FILE)[1] == 3
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        after = await journal.checkpoint()
        assert after is not None
        assert bytes(after.states["ledger"]) == bytes(losses)
        assert (await replay(journal)).next_number == memory.next_number + LOST_AT_MOST
        assert journal.floor == 2


async def test_a_copy_whose_memory_is_torn_is_refused_in_words(tmp_path: Path) -> None:
    """As a start on it would be; its number would be a guess."""
    async with await JournalWriter.open(tmp_path, WORLD) as journal:
        await journal.append(intended())
        kept = checkpoint_of(await replay(journal), {})
        journal.mark_drained(1)
        await journal.compact(Checkpoint(sequence=1, states={**kept.states, "memory": msgspec.Raw(b'{"born_ns":"x"}')}))
    with pytest.raises(NeedsHuman, match="the journal's checkpoint at 1 cannot be understood"):
        leap(tmp_path / FILE)
