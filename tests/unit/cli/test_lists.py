"""Positions, orders and events as a person reads them."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

from kangbot.cli.lists import events, orders, positions

WHY = "EMA 3 crossed above EMA 8 (3477.8328 > 3477.7135)"


def order(**fields: Any) -> dict[str, Any]:
    """A row of the history, as it is asked for."""
    return {
        "market": "bybit:BTC-USDT:USDT",
        "side": "sell",
        "quantity": "0.005",
        "status": "filled",
        "filled": "0.005",
        "average": "98105.2",
        "reason": WHY,
        "intended_at": "2026-11-27T15:41:26.105705Z",
        **fields,
    }


def event(**fields: Any) -> dict[str, Any]:
    """The same of an event."""
    return {
        "at": "2026-11-27T15:41:26.105705Z",
        "kind": "order.unknown",
        "market": None,
        "severity": "warning",
        "message": "what became of order kb3izki92ug is not known: bybit HTTP 504: the gateway waited in vain",
        **fields,
    }


def shown(what: str, rows: list[dict[str, Any]], columns: int) -> list[str]:
    """Return the lines as a terminal of so many columns has them."""
    ours, theirs = pty.openpty()
    code = (
        "import json, sys; from kangbot.cli import lists; from kangbot.cli.answer import fitted;"
        f"print(fitted(lists.{what}({{'items': json.loads(sys.argv[1])}})))"
    )
    environ = {**os.environ, "COLUMNS": str(columns)}
    subprocess.run([sys.executable, "-c", code, json.dumps(rows)], stdout=theirs, env=environ, check=True)
    os.close(theirs)
    said = os.read(ours, 65536).decode().splitlines()
    os.close(ours)
    assert max(map(len, said)) <= columns
    return said


def test_an_order_takes_one_line_of_a_terminal_and_a_file_has_its_whole_reason() -> None:
    """What does not fit 80 columns is the end of the reason; also beside an average that never ends."""
    rows = [order(), order(average="98105.233333333333333333", status="canceled", filled="0.003")]
    names, first, second = shown("orders", rows, 80)
    assert names.split() == ["time", "(UTC)", "market", "side", "quantity", "status", "filled", "average", "reason"]
    assert first.startswith("11-27 15:41:26 BTC/USDT:USDT sell    0.005 filled ")
    assert second.split()[5:8] == ["canceled", "0.003", "98105.2333333"]
    assert first.endswith("…")
    assert WHY.startswith(first[first.index("EMA") : -1])
    assert shown("orders", rows[:1], 120)[1].endswith(WHY)
    assert orders({"items": rows}).splitlines()[1].endswith(WHY)


def test_a_terminal_as_narrow_as_a_telephone_has_all_of_an_order_but_its_reason() -> None:
    """Broken between words: a status that was cut off would be what one looks for."""
    names, *first = shown("orders", [order()], 40)
    assert names == "time (UTC)     market        side"
    assert [word for line in first[1:] for word in line.split()] == [
        *("11-27", "15:41:26", "BTC/USDT:USDT", "sell", "0.005", "filled", "98105.2", "…"),
    ]
    assert shown("orders", [], 40) == ["nothing"]


def test_how_much_was_filled_is_told_where_the_status_does_not_say_it() -> None:
    """All of it, or nothing."""
    rows = [order(), order(status="rejected", filled="0", average=None)]
    names, filled, rejected = orders({"items": rows}).splitlines()
    assert "filled" not in names
    assert "98105.2" in filled
    assert rejected.split()[5:] == ["rejected", *WHY.split()]


def test_an_event_is_told_with_its_market_before_its_message() -> None:
    """Only messages are broken: what stands before them fits any terminal."""
    rows = [event(market="bybit:BTC-USDT:USDT"), event(kind="feed.up", message="data flows again", severity=None)]
    names, first, *more, last = shown("events", rows, 80)
    assert names.split() == ["time", "(UTC)", "severity", "kind", "message"]
    assert first == "11-27 15:41:26 warning  order.unknown  BTC/USDT:USDT: what became of order"
    assert " ".join(line.strip() for line in more) == event()["message"].removeprefix("what became of order ")
    assert last == "11-27 15:41:26          feed.up        data flows again"
    assert "severity" not in events({"items": rows[1:]})


def test_a_position_has_no_digits_that_no_price_has() -> None:
    """Its entry is an average, and what it would bring is counted from that."""
    held = {
        "market": "bybit:BTC-USDT:USDT",
        "net": "0.003",
        "entry": "98094.30333333333333333333333",
        "price": "98128.60",
        "stop": "96611.90",
        "unrealised": "0.102890000000000000000000010",
        "unprotected": "",
    }
    names, line = positions([held]).splitlines()
    assert names.split() == ["market", "net", "entry", "price", "stop", "unrealised"]
    assert line.split()[2:] == ["98094.3033333", "98128.60", "96611.90", "0.10289"]
    assert len(names) <= 80
    assert len(line) <= 80


def test_where_there_is_nothing_that_is_said() -> None:
    """For each of them."""
    assert [positions([]), orders({"items": []}), events({"items": []})] == ["nothing"] * 3


def test_a_reason_and_a_message_end_no_line_and_move_no_cursor() -> None:
    """A strategy's reason is its author's, a message may have the words of a proxy."""
    foul = "up\n\x1b[2J\x1b[31mBTC/USDT:USDT is flat"
    for what, row in (("orders", order(reason=foul)), ("events", event(message=foul))):
        _, line = shown(what, [row], 120)
        assert line.endswith(r"up\n\x1b[2J\x1b[31mBTC/USDT:USDT is flat")
