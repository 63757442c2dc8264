"""Whatever of a venue's port concerns an account is refused by an adapter that has none, in words to act on."""

import inspect
from decimal import Decimal
from typing import Any

import pytest

from kangbot.errors import Refused
from kangbot.model.ids import ClientId, VenueName
from kangbot.ports import Venue
from kangbot.venues.data_only import DataOnly
from tests.support.instruments import instrument_of
from tests.support.trade_words import intent

BTC = instrument_of()
READS = {"name", "id_rule", "tells_mark", "aclose", "instruments", "bars", "trades", "quote", "mark", "funding"}
READS |= {"server_time_ns"}
ASKED: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "submit": ((BTC, intent()), {}, "orders"),
    "cancel": ((BTC, ClientId("kb1")), {}, "orders"),
    "find": ((BTC, ClientId("kb1")), {}, "orders"),
    "open_orders": ((), {}, "orders"),
    "protect": ((BTC, None), {}, "stops"),
    "cover": ((BTC, None, Decimal(1), ClientId("kb1")), {"fresh": True}, "stops"),
    "prepare": ((BTC, 1), {}, "settings"),
    "executions": ((0,), {}, "executions"),
    "positions": ((), {}, "positions"),
    "balances": ((), {}, "balances"),
    "transfers": ((0,), {}, "transfers"),
}


class Prices(DataOnly):
    """An adapter that reads."""

    name = VenueName("prices")


@pytest.mark.parametrize("method", ASKED)
async def test_each_question_about_an_account_is_a_clear_no(method: str) -> None:
    """A definitive one, that names the venue: whoever tries again gets the same."""
    given, named, what = ASKED[method]
    with pytest.raises(Refused, match=f"^prices has no {what} here, it is data only: trade it on paper$"):
        await getattr(Prices(), method)(*given, **named)


def test_every_method_of_the_port_is_either_an_adapters_own_or_refused() -> None:
    """One that joins the port is to be among them, with the same arguments."""
    port = {name for name in vars(Venue) if not name.startswith("_")} - READS
    assert port == set(ASKED)
    for name in port:
        ours, theirs = (list(inspect.signature(getattr(one, name)).parameters) for one in (Prices, Venue))
        assert ours == theirs, name
