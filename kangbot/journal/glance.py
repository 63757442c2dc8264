"""Whether a daemon could go on from a state folder, without one: what `kangbot check` looks at. Nothing is changed.

A start reads every record. Here it is the checkpoint, the oldest ones, in which a journal says where it was begun, and
the newest ones: whoever wrote last may be a later kangbot.
"""

import contextlib
from pathlib import Path

from kangbot.journal import codec
from kangbot.journal.file import JournalReader
from kangbot.journal.folder import numbered
from kangbot.journal.replay import Others, resumed
from kangbot.journal.writer import FILE
from kangbot.runtime.there import there

_OLDEST = 100
_NEWEST = 2_000


def glance(folder: Path, others: Others) -> int | None:
    """Return the sequence of the journal's newest record; None where there is no journal yet.

    `others` hear the checkpoint and the oldest records. NeedsHuman where a start would be refused: a later kangbot
    wrote folder or journal, or it is damaged.
    """
    numbered(folder)
    path = folder / FILE
    if not there(path):
        return None
    with contextlib.closing(JournalReader(path)) as reader:
        reader.at_once()
        if not (form := reader.format()):
            return None
        last, floor = reader.last(), 0
        if form > 1 and (kept := reader.checkpoint()) is not None:
            floor = kept[0]
            resumed(codec.decode_checkpoint(*kept, file=str(path)), others)
        for sequence, text in reader.read(floor, _OLDEST):
            record = codec.decode(text, journal="", sequence=sequence, file=str(path))
            for other in others.values():
                other.observe(record.event)
        for sequence, text in reader.read(max(floor, last - _NEWEST), _NEWEST):
            codec.decode(text, journal="", sequence=sequence, file=str(path))
        return max(floor, last)
