"""Events and library lines, written for a person or a machine, without a secret in any of them."""

import io
import json
import logging
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kangbot import logs
from kangbot.logs.chain import LogOptions, stamp, where
from kangbot.logs.masking import MASK, Masker
from kangbot.logs.rendering import MARKET_WIDTH, Console, render_json
from kangbot.runtime.world import Clock

CANARY = "c4nary/9f+3c=never-shown"
NOW_NS = 1_700_000_000_123_456_789


@dataclass
class Written:
    """What was written since logging was set up, and the masker in use."""

    stream: io.StringIO
    masker: Masker

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def events(self) -> list[dict[str, object]]:
        """JSON lines, decoded."""
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Give the process its logging back; warnings that a test of another room had captured are let go first.

    Whoever ran before in this process may have set logging up: the standard library then takes warnings for captured
    and does not capture them again, while the test runner has put its own hook back.
    """
    logging.captureWarnings(capture=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def set_up(**options: object) -> Written:
    """Set logging up to a text in memory, at a fixed time."""
    stream = io.StringIO()
    clock = Clock(monotonic_ns=lambda: 0, anchor_ns=NOW_NS)
    chosen = LogOptions(secrets=(CANARY,), **options)  # type: ignore[arg-type]
    return Written(stream, logs.set_up(chosen, clock, stream))


def fail(text: str) -> None:
    """Raise from a place that a test can look for, with a cause that shows a secret."""
    raise ValueError(text) from KeyError(CANARY)


# ------------------------------------------------------------------------------------------------ form
def test_an_event_is_one_json_object_with_the_worlds_time() -> None:
    """Time in UTC from the injected clock, level, event, then the fields."""
    written = set_up(format="json")
    structlog.get_logger().warning("feed.silent", for_s=12.5, size=Decimal("0.10"), path=Path("a"))
    assert written.text == (
        '{"at":"2023-11-14T22:13:20.123Z","level":"warning","event":"feed.silent",'
        '"for_s":12.5,"size":"0.10","path":"a"}\n'
    )


def test_an_amount_is_written_as_prices_are() -> None:
    """Without an exponent, whatever its size; what has a million digits is none."""
    written = set_up(format="json")
    structlog.get_logger().info(
        "order.sent", price=Decimal("1.2E-7"), quantity=Decimal("3E+5"), odd=Decimal("1E-999999")
    )
    (event,) = written.events
    assert (event["price"], event["quantity"], event["odd"]) == ("0.00000012", "300000", "1E-999999")


def test_the_market_bound_by_a_task_is_in_its_events() -> None:
    """Context variables reach our events and the libraries' lines alike."""
    written = set_up(format="json")
    with structlog.contextvars.bound_contextvars(market="bybit:BTC-USDT:USDT"):
        structlog.get_logger().info("task.ready")
        logging.getLogger("ccxt").warning("slow")
    assert [event["market"] for event in written.events] == ["bybit:BTC-USDT:USDT"] * 2


def test_a_console_line_is_aligned_and_plain_where_nobody_sees_colours() -> None:
    """Not a terminal: no escape sequences."""
    written = set_up()
    log = structlog.get_logger()
    log.info("market.live", market="bybit:BTC-USDT:USDT", after_s=1.23456789)
    log.error("order.refused", market="bybit:ETH-USDT:USDT", why="no money", code="")
    first, second = written.text.splitlines()
    assert first == "2023-11-14T22:13:20.123Z info     bybit:BTC-USDT:USDT  market.live                after_s=1.23457"
    assert second.endswith('order.refused              why="no money" code=""')
    assert first.index("market.live") == second.index("order.refused")

    assert "\x1b" not in written.text


def test_what_is_of_every_market_names_none() -> None:
    """A pause of all entries that somebody ends: a market of that name would be looked for."""
    written = set_up()
    structlog.get_logger().info("entries.resumed", market=None, caller="control socket")
    assert "None" not in written.text
    assert written.text.index("entries.resumed") == len("2023-11-14T22:13:20.123Z info     ") + MARKET_WIDTH + 1


def test_a_terminal_gets_colours() -> None:
    """And the same words."""
    line = Console(colours=True)({"at": "now", "level": "error", "event": "x", "n": 1})
    assert "\x1b[31merror" in line
    assert line.endswith("1")


def test_what_a_venue_sends_cannot_move_the_cursor_or_forge_a_line() -> None:
    """Control characters are written as escapes."""
    written = set_up()
    structlog.get_logger().info("venue.said", text="\x1b[2J\nFAKE line\r")
    assert len(written.text.splitlines()) == 1
    assert r"\x1b[2J\nFAKE line\r" in written.text


@pytest.mark.parametrize(("level", "expected"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_than_the_level_is_not_written(level: str, expected: int) -> None:
    """As configured."""
    written = set_up(format="json", level=level)
    log = structlog.get_logger()
    for method in (log.debug, log.info, log.warning, log.error):
        method("x")
    assert len(written.events) == expected


# ------------------------------------------------------------------------------------------------ errors
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


# ------------------------------------------------------------------------------------------------ libraries
def test_what_libraries_say_has_the_same_form() -> None:
    """ccxt, aiohttp, aiomysql, websockets, asyncio; warnings too. Their chatter below a warning is left out."""
    written = set_up(format="json")
    logging.getLogger("aiomysql").info("chatter")
    logging.getLogger("websockets.client").warning("closing %s", CANARY)
    logging.getLogger("asyncio").error("took %d s", "not a number")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    said = [(event["level"], event["logger"]) for event in written.events]
    assert said == [("warning", "websockets.client"), ("error", "asyncio"), ("warning", "py.warnings")]
    assert written.events[0]["message"] == f"closing {MASK}"
    assert written.events[1]["message"] == "took %d s"


def test_a_librarys_error_has_its_place() -> None:
    """exception() of the standard library."""
    written = set_up(format="json")
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("ccxt").exception("failed")
    assert written.events[0]["error"] == f"ValueError: {MASK}"


def test_a_reader_that_has_gone_stops_nothing() -> None:
    """`kangbot run 2>&1 | head`: the line is lost, trading goes on."""
    written = set_up()
    written.stream.close()
    structlog.get_logger().error("x")
    logging.getLogger("ccxt").error("y")


# ------------------------------------------------------------------------------------------------ secrets
class Odd:
    """An object that shows a secret."""

    def __repr__(self) -> str:
        return f"<Odd {CANARY}>"


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


class Word(Enum):
    """An enum that holds one."""

    SECRET = CANARY


CARRIERS: tuple[object, ...] = (
    CANARY,
    f"before {CANARY} after",
    CANARY.encode(),
    quote(CANARY, safe=""),
    b64encode(CANARY.encode()).decode(),
    {"deep": [{"er": (CANARY,)}]},
    {CANARY: 1},
    ValueError(CANARY),
    Odd(),
    Word.SECRET,
    Path(CANARY),
    frozenset({CANARY}),
    [[[[[[[[[[CANARY]]]]]]]]]],
    "x" * 3990 + CANARY,
)


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_registered_secret_is_in_no_line(form: str) -> None:
    """As a value, in a value, encoded, in an error, as a key, by every way in: 0 leaks."""
    written = set_up(format=form, level="debug")
    log, library = structlog.get_logger(), logging.getLogger("ccxt")
    for carrier in CARRIERS:
        log.info("event", field=carrier)
        log.info("event " + CANARY)  # noqa: G003 -- a careless line
        log.bind(bound=carrier).warning("event")
        library.error("said %s", carrier)
        library.error(carrier)
        with structlog.contextvars.bound_contextvars(context=carrier):
            log.error("event")
        try:
            fail(f"{carrier}")
        except ValueError:
            log.exception("fell")
            library.exception("fell")
    leaks = (CANARY, quote(CANARY, safe=""), b64encode(CANARY.encode()).decode().rstrip("="))
    assert [leak for leak in leaks if leak in written.text] == []
    assert written.text.count(MASK) > 100


@pytest.mark.parametrize(
    "name",
    ["token", "api_key", "apiKey", "secret", "password", "signature", "Authorization", "X-BAPI-SIGN", "db.password"],
)
def test_a_field_named_like_a_secret_shows_nothing(name: str) -> None:
    """Also where nobody registered its value."""
    assert Masker().field(name, "whatever") == MASK
    assert Masker().value({"headers": {name: "whatever"}}) == {"headers": {name: MASK}}


def test_a_field_named_like_something_else_is_shown() -> None:
    """Masking everything would be no log."""
    masker = Masker()
    for name in ("market", "key", "signal", "design", "tokens_left", "sequence"):
        assert masker.field(name, "shown") == "shown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /v5?api_key=abc&sign=def&x=1", f"GET /v5?api_key={MASK}&sign={MASK}&x=1"),
        ("signature: abc, next", f"signature: {MASK}, next"),
        ('{"apiKey": "abc", "secret":"d e"}', f'{{"apiKey": "{MASK}", "secret":"{MASK} e"}}'),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        (
            "{'X-BAPI-API-KEY': 'k', 'X-BAPI-TIMESTAMP': '1'}",
            f"{{'X-BAPI-API-KEY': '{MASK}', 'X-BAPI-TIMESTAMP': '1'}}",
        ),
        ("mysql://user:p@ss:w0rd@host:3306/db", f"mysql://user:{MASK}@host:3306/db"),
        ("https://host:443/path@x", "https://host:443/path@x"),
        ("nothing to hide here", "nothing to hide here"),
    ],
)
def test_text_that_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    """Signed requests, headers, JSON, addresses: what a library would print of a call."""
    assert Masker().text(text) == expected


def test_a_short_secret_does_not_blot_out_the_log() -> None:
    """Three letters are in every second word."""
    masker = Masker(["abc"])
    assert masker.text("abc") == "abc"
    masker.add("abcd")
    assert masker.text("abcd") == MASK


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(anything)
def test_whatever_is_logged_becomes_one_line_of_json(value: object) -> None:
    """Lone surrogates, huge numbers, NaN, deep nesting, objects that cannot be shown: never an exception."""
    masker = Masker([CANARY])
    for given_value in (value, Broken(), [Broken()]):
        line = render_json({"event": "x", "value": masker.value(given_value)})
        assert json.loads(line)["event"] == "x"
        assert "\n" not in line
        assert "\n" not in Console(colours=False)({"event": "x", "value": masker.value(given_value)})


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
