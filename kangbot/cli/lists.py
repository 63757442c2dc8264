"""Positions, and orders and events of the history, as they fit a terminal of 80 columns; `--json` has all of them.

A time is without its year and its fractions, a market of the past by its symbol as in `kangbot status`, and an average
of prices, which may never end, in as many digits as a price can have. A column that says nothing is left out.
"""

from collections.abc import Mapping, Sequence
from decimal import Context
from typing import Any

from kangbot.cli.answer import cut
from kangbot.cli.online import Rows, table
from kangbot.model.printable import printable

Said = Mapping[str, Any]
Row = dict[str, str]

_NOTHING = "nothing"
_TIME = "time (UTC)"
_FIGURES = frozenset({"quantity", "filled", "average"})  # under each other by their last digits
_SHORT = Context(prec=12)  # no price has more digits


def positions(said: Rows) -> str:
    """Write what is held."""
    rows = [{**row, "entry": _short(row["entry"] or ""), "unrealised": _short(row["unrealised"])} for row in said]
    return table(rows, ("market", "net", "entry", "price", "stop", "unrealised", "unprotected"), _NOTHING)


def orders(said: Said) -> str:
    """Write a page of orders; in a terminal each in a line of its own, its reason as far as there is room for it.

    One that is too narrow for the rest has that in two lines: what became of an order is on a telephone as well.
    """
    rows = [_order(order) for order in said["items"]]
    lines = _set(rows, (_TIME, "market", "side", "quantity", "status", "filled", "average", "reason"))
    reason = lines[0].rfind("reason")
    return cut("\n".join(lines), keep=max(0, reason))


def events(said: Said) -> str:
    """Write a page of events; most are of no market, so its name begins the message."""
    rows = [_event(event) for event in said["items"]]
    return "\n".join(_set(rows, (_TIME, "severity", "kind", "message")))


def _order(order: Said) -> Row:
    partly = order["filled"] not in (order["quantity"], "0")  # else the status says it
    return {
        _TIME: _time(order["intended_at"]),
        "market": _symbol(order["market"]),
        "side": order["side"],
        "quantity": order["quantity"],
        "status": order["status"],
        "filled": order["filled"] if partly else "",
        "average": _short(order["average"] or ""),
        "reason": order["reason"],
    }


def _event(event: Said) -> Row:
    return {
        _TIME: _time(event["at"]),
        "severity": event["severity"] or "",
        "kind": event["kind"],
        "message": ": ".join(part for part in (_symbol(event["market"] or ""), event["message"]) if part),
    }


def _set(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return the rows under their names, each column as wide as it needs; the last one as it is."""
    if not rows:
        return [_NOTHING]
    names = [name for name in names if any(row[name] for row in rows)]
    said = [{name: printable(row[name]) for name in names} for row in rows]
    lines = [dict(zip(names, names, strict=True)), *said]
    *columns, last = names
    widths = {name: max(len(line[name]) for line in lines) for name in columns}
    return [
        f"{' '.join(f'{line[name]:{_side(name)}{widths[name]}}' for name in columns)}  {line[last]}".rstrip()
        for line in lines
    ]


def _side(name: str) -> str:
    return ">" if name in _FIGURES else "<"


def _time(text: str) -> str:
    """Return `11-27 15:41:26` of `2026-11-27T15:41:26.105705Z`."""
    return f"{text[5:10]} {text[11:19]}"


def _symbol(market: str) -> str:
    return market.partition(":")[2].replace("-", "/", 1)


def _short(text: str) -> str:
    return f"{_SHORT.create_decimal(text).normalize(_SHORT):f}" if len(text) > _SHORT.prec else text
