"""The format of the state folder as a whole: what is in it, where, and what it means.

    state/format        1
    state/restoring     which backup is being put there; gone with the last of its files

Journal and history have formats of their own and are brought forward by themselves; this number is for what no single
file can know, and is looked at before any of them is opened. A folder without it is of the time before it: format 1.
"""

import os
from pathlib import Path

from kangbot.errors import NeedsHuman
from kangbot.runtime.disk import FILES, NO_FILE, takes_no_file
from kangbot.runtime.there import there

FORMAT = 1  # a greater number was written by a later kangbot
FILE = "format"
RESTORING = "restoring"
_LONGEST = 20  # characters; what is longer is no number of ours


def admit(folder: Path) -> None:
    """Look whether the folder is one that this kangbot may write in, and number it where it has no number yet.

    NeedsHuman as `numbered`, and where the disk refuses.
    """
    if not numbered(folder):
        _number(folder / FILE)


def numbered(folder: Path) -> bool:
    """Return whether it has a number, which is one of ours. Changes nothing.

    NeedsHuman where a restore did not come to its end, where a later kangbot has written in it, or where its number
    cannot be read.
    """
    if there(folder / RESTORING):  # begun with now, it would be a memory that has forgotten what it holds
        raise NeedsHuman(
            f"a backup was being restored into the state folder {folder}, and that did not come to its end",
            remedy="type the same kangbot restore again: it goes on where it was",
        )
    path = folder / FILE
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1).strip()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path) from error
    if not (text.isascii() and text.isdecimal()):
        raise _unreadable(path)
    if int(text) > FORMAT:
        raise NeedsHuman(
            f"the state folder {folder} has format {text}; this kangbot knows formats up to {FORMAT}",
            remedy="start the later version of kangbot that wrote it, or restore an older backup into a new folder",
        )
    return True


def _number(path: Path) -> None:
    fresh = path.with_name(f".{FILE}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(f"{FORMAT}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)  # whole or not at all: half of a number would refuse the next start
    except OSError as error:
        no_file = takes_no_file(path.parent, error)
        raise NeedsHuman(
            f"the state folder {path.parent} cannot be written: {error.strerror}{NO_FILE if no_file else ''}",
            remedy=FILES if no_file else "make room on the disk, and see that this user may write there",
        ) from error


def _unreadable(path: Path) -> NeedsHuman:
    return NeedsHuman(
        f"{path} is no number of a format",
        remedy=f"find out who wrote it; with this version alone it holds {FORMAT}",
    )
