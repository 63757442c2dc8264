"""Events to text and back: JSON with the event's tag, one object a record.

JSON because a person will want to read the file with nothing but the `sqlite3` command; decimals travel as strings and
stay exact. The encoder is made once: it keeps its buffers. What the storage below makes of the text is not known here.
"""

import msgspec

from kangbot.errors import NeedsHuman
from kangbot.model.events import Event, Record

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


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
