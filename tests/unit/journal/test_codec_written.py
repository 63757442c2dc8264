"""What stands on our users' disks is read by every later version: records and checkpoints as they were written once.

`written/` holds them word for word: of the first format those that a daemon of its time wrote as it traded, of the
second one of each kind with awkward values. A field that is renamed, or whose value is understood no more, is missed
here. Lines are added to these files, and never changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from kangbot.app.remembered import Remembered
from kangbot.errors import NeedsHuman
from kangbot.journal.codec import CHECKPOINT_VERSION, decode, decode_checkpoint, encode, encode_checkpoint
from kangbot.journal.replay import Others, checkpoint_of
from kangbot.machines import memory_text
from kangbot.model.events import Event
from kangbot.ports import Checkpoint
from kangbot.risk.limits import Limits
from kangbot.settings import Settings

WRITTEN = Path(__file__).parent / "written"
FORMATS = ("format-1.jsonl", "format-2.jsonl")


def others() -> Others:
    """Return those who have something of their own in a checkpoint."""
    return Remembered.new(Settings(), Limits(leverage=None)).by_name()


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """Return what `before` has and `after` has not, or has otherwise."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [said for key, value in before.items() for said in lost(value, after.get(key), f"{where}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [said for at, one in enumerate(before) for said in lost(one, after[at], f"{where}[{at}]")]
    return [] if before == after else [f"{where}: {before!r} is {after!r}"]


def lines(name: str) -> list[str]:
    """Return the records of that file."""
    return (WRITTEN / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("name", "number"), [(name, at) for name in FORMATS for at in range(len(lines(name)))])
def test_a_record_is_read_whole(name: str, number: int) -> None:
    """Every field of it comes back as it was."""
    text = lines(name)[number]
    event = decode(text, journal="abcdefgh", sequence=number + 1, file=name).event
    assert lost(msgspec.json.decode(text), msgspec.json.decode(encode(event))) == []


def test_every_kind_of_event_is_among_them() -> None:
    """A new one is added with the change that makes it."""
    tags = {kind.__struct_config__.tag for kind in get_args(Event)}
    assert {msgspec.json.decode(text)["type"] for text in lines("format-2.jsonl")} == tags


def take_up(text: str) -> Checkpoint:
    """Return the checkpoint of those who have gone on from that one."""
    kept = decode_checkpoint(15, text, file="journal.sqlite")
    remembering = others()
    for name, other in remembering.items():
        if name in kept.states:
            other.resume(bytes(kept.states[name]))
    return checkpoint_of(memory_text.decode(bytes(kept.states["memory"])), remembering)


CHECKPOINTS = ("checkpoint.json", "checkpoint-2.json", "checkpoint-3.json")


def test_everybody_is_in_the_newest_checkpoint() -> None:
    """Who remembers something since is added with the change that makes it, in a file of its own."""
    text = (WRITTEN / CHECKPOINTS[-1]).read_text(encoding="utf-8")
    assert set(decode_checkpoint(15, text, file="journal.sqlite").states) == {"memory", *others()}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_is_read_whole(name: str) -> None:
    """What each remembers by it is what stood there."""
    text = (WRITTEN / name).read_text(encoding="utf-8")
    again = take_up(text)
    assert lost(msgspec.json.decode(text), msgspec.json.decode(encode_checkpoint(again))) == []
    assert msgspec.json.decode(text)["version"] <= CHECKPOINT_VERSION


# Objects whose keys are names or numbers of something, not fields of ours.
BY_NAME = {
    "fields",
    "executions",
    "strangers",
    "realised_by_day",
    "markets",
    "entries",
    "coins",
    "holdings",
    "states",
    "pauses",
    "ids",
}


def objects(value: Any, key: str = "") -> list[dict[str, Any]]:
    """Return every object in it that has fields, from without inwards."""
    if isinstance(value, list):
        return [found for one in value for found in objects(one)]
    if not isinstance(value, dict):
        return []
    inner = [found for name, one in value.items() if key != "holdings" for found in objects(one, name)]
    return inner if key in BY_NAME else [value, *inner]


@pytest.mark.parametrize("text", lines("format-2.jsonl"))
def test_a_record_with_a_field_of_a_later_version_is_refused(text: str) -> None:
    """Half of it would be half of a memory, and it would be traded on."""
    for number in range(len(objects(msgspec.json.decode(text)))):
        later = msgspec.json.decode(text)
        objects(later)[number]["later"] = "1"
        with pytest.raises(NeedsHuman, match=r"record 7 .* unknown field `later`") as refused:
            decode(msgspec.json.encode(later), journal="abcdefgh", sequence=7, file="journal.sqlite")
        assert refused.value.remedy.startswith("start the version of kangbot that wrote it")


def test_a_checkpoint_with_a_field_of_a_later_version_is_refused() -> None:
    """Whoever remembers by it: the markets, the risk, the breakers. A simulated account has no money in it."""
    text = (WRITTEN / CHECKPOINTS[-1]).read_text(encoding="utf-8")
    for number in range(len(objects(msgspec.json.decode(text)))):
        later = msgspec.json.decode(text)
        objects(later)[number]["later"] = "1"
        with pytest.raises((NeedsHuman, msgspec.ValidationError), match="unknown field `later`"):
            take_up(msgspec.json.encode(later).decode())
