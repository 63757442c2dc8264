"""The venue changes what it demands of a market's orders while the daemon trades there."""

from decimal import Decimal

import pytest

from kangbot.model.events import Noted, OrderIntended
from kangbot.model.orders import OrderStatus
from tests.support.agreement import Journalled, disagreements, sqlite_query
from tests.support.processes import World

pytestmark = pytest.mark.process

_XRP = "bybit:XRP-USDT:USDT"
_TICK, _STEP = Decimal("0.002"), Decimal(7)  # what was planned before fits by chance alone


def test_a_market_goes_on_by_the_venues_new_rules(world: World) -> None:
    """What no longer fits is refused, which has the rules asked for; from then on every order and stop fits them."""
    world.start()
    world.live()
    world.orders(more_than=3)
    rules = {"symbol": "XRPUSDT", "tick": str(_TICK), "step": str(_STEP), "min_quantity": str(_STEP)}
    world.sandbox._call("POST", "/sandbox/rules", rules)

    def filled() -> int:
        rows = [row for row in world.sandbox.orders() if row["symbol"] == "XRPUSDT" and row["orderStatus"] == "Filled"]
        return sum(not Decimal(row["qty"]) % _STEP for row in rows if row["orderLinkId"])

    world.until(lambda _: filled() >= 3)
    world.stop()
    journal = Journalled(world.state)
    events = [record.event for record in journal.records]
    told = next(index for index, event in enumerate(events) if _tells(event))
    later = [
        event.intent for event in events[told:] if isinstance(event, OrderIntended) and event.intent.market == _XRP
    ]
    assert [one for one in later if one.quantity % _STEP or (one.stop is not None and one.stop % _TICK)] == []
    assert OrderStatus.FILLED in {journal.statuses[one.client_id] for one in later}
    assert disagreements(journal, sqlite_query(world.state), world.sandbox) == []


def _tells(event: object) -> bool:
    return isinstance(event, Noted) and event.kind == "market.rules_changed" and event.market == _XRP
