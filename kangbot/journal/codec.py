"""Events to text and back: JSON with the event's tag, one object a record; and the checkpoint likewise.

JSON because a person will want to read the file with nothing but the `sqlite3` command; decimals travel as strings and
stay exact. The encoder is made once: it keeps its buffers. What the storage below makes of the text is not known here.
"""

from collections.abc import Mapping

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.model.events import Event, Record
from kangbot.model.written import Written
from kangbot.ports import Checkpoint

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class _States(Written, frozen=True, kw_only=True):
    """What stands in the checkpoint's text."""

    version: int
    states: Mapping[str, msgspec.Raw]


CHECKPOINT_VERSION = 1  # of the states; one more where what they mean has changed
_STATES = msgspec.json.Decoder(_States)


def encode(event: Event) -> str:
    """Return the event as one line of JSON."""
    return _ENCODER.encode(event).decode()


def decode(text: str | bytes, *, journal: str, sequence: int, file: str) -> Record:
    """Return the record that `text` holds. NeedsHuman names file and sequence where it cannot be understood."""
    try:
        event = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NeedsHuman(
            f"record {sequence} of the journal {file} cannot be read: {error}",
            remedy="start the version of kangbot that wrote it, or restore the file from a backup",
        ) from error
    return Record(journal=journal, sequence=sequence, event=event)


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the checkpoint's states as one JSON object; its sequence stands beside it."""
    return _ENCODER.encode(_States(version=CHECKPOINT_VERSION, states=checkpoint.states)).decode()


def decode_checkpoint(sequence: int, text: str, *, file: str) -> Checkpoint:
    """Return the checkpoint of those states. NeedsHuman where they cannot be understood."""
    try:
        kept = _STATES.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NeedsHuman(
            f"the checkpoint of the journal {file} cannot be read: {error}",
            remedy="restore the file from a backup, or make it anew: kangbot journal rebuild",
        ) from error
    if kept.version > CHECKPOINT_VERSION:
        raise NeedsHuman(
            f"the checkpoint of the journal {file} has version {kept.version}; this kangbot knows {CHECKPOINT_VERSION}",
            remedy="start the later version of kangbot that wrote it",
        )
    return Checkpoint(sequence=sequence, states=kept.states)
