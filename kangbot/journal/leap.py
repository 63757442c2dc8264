"""Make the copy of a journal fit to be gone on with.

A copy is older than the daemon that goes on with it: orders may have left since. Their numbers must never be given
again, so a restored journal counts on far beyond any that they could have, as a rebuilt one does. That stands in its
checkpoint; its records stay as they are.
"""

from pathlib import Path

import msgspec

from kangbot.journal import codec
from kangbot.journal.file import JournalFile, JournalReader
from kangbot.journal.replay import resumed
from kangbot.machines import memory_text
from kangbot.machines.memory import Memory, Recollection
from kangbot.model.ids import LOST_AT_MOST
from kangbot.ports import Checkpoint

_MEMORY = "memory"
_MAX_BYTES = 1 << 30
_PAGE = 2_000


def leap(path: Path) -> tuple[str, int]:
    """Have the journal's numbers go on far later; return its tag and the sequence of its last record.

    NeedsHuman where it is none, is of a later format, or is torn.
    """
    file = JournalFile(path, max_bytes=_MAX_BYTES, new_tag=str)
    reader = JournalReader(path)
    try:
        before, known = Checkpoint(sequence=0, states={}), Memory()
        if (kept := reader.checkpoint()) is not None:
            before = codec.decode_checkpoint(*kept, file=str(path))
            known = resumed(before, {})
        number = _next_number(reader, file, known, path) + LOST_AT_MOST
        memory = memory_text.encode(msgspec.structs.replace(known, next_number=number))
        after = Checkpoint(sequence=file.floor, states={**before.states, _MEMORY: msgspec.Raw(memory)})
        file.compact(file.floor, codec.encode_checkpoint(after))
        return file.tag, file.last
    finally:
        reader.close()
        file.close()


def _next_number(reader: JournalReader, file: JournalFile, known: Memory, path: Path) -> int:
    recollection, after = Recollection(known), file.floor
    while rows := reader.read(after, _PAGE):
        for sequence, text in rows:
            recollection.add(codec.decode(text, journal=file.tag, sequence=sequence, file=str(path)))
        after = rows[-1][0]
    return recollection.memory().next_number
