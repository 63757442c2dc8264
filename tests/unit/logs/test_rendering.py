"""One event as a line for a person, and as an object for a machine."""

import json
from decimal import Decimal
from pathlib import Path

import structlog
from hypothesis import given
from hypothesis import strategies as st

from kangbot.logs.masking import Masker
from kangbot.logs.rendering import MARKET_WIDTH, Console, render_json
from tests.support.logged import CANARY, set_up


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


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


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


def test_no_name_and_no_traceback_moves_the_cursor() -> None:
    """Each line of a traceback stands below its event, and no other line does."""
    said = Console(colours=False)({"event": "x\n", "a\x1b": 1, "traceback": "one\r\ntwo\x1b\n"})
    line, *below = said.splitlines()
    assert line.split() == [r"x\n", r"a\x1b=1"]
    assert below == [r"    one\r", r"    two\x1b"]
