"""An event on its way: the bound market, the time, the level, the error with its place, and the line."""

import json
import logging
import os
import pty
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import structlog

from kangbot import logs
from kangbot.logs.chain import LogOptions, stamp, where
from kangbot.logs.masking import MASK
from kangbot.runtime.world import Clock
from tests.support.logged import CANARY, NOW_NS, fail, set_up


def test_the_market_bound_by_a_task_is_in_its_events() -> None:
    """Context variables reach our events and the libraries' lines alike."""
    written = set_up(format="json")
    with structlog.contextvars.bound_contextvars(market="bybit:BTC-USDT:USDT"):
        structlog.get_logger().info("task.ready")
        logging.getLogger("ccxt").warning("slow")
    assert [event["market"] for event in written.events] == ["bybit:BTC-USDT:USDT"] * 2


@pytest.mark.parametrize(("level", "expected"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_than_the_level_is_not_written(level: str, expected: int) -> None:
    """As configured."""
    written = set_up(format="json", level=level)
    log = structlog.get_logger()
    for method in (log.debug, log.info, log.warning, log.error):
        method("x")
    assert len(written.events) == expected


def test_an_error_is_one_line_on_the_console() -> None:
    """Type, message and place; the traceback is for debugging."""
    written = set_up()
    try:
        fail("no such thing")
    except ValueError:
        structlog.get_logger().exception("task.fell")
    (line,) = written.text.splitlines()
    assert 'error="ValueError: no such thing"' in line
    assert "in fail" in line


@pytest.mark.parametrize("options", [{"format": "json"}, {"level": "debug"}])
def test_the_traceback_is_there_for_machines_and_for_debugging(options: dict[str, object]) -> None:
    """With the values of secrets taken out of the source lines and of the message."""
    written = set_up(**options)
    try:
        fail(f"wrong {CANARY}")
    except ValueError as error:
        structlog.get_logger().error("task.fell", exc_info=error)
    assert "Traceback" in written.text
    assert "in fail" in written.text
    assert CANARY not in written.text


def test_asking_for_an_error_where_there_is_none_is_harmless() -> None:
    """exc_info=True outside of an except clause."""
    written = set_up(format="json")
    structlog.get_logger().error("x", exc_info=True)
    structlog.get_logger().error("y", exc_info=None)
    assert [sorted(event) for event in written.events] == [["at", "event", "level"]] * 2


def place_of(source: str, file: str) -> str:
    """Return the place of the error that ours meet in calling what stands in that file."""
    names: dict[str, Callable[[], int]] = {}
    exec(compile(f"def called():\n    {source}", file, "exec"), names)
    with pytest.raises((ZeroDivisionError, TypeError, ValueError)) as caught:
        Clock(monotonic_ns=names["called"])
    return where(caught.value.__traceback__)


@pytest.mark.parametrize("file", ["/srv/lib/site-packages/theirs.py", json.__file__, "theirs.pyx", "<string>"])
def test_the_place_of_an_error_is_the_innermost_line_of_ours(file: str) -> None:
    """Not a line deep in a library."""
    assert place_of("1 // 0", file).startswith("runtime/world.py:")
    assert where(None) == ""


@pytest.mark.parametrize(
    "source",
    [
        "1 // 0",
        "import json; json.loads('x')",
        "from kangbot.model.target import Target; Target(exposure=1, reason='')",
    ],
)
def test_the_place_of_an_error_in_a_strategy_is_its_own_line(source: str) -> None:
    """Ours have called it, and it may have called a library, or ours again."""
    assert place_of(source, "/home/trader/mine.py") == "mine.py:2 in called"


def test_a_reader_that_has_gone_stops_nothing() -> None:
    """`kangbot run 2>&1 | head`: the line is lost, trading goes on."""
    written = set_up()
    written.stream.close()
    structlog.get_logger().error("x")
    logging.getLogger("ccxt").error("y")


def test_times_are_exact_to_the_millisecond() -> None:
    """Cut, not rounded: a stamp is never in the future."""
    assert stamp(NOW_NS) == "2023-11-14T22:13:20.123Z"
    assert stamp(999_999) == "1970-01-01T00:00:00.000Z"


def test_configuring_takes_format_level_and_secrets_from_the_settings() -> None:
    """What the daemon calls."""

    @dataclass(frozen=True)
    class Section:
        format: str = "json"
        level: str = "error"

    @dataclass(frozen=True)
    class Settings:
        logs: Section
        secrets: tuple[str, ...]

    masker = logs.configure(Settings(Section(), (CANARY,)), Clock())  # type: ignore[arg-type]
    assert masker.text(CANARY) == MASK
    assert structlog.get_logger().bind().is_enabled_for(logging.ERROR)
    assert not structlog.get_logger().bind().is_enabled_for(logging.WARNING)


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_has_colours_unless_its_user_wants_none(monkeypatch: pytest.MonkeyPatch, *, no_color: bool) -> None:
    """By the variable that programs have agreed upon: no-color.org."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen, os.fdopen(theirs, "w") as terminal:
        logs.set_up(LogOptions(), Clock(), terminal)
        structlog.get_logger().error("order.refused")
        said = screen.read(4096)
    assert b"order.refused" in said
    assert (b"\x1b[" in said) is not no_color


def test_an_error_that_the_event_has_words_for_keeps_them() -> None:
    """Its place is told beside them."""
    written = set_up(format="json")
    structlog.get_logger().error("order.refused", error="no money", exc_info=ValueError("code 110007"))
    assert written.events[0]["error"] == "no money"
    assert "ValueError: code 110007" in str(written.events[0]["traceback"])


def test_lines_that_nobody_read_are_told_of_once_somebody_reads_again() -> None:
    """So that a gap in a log is seen to be one."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as pipe:
        logs.set_up(LogOptions(format="json"), Clock(), pipe)
        log = structlog.get_logger()
        for _ in range(120):
            log.info("x", much="y" * 3900)
        os.set_blocking(reading, False)
        said = b""
        for _ in range(20):
            log.info("z")
            said += reader.read(1 << 16) or b""
    assert b'"event":"logs.lost","lines":' in said
