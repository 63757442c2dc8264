"""A line of the log waits for no reader: one that stands still, goes on later, or has gone."""

import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple, TextIO

import pytest

from kangbot.logs import out as out_of
from kangbot.logs.out import Out

LINE = "x" * 999
FOR_S = 300.0  # far more than any of it takes


class Reader(NamedTuple):
    """What the lines are written to, how they are read there, and how the reader goes away."""

    stream: TextIO
    read: Callable[[], bytes]
    leave: Callable[[], object]


@pytest.fixture(params=["pipe", "terminal", "socket"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader that reads nothing by itself."""
    with ExitStack() as held:
        if request.param == "socket":
            ours, theirs = socket.socketpair()
            held.callback(theirs.close)
            stream = held.enter_context(os.fdopen(ours.detach(), "w", encoding="ascii"))
            yield Reader(stream, lambda: theirs.recv(4096), theirs.close)
        else:
            end, number = os.openpty() if request.param == "terminal" else os.pipe()
            there = held.enter_context(os.fdopen(end, "rb", buffering=0))
            stream = held.enter_context(os.fdopen(number, "w", encoding="ascii"))
            yield Reader(stream, lambda: os.read(there.fileno(), 4096), there.close)


class Reading(threading.Thread):
    """Reads lines until one of them is `last`."""

    def __init__(self, reader: Reader, last: str) -> None:
        super().__init__(daemon=True)
        self._reader = reader
        self._last = last
        self.lines: list[str] = []

    def run(self) -> None:
        """Read."""
        said = b""
        while f"\n{self._last}\n".encode() not in said:
            said += self._reader.read().replace(b"\r", b"")
        self.lines = said.decode().splitlines()


def test_a_reader_that_stands_still_holds_nobody_up_and_misses_nothing(reader: Reader) -> None:
    """More than a pipe takes is written at once; what waited comes in its order, before the next line."""
    out = Out(reader.stream)
    for number in range(200):
        out.write(f"{number} {LINE}")
    reading = Reading(reader, "last")
    reading.start()
    written(out, "last", until=lambda: not reading.is_alive())
    out.close()
    assert [line.split()[0] for line in reading.lines[:201]] == [*map(str, range(200)), "last"]


def test_what_waits_is_bounded_and_what_was_left_out_is_told(reader: Reader) -> None:
    """The first lines are kept, for they have the cause; the others are counted."""
    lost: list[int] = []
    out = Out(reader.stream, lost.append)
    for number in range(2000):
        out.write(f"{number} {LINE}")
    assert not lost
    reading = Reading(reader, "last")
    reading.start()
    written(out, "last", until=lambda: not reading.is_alive())
    out.close()
    came = [line.split()[0] for line in reading.lines if LINE in line]
    assert came == [*map(str, range(len(came)))]
    assert 200 < len(came) < 2000
    assert lost[0] >= 2000 - len(came)


def test_a_reader_that_takes_a_little_meanwhile_sees_one_gap(reader: Reader) -> None:
    """What is lost is lost in one place, where its number is told: lines beyond a gap would hide it."""
    lost: list[int] = []
    out = Out(reader.stream, lost.append)
    for number in range(1000):
        out.write(f"{number} {LINE}")
        if number == 700:
            for _ in range(3):
                reader.read()
    reading = Reading(reader, "last")
    reading.start()
    written(out, "last", until=lambda: not reading.is_alive())
    out.close()
    came = [int(line.split()[0]) for line in reading.lines if line.endswith(f" {LINE}")]
    assert came == [*range(came[0], came[-1] + 1)]
    assert lost[0] >= 999 - came[-1]


def written(out: Out, line: str, *, until: Callable[[], bool]) -> None:
    """Write the line again and again."""
    over_s = monotonic() + FOR_S
    while not until():
        assert monotonic() < over_s
        out.write(line)
        sleep(0.001)


def test_a_reader_that_is_only_slow_gets_what_waits_at_the_end(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines of a process say why it ended."""
    monkeypatch.setattr(out_of, "_LAST_S", FOR_S)
    out = Out(reader.stream)
    for number in range(200):
        out.write(f"{number} {LINE}")
    out.write("last")
    reading = Reading(reader, "last")
    reading.start()
    out.close()
    reading.join(FOR_S)
    assert [line.split()[0] for line in reading.lines] == [*map(str, range(200)), "last"]


def test_a_reader_that_has_gone_is_no_reason_to_stop(reader: Reader) -> None:
    """Lines are dropped, those that waited too."""
    out = Out(reader.stream)
    for _ in range(200):
        out.write(LINE)
    reader.leave()
    out.write(LINE)
    out.write(LINE)
    out.close()
    out.close()


def test_a_file_on_a_full_disk_misses_what_is_counted_and_no_part_of_a_line(tmp_path: Path) -> None:
    """As a reader that stands still: what waits is written once there is room, and what was lost is told."""
    lost: list[int] = []
    path = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("a", encoding="ascii") as stream:
        out = Out(stream, lost.append)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))  # as a disk with no more room, for this process alone
        try:
            for number in range(1000):
                out.write(f"{number} {LINE}")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.stat().st_size == 1500
        out.write("last")
        out.close()
    came = path.read_text(encoding="ascii").splitlines()
    assert came == [f"{number} {LINE}" for number in range(len(came))]
    assert lost == [1001 - len(came)]
    assert len(came) > 200


def test_the_end_does_not_wait_for_a_disk_that_stays_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is always ready to be written to."""
    monkeypatch.setattr(out_of, "_LAST_S", FOR_S)
    path = tmp_path / "log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("a", encoding="ascii") as stream:
        out = Out(stream)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
        try:
            out.write(LINE)
            out.write(LINE)
            began_s = monotonic()
            out.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert monotonic() - began_s < FOR_S
    assert path.stat().st_size == 1500


def test_what_is_no_file_is_written_to_as_it_is() -> None:
    """A test's own."""
    stream = StringIO()
    out = Out(stream)
    out.write("one")
    stream_was = stream.getvalue()
    stream.close()
    out.write("two")
    assert stream_was == "one\n"
    assert not out.is_terminal
