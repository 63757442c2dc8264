"""Events survive the way to disk and back, and what cannot be read is said with its place."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kangbot.errors import NeedsHuman
from kangbot.journal.codec import CHECKPOINT_VERSION, decode, decode_checkpoint, encode, encode_checkpoint
from kangbot.model.events import EquityMarked, Event, OrderIntended
from kangbot.ports import Checkpoint
from tests.support.records import EVERY, TAG


def back(event: Event) -> Event:
    """The event after the way there and back."""
    return decode(encode(event), journal=TAG, sequence=1, file="f").event


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_equal(event: Event) -> None:
    """Each kind of event is the same after encoding and decoding."""
    assert back(event) == event


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_come_back_digit_by_digit(amount: Decimal) -> None:
    """No digit, sign or trailing zero is lost."""
    event = EquityMarked(venue="v", currency="USDT", equity=amount, at_ns=1)
    after = back(event)
    assert isinstance(after, EquityMarked)
    assert str(after.equity) == str(amount)


def test_an_intent_of_an_older_journal_is_read() -> None:
    """What was not known of it then is not known: by when the venue's clock has it settled."""
    intended = next(event for event in EVERY if isinstance(event, OrderIntended))
    older = msgspec.json.decode(encode(intended))
    del older["intent"]["venue_settle_ns"]
    event = decode(msgspec.json.encode(older), journal=TAG, sequence=1, file="f").event
    assert isinstance(event, OrderIntended)
    assert event.intent == msgspec.structs.replace(intended.intent, venue_settle_ns=0)


def test_event_is_one_line_of_json_with_its_tag() -> None:
    """A person can read the file; the tag names the kind."""
    text = encode(EquityMarked(venue="v", currency="USDT", equity=Decimal("1.50"), at_ns=1, venue_ns=2))
    assert text == '{"type":"equity_marked","venue":"v","currency":"USDT","equity":"1.50","at_ns":1,"venue_ns":2}'


@pytest.mark.parametrize(
    "text", ['{"type":"of_tomorrow"}', '{"type":"equity_mar', "", b"\xff\xfe", '{"type":"stop_set"}']
)
def test_unreadable_record_calls_a_human_with_file_and_sequence(text: str | bytes) -> None:
    """Unknown tags, torn rows and missing fields give one message that names the place."""
    with pytest.raises(NeedsHuman, match=r"record 7 of the journal /state/journal\.sqlite cannot be read"):
        decode(text, journal=TAG, sequence=7, file="/state/journal.sqlite")


def test_field_of_a_later_version_is_refused() -> None:
    """It was added because it matters: what is left without it may mean something else."""
    text = '{"type":"equity_marked","venue":"v","currency":"USDT","equity":"1","at_ns":1,"later":2}'
    with pytest.raises(NeedsHuman, match=r"record 1 of the journal f cannot be read: .* unknown field `later`"):
        decode(text, journal=TAG, sequence=1, file="f")


def test_checkpoint_comes_back_as_it_was() -> None:
    """Its states are JSON of others, passed on as they are."""
    kept = Checkpoint(sequence=7, states={"memory": msgspec.Raw(b'{"a":"1.50"}'), "risk": msgspec.Raw(b"[]")})
    text = encode_checkpoint(kept)
    assert text == '{"version":1,"states":{"memory":{"a":"1.50"},"risk":[]}}'
    assert decode_checkpoint(7, text, file="here") == kept


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', "no json"])
def test_checkpoint_that_is_none_calls_a_human(text: str) -> None:
    """The message says which file."""
    with pytest.raises(NeedsHuman, match="checkpoint of the journal here cannot be read"):
        decode_checkpoint(7, text, file="here")


def test_checkpoint_of_a_later_version_is_refused_in_words() -> None:
    """The later kangbot that wrote it must read it."""
    text = f'{{"version": {CHECKPOINT_VERSION + 1}, "states": {{}}}}'
    with pytest.raises(NeedsHuman, match="has version 2; this kangbot knows 1"):
        decode_checkpoint(7, text, file="here")
