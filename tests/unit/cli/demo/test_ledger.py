"""What the history says at a demo's end."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.cli.demo.ledger import orders_in, positions_in
from kangbot.model.events import Event
from kangbot.model.ids import ClientId
from kangbot.model.orders import OrderStatus
from kangbot.storage.migrate import upgrade
from kangbot.storage.sqlite import SqliteHistory
from kangbot.storage.url import SqliteUrl
from tests.support.records import MARKET, changed, fill_applied, intended, records


async def nothing() -> None:
    """Bring no table up to date: they are."""


async def kept(folder: Path, *events: Event) -> None:
    """Have the history hold these events."""
    url = SqliteUrl(path=folder / "history.sqlite")
    upgrade(url)
    history = SqliteHistory(url.path, nothing)
    await history.store(records(events))
    await history.aclose()


async def test_orders_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    """The last that is known of each."""
    other = ClientId("kbabcdefgh2")
    await kept(
        tmp_path,
        intended(),
        changed(OrderStatus.SENT),
        changed(OrderStatus.FILLED, filled="0.010"),
        intended(other),
        changed(OrderStatus.SENT, client_id=other),
    )
    assert orders_in(tmp_path) == {OrderStatus.FILLED: 1, OrderStatus.SENT: 1}
    assert positions_in(tmp_path) == {}


@pytest.mark.parametrize(("net", "open_positions"), [("0.010", {MARKET: Decimal("0.010")}), ("0", {})])
async def test_a_position_that_is_closed_is_none(tmp_path: Path, net: str, open_positions: dict[str, Decimal]) -> None:
    """Amounts are exact."""
    await kept(tmp_path, intended(), fill_applied(net=net, entry=None if net == "0" else "64000.5"))
    assert positions_in(tmp_path) == open_positions


def test_looking_makes_no_history(tmp_path: Path) -> None:
    """Where the daemon has left none that is an error, and no empty books that agree with nothing."""
    for look in (orders_in, positions_in):
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            look(tmp_path)
    assert list(tmp_path.iterdir()) == []
