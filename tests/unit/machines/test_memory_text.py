"""A memory as text, and a fold that goes on from it."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.machines.memory import Memory, Recollection
from kangbot.machines.memory_text import decode, encode
from kangbot.model.events import Event, Record
from tests.support.folded import replayed
from tests.support.journal_story import lives
from tests.support.trade_words import TAG


def numbered(events: Sequence[Event]) -> list[Record]:
    return [Record(journal=TAG, sequence=number, event=event) for number, event in enumerate(events, 1)]


@given(lives(), st.floats(0, 1))
def test_a_fold_that_goes_on_from_text_comes_to_the_same(events: Sequence[Event], share: float) -> None:
    """Wherever the records are cut, and once more after that."""
    records = numbered(events)
    cut = round(share * len(records))
    whole = replayed(records)
    first = decode(encode(replayed(records[:cut])))
    assert first == replayed(records[:cut])
    again = Recollection(first)
    for record in records[cut:]:
        again.add(record)
    assert again.memory() == whole
    assert decode(encode(again.memory())) == whole


def test_nothing_is_text_too() -> None:
    """An empty memory comes back empty."""
    assert decode(encode(Memory())) == Memory()


def test_what_is_no_memory_is_refused() -> None:
    """A text of something else."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'{"markets": 3}')
