"""What the sandbox serves: one simulated venue, the clock that drives it, and what was asked of it."""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from kangbot.model.ids import MarketId
from kangbot.model.market import InstrumentKind
from kangbot.runtime.world import Clock, World
from kangbot.sandbox.errors import PARAMS, ApiError
from kangbot.sandbox.options import ServeOptions
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.markets.desk import Desk
from kangbot.sim.markets.listing import linear, spot
from kangbot.sim.markets.spec import VenueSpec

Params = Mapping[str, Any]
KINDS = {"linear": InstrumentKind.LINEAR, "spot": InstrumentKind.SPOT}


class Exchange:
    """The venue under its wire names: categories and native symbols."""

    def __init__(self, options: ServeOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        seed = sha256(f"sandbox/{options.seed}".encode()).digest()
        self.world = World(clock=clock, seed=seed)
        spec = VenueSpec(
            markets=(*map(linear, options.symbols), *map(spot, options.spot_symbols)),
            seed=seed,
            start_ns=clock.now_ns(),
            rate=options.rate,
            history_minutes=options.history_minutes,
            balance=options.balance,
            funding_interval_s=options.funding_interval_s,
        )
        self.venue = SimVenue(spec, self.world.fork)
        self._by_name = {
            (desk.spec.instrument.kind, desk.spec.instrument.native): desk for desk in self.venue.desks.values()
        }
        self.hedged: set[MarketId] = set()  # no order in one-way mode is taken there, and no other is served here
        self.margin_mode = "REGULAR_MARGIN"
        self.requests: Counter[str] = Counter()
        self.connects: Counter[str] = Counter()

    def now_ns(self) -> int:
        """Return the venue's clock."""
        return self._clock.now_ns()

    def now_ms(self) -> int:
        """Return the venue's clock in milliseconds, as the wire has it."""
        return self._clock.now_ns() // 1_000_000

    def desks(self, category: str) -> list[Desk]:
        """Return the markets of a category, in the order of listing; none for those that are not served."""
        kind = KINDS.get(category)
        return [desk for desk in self.venue.desks.values() if desk.spec.instrument.kind is kind]

    def desk(self, category: str, symbol: str) -> Desk:
        """Return one market. ApiError where it is not listed."""
        found = self._by_name.get((category_kind(category), symbol))
        if found is None:
            raise ApiError(PARAMS, "params error: Symbol Invalid")
        return found

    def category(self, market: MarketId) -> str:
        """Return the wire's category of a market."""
        return self.venue.desks[market].spec.instrument.kind.value

    def symbol(self, market: MarketId) -> str:
        """Return the wire's name of a market."""
        return self.venue.desks[market].spec.instrument.native


def category_kind(category: str) -> InstrumentKind:
    """Return the kind of a category that has markets. ApiError for any other."""
    try:
        return KINDS[category]
    except KeyError:
        raise ApiError(PARAMS, "params error: Category is invalid") from None
