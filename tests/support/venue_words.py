"""What the suites of `ports.Venue` say in one word."""

from decimal import Decimal
from typing import Any

from kangbot.model.ids import ClientId
from kangbot.model.market import Instrument
from kangbot.model.money import floor_to
from kangbot.model.orders import Intent, OrderKind, OrderReport, VenuePosition
from tests.support.venue_bench import Bench

NOBODY = ClientId("kbconforms0nobody")


def below(bench: Bench, instrument: Instrument, share: str) -> Decimal:
    """Return a price that far below the market, on the tick."""
    return floor_to(bench.price(instrument) * (1 - Decimal(share)), instrument.tick)


def resting(bench: Bench, instrument: Instrument, **changes: Any) -> Intent:
    """Return a buy that will not fill."""
    far = below(bench, instrument, "0.05")
    return bench.intent(instrument, kind=OrderKind.LIMIT, price=far, **changes)


async def held(bench: Bench, instrument: Instrument) -> VenuePosition | None:
    """Return the market's position at the venue; None where it is flat."""
    return next((one for one in await bench.venue.positions() if one.market == instrument.market), None)


async def settled(bench: Bench, intent: Intent, instrument: Instrument) -> OrderReport:
    """Return what the venue says of the order, which it acknowledged before it matched it."""
    report = (await bench.venue.find(instrument, intent.client_id)).report
    assert report is not None
    return report
