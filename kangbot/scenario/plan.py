"""What a seed means: the markets, how they trade, what the operator does, and what goes wrong when."""

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from kangbot.machines.breaker import DEFAULTS, BreakerTerms
from kangbot.machines.holding import ForeignPolicy
from kangbot.machines.plan import Style
from kangbot.market.roster import Command
from kangbot.market.spec import MarketSpec
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument, InstrumentKind
from kangbot.model.money import Money, Price, Quantity, floor_to
from kangbot.model.orders import OrderKind, Side, TimeInForce
from kangbot.ports import IdRule
from kangbot.risk.limits import Limits
from kangbot.runtime.world import SECOND_NS
from kangbot.scenario import reloads
from kangbot.scenario.reloads import Edit
from kangbot.scenario.trailing import Trailing
from kangbot.settings import Settings
from kangbot.sim.markets.listing import DEFAULT_LINEAR, linear, spot
from kangbot.sim.markets.spec import MarketSpec as SimMarket
from kangbot.sim.world.faults import Fault, Kind, planned
from kangbot.sim.world.port import ROWS_A_PAGE
from kangbot.sim.world.process import Spot
from kangbot.strategy import registry

if TYPE_CHECKING:
    import random  # noqa: TID251 -- the type only; the generator is forked from the seed

# When sessions begin: any day will do, this one is on the minute and the day's first.
_BEGIN_NS = 1_767_225_600 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS
_MIDNIGHT_SESSIONS = 0.2  # of the sessions: the day turns in the middle
_DAILY_SESSIONS = 0.5  # of those: a day may lose so much and no more
_FAULTS_MINUTES = 10.0
_NATIVES = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "LINKUSDT", "LTCUSDT", "BNBUSDT", "ADAUSDT")
_QUIET_NS = 30 * SECOND_NS  # before the first fault: markets warm up
BALANCE = Decimal(100_000)  # of the account, in the beginning
LIVENESS_NS = 60 * SECOND_NS  # after the last
MINUTE_S = 60
_KILLED_SHARE = 0.35  # of the sessions
_HANDS_SHARE = 0.3
_SPOT_SESSIONS = 0.25  # of the sessions
_ODD_SESSIONS = 0.3  # of the sessions: markets of unusual rules
_TICKS = tuple(map(Decimal, ("0.00025", "0.05", "0.25", "25")))
_FINEST = 400  # ticks a price has at least: a wider one leaves no room for the stops that are drawn
_RULING_SESSIONS = 0.15  # of the sessions: the venue changes the rules of markets in the middle
_STASHES = (Decimal(0), Decimal(200), Decimal(5000))  # what the coins are worth that somebody had before
_SMALL_SESSIONS = 0.3  # of the sessions: spot pairs of which a full position takes several orders
_SMALL = (Decimal("0.3"), Decimal("0.7"))  # of a full position, the largest order
_LIMITED_SESSIONS = 0.15  # of the sessions, for each limit
_LOSSES = (Decimal("0.01"), Decimal("0.03"))  # of a full position
_LEVERAGE = Decimal(3)  # where none is drawn
_RESTING_SESSIONS = 0.2  # without edits and resets: markets rest after losses and stops, and few may be open
_RESTS = (20, 60, 200)  # seconds
_TAKING_SESSIONS = 0.25  # of the sessions: somebody takes the stops away
_TRAILING_SESSIONS = 0.25  # of the sessions without edits, whose strategies the file names
_TRAILING_MARKETS = 0.6  # of the markets of such a session
_MOVING_SESSIONS = 0.2  # of the sessions: somebody brings money, or takes it away
_BROUGHT = (Decimal("0.02"), Decimal("0.5"))  # of the balance
_TAKEN = (Decimal("-0.02"), Decimal("-0.3"))
_PAGED_SESSIONS = 0.4  # of the sessions: what was executed takes many requests to ask for
_FEW_ROWS = 20
_ACCEPTING_SESSIONS = {True: 0.5, False: 0.15}  # by whether a fall from the highest equity ends entries
_BESIDE_S = (-20, 3, 20)  # of a transfer: the daemon may have heard of it by then, or not
_LEVERAGES = (Decimal("1.1"), Decimal("1.6"), Decimal("2.5"))  # full positions by the equity of the beginning
_SPOT_MARKETS = 0.5  # of the markets of such a session
# Breakers that open, probe and close several times in a session.
_QUICK = BreakerTerms(
    failures=5,
    within_ns=60 * SECOND_NS,
    cool_down_ns=30 * SECOND_NS,
    in_a_row=2,
    row_cool_down_ns=10 * SECOND_NS,
    longest_ns=60 * SECOND_NS,
    lease_ns=15 * SECOND_NS,
)
END_NS = 40 * SECOND_NS  # stopping, and two starts on a venue that stands still


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How large a session is. `kinds` None: every kind of fault.

    `most_faults` is for ten minutes; a longer session has more.
    """

    minutes: float = 10.0
    markets: int = 5
    most_faults: int = 14
    kinds: tuple[Kind, ...] | None = None
    spot: bool = False  # every session has spot pairs among its markets; else a share of the sessions
    edits: bool = False  # in every session the configuration is edited; else in a share of them


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the operator does."""

    at_ns: int
    market: MarketId
    command: Command


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """The kill switch is set and released. `release_ns` None: in the calm, once it can be seen what it came to.

    `by_file`: by the file in the state folder, else by a call.
    """

    at_ns: int
    release_ns: int | None
    flatten: bool
    by_file: bool


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody trades by hand, past the daemon. `at_ns` None: at the beginning of the calm.

    `away` is how far from the price an order is to rest, as a share of it; None trades at the market.
    """

    at_ns: int | None
    market: MarketId
    side: Side
    notional: Money
    away: Decimal | None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody brings money to the account, or takes it away where `amount` is negative."""

    at_ns: int
    amount: Money


Deed = TypeVar("Deed", Order, Hand)


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """The venue demands something else of a market's orders from then on."""

    at_ns: int
    instrument: Instrument


class Doom(msgspec.Struct, frozen=True, kw_only=True):
    """Where a crash comes, and how long the daemon is away."""

    spot: Spot
    passes: int
    away_ns: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A session. Times are nanoseconds since its start."""

    seed: int
    start_ns: int = _BEGIN_NS  # since the epoch
    markets: tuple[SimMarket, ...]
    specs: tuple[MarketSpec, ...]
    limits: Limits
    id_rule: IdRule
    requests_a_second: int
    funding_s: int
    faults: tuple[Fault, ...]
    orders: tuple[Order, ...]
    dooms: tuple[Doom, ...]  # one for each crash, in their order
    switch: Switch | None
    hands: tuple[Hand, ...]
    rulings: tuple[Ruling, ...] = ()
    moves: tuple[Move, ...] = ()
    resets_ns: tuple[int, ...] = ()  # when somebody accepts a drawdown
    takes_ns: tuple[int, ...] = ()  # when somebody takes every stop away at the venue; where any, in the calm too
    begun: Settings | None = None  # what the configuration's file says at first; None: as the plan has it, for good
    edits: tuple[Edit, ...] = ()  # of that file
    stash: dict[str, Quantity] = {}  # coins that are in the account before, by their names
    foreign: ForeignPolicy
    breakers: BreakerTerms
    drift_ppm: int  # of the venue's clock
    rows_a_page: int = ROWS_A_PAGE  # executions that the venue tells of at once
    compact_s: float | None  # between two compactions of the journal; None: it keeps all records
    calm_ns: int  # when the faults have stopped


def plan_of(seed: int, rng: "random.Random", options: Options) -> Plan:
    """Draw the session of that seed."""
    end_ns = int(options.minutes * 60 * SECOND_NS)
    calm_ns = max(_QUIET_NS + SECOND_NS, end_ns - LIVENESS_NS - END_NS)
    size = Decimal(rng.choice((400, 1000, 3000)))
    listed = _NATIVES if options.markets <= len(_NATIVES) else DEFAULT_LINEAR
    natives = rng.sample(listed, min(options.markets, len(listed)))
    markets = tuple(_market(rng, native, size) for native in natives)
    # A client id that the venue forgets may not be sent twice, by nobody: nothing on the way may double it either.
    id_rule = IdRule.WHILE_OPEN if rng.random() < 0.25 else IdRule.FOR_EVER
    kinds = tuple(Kind) if options.kinds is None else options.kinds
    if id_rule is IdRule.WHILE_OPEN:
        kinds = tuple(kind for kind in kinds if kind is not Kind.DUPLICATION)
    most = round(options.most_faults * max(1.0, options.minutes / _FAULTS_MINUTES))
    faults = planned(rng, begin_ns=_QUIET_NS, end_ns=calm_ns, kinds=kinds, most=most)
    plan = Plan(
        seed=seed,
        markets=markets,
        specs=tuple(_spec(rng, market, size) for market in markets),
        limits=_limits(rng, size, len(markets)),
        id_rule=id_rule,
        requests_a_second=rng.choice((5, 10, 20)),
        funding_s=rng.choice((120, 8 * 3600)),
        faults=tuple(faults),
        orders=_orders(rng, markets, calm_ns),
        dooms=tuple(_doom(rng) for fault in faults if fault.kind is Kind.CRASH),
        switch=_switch(rng, calm_ns),
        hands=_hands(rng, markets, size, calm_ns),
        foreign=rng.choice(list(ForeignPolicy)),
        breakers=rng.choice((DEFAULTS, _QUICK)),
        drift_ppm=rng.choice((0, -80, 20, 80)),
        compact_s=rng.choice((None, None, 8.0, 30.0)),
        calm_ns=calm_ns,
    )
    # Drawn last: what a seed stands for beside it is the same with spot pairs and without.
    plan = _with_spot(rng, plan) if rng.random() < _SPOT_SESSIONS or options.spot else plan
    plan = _with_odd_rules(rng, plan, size) if rng.random() < _ODD_SESSIONS else plan
    plan = _with_rulings(rng, plan, size) if rng.random() < _RULING_SESSIONS else plan
    plan = _with_small_orders(rng, plan, size) if rng.random() < _SMALL_SESSIONS else plan
    plan = msgspec.structs.replace(plan, limits=_narrowed(rng, plan.limits, size))
    plan = msgspec.structs.replace(plan, moves=_moves(rng, plan)) if rng.random() < _MOVING_SESSIONS else plan
    plan = _over_midnight(rng, plan, size) if rng.random() < _MIDNIGHT_SESSIONS else plan
    share = _ACCEPTING_SESSIONS[plan.limits.drawdown_percent is not None]
    plan = msgspec.structs.replace(plan, resets_ns=_resets(rng, plan)) if rng.random() < share else plan
    plan = _with_edits(rng, plan, size) if rng.random() < reloads.SHARE or options.edits else plan
    plan = msgspec.structs.replace(plan, rows_a_page=_FEW_ROWS) if rng.random() < _PAGED_SESSIONS else plan
    rests = rng.random() < _RESTING_SESSIONS and plan.begun is None and not plan.resets_ns
    plan = msgspec.structs.replace(plan, limits=_resting(rng, plan.limits)) if rests else plan
    plan = msgspec.structs.replace(plan, takes_ns=_takes(rng, plan)) if rng.random() < _TAKING_SESSIONS else plan
    return _trailing(rng, plan) if rng.random() < _TRAILING_SESSIONS and plan.begun is None else plan


def _with_spot(rng: "random.Random", plan: Plan) -> Plan:
    """Draw which markets are spot pairs. Who trades in one by hand may have had coins of it before."""
    pairs = {market.market: spot(market.instrument.native) for market in plan.markets if rng.random() < _SPOT_MARKETS}

    def kind(market: SimMarket) -> SimMarket:
        pair = pairs.get(market.market)
        return market if pair is None else msgspec.structs.replace(market, instrument=pair.instrument)

    def traded(spec: MarketSpec) -> MarketSpec:
        pair = pairs.get(spec.market)
        return (
            spec if pair is None else msgspec.structs.replace(spec, market=pair.market, symbol=pair.instrument.symbol)
        )

    def done(deed: Deed) -> Deed:
        pair = pairs.get(deed.market)
        return deed if pair is None else msgspec.structs.replace(deed, market=pair.market)

    touched = {hand.market for hand in plan.hands}
    stash = {
        pair.instrument.base: floor_to(rng.choice(_STASHES) / pair.price, pair.instrument.step)
        for market, pair in pairs.items()
        if market in touched
    }
    return msgspec.structs.replace(
        plan,
        markets=tuple(map(kind, plan.markets)),
        specs=tuple(map(traded, plan.specs)),
        orders=tuple(map(done, plan.orders)),
        hands=tuple(map(done, plan.hands)),
        stash=stash,
    )


def _with_odd_rules(rng: "random.Random", plan: Plan, size: Money) -> Plan:
    """Draw ticks that are no power of ten, wide steps, and minima that an order of a part of the size is below."""

    def odd(market: SimMarket) -> SimMarket:
        instrument, price = market.instrument, market.price
        tick = rng.choice((instrument.tick, *(tick for tick in _TICKS if tick * _FINEST <= price)))
        step = instrument.step * rng.choice(_widths(instrument, price, size))
        least = step * rng.choice((1, 3, 5))
        instrument = msgspec.structs.replace(
            instrument,
            tick=tick,
            step=step,
            min_quantity=least,
            max_quantity=max(least, floor_to(instrument.max_quantity or least, step)),
            min_notional=rng.choice((instrument.min_notional, size / 8, size / 2)),
        )
        level = max(step, floor_to(market.level, step))
        return msgspec.structs.replace(market, instrument=instrument, price=floor_to(price, tick), level=level)

    return msgspec.structs.replace(plan, markets=tuple(map(odd, plan.markets)))


def _with_rulings(rng: "random.Random", plan: Plan, size: Money) -> Plan:
    """Draw whose rules change, and when: what was placed by the old ones does not fit any more."""

    def ruled(market: SimMarket) -> Instrument:
        instrument, price = market.instrument, market.price
        wider = tuple(width for width in (1, 2, 5, 10) if instrument.tick * width * _FINEST <= price) or (1,)
        step = instrument.step * rng.choice(_widths(instrument, price, size))
        least = max(step, floor_to(instrument.min_quantity, step))
        tick = instrument.tick * rng.choice(wider)
        return msgspec.structs.replace(instrument, tick=tick, step=step, min_quantity=least)

    drawn = rng.sample(plan.markets, rng.randint(1, len(plan.markets)))
    rulings = [Ruling(at_ns=rng.randrange(_QUIET_NS, plan.calm_ns), instrument=ruled(market)) for market in drawn]
    return msgspec.structs.replace(plan, rulings=tuple(rulings))


def _with_small_orders(rng: "random.Random", plan: Plan, size: Money) -> Plan:
    """Draw of which spot pairs the venue takes no order as large as a full position: one stop would not cover it."""

    def small(market: SimMarket) -> SimMarket:
        instrument = market.instrument
        most = max(instrument.min_quantity, floor_to(size / market.price * rng.choice(_SMALL), instrument.step))
        if instrument.kind is not InstrumentKind.SPOT or most * market.price < 2 * instrument.min_notional:
            return market
        return msgspec.structs.replace(market, instrument=msgspec.structs.replace(instrument, max_quantity=most))

    return msgspec.structs.replace(plan, markets=tuple(map(small, plan.markets)))


def _narrowed(rng: "random.Random", limits: Limits, size: Money) -> Limits:
    """Draw what a day may lose and how far equity may fall, a few trades each, and how many markets it carries."""
    if rng.random() < _LIMITED_SESSIONS:
        limits = msgspec.structs.replace(limits, daily_loss=size * rng.choice(_LOSSES))
    if rng.random() < _LIMITED_SESSIONS:
        limits = msgspec.structs.replace(limits, drawdown_percent=size * rng.choice(_LOSSES) / BALANCE * 100)
    if rng.random() < _LIMITED_SESSIONS:
        limits = msgspec.structs.replace(limits, leverage=size * rng.choice(_LEVERAGES) / BALANCE)
    return limits


def _resting(rng: "random.Random", limits: Limits) -> Limits:
    """Draw how long a market rests after losses in a row and after a stop, and how many may be open at once."""
    return msgspec.structs.replace(
        limits,
        open_positions=rng.choice((None, 1, 2)),
        consecutive_losses=rng.choice((None, 1, 2)),
        losses_pause_ns=rng.choice(_RESTS) * SECOND_NS,
        stop_pause_ns=rng.choice((None, *(rest_s * SECOND_NS for rest_s in _RESTS))),
    )


def _moves(rng: "random.Random", plan: Plan) -> tuple[Move, ...]:
    """Draw what is moved and when; nothing is taken where what is held may reach what equity allows by then."""
    shares = (_BROUGHT, _BROUGHT + _TAKEN)[plan.limits.leverage == _LEVERAGE]
    return tuple(
        Move(at_ns=rng.randrange(_QUIET_NS, plan.calm_ns), amount=BALANCE * rng.choice(shares))
        for _ in range(rng.randint(1, 2))
    )


def _over_midnight(rng: "random.Random", plan: Plan, size: Money) -> Plan:
    """Draw at which of the session's minutes the day turns (UTC), and what a day may lose where nothing limits it."""
    before_ns = rng.randint(1, plan.calm_ns // (MINUTE_S * SECOND_NS)) * MINUTE_S * SECOND_NS
    limits = plan.limits
    if limits.daily_loss is None and rng.random() < _DAILY_SESSIONS:
        limits = msgspec.structs.replace(limits, daily_loss=size * rng.choice(_LOSSES))
    return msgspec.structs.replace(plan, start_ns=_BEGIN_NS + DAY_NS - before_ns, limits=limits)


def _resets(rng: "random.Random", plan: Plan) -> tuple[int, ...]:
    """Draw when somebody accepts a drawdown: at any time, and shortly before or after a transfer where there is one."""
    times = [rng.randrange(_QUIET_NS, plan.calm_ns) for _ in range(rng.randint(1, 2))]
    times += [move.at_ns + rng.choice(_BESIDE_S) * SECOND_NS for move in plan.moves]
    return tuple(min(at_ns, plan.calm_ns - 1) for at_ns in sorted(times))


def _takes(rng: "random.Random", plan: Plan) -> tuple[int, ...]:
    """Draw when somebody takes every stop away."""
    return tuple(sorted(rng.randrange(_QUIET_NS, plan.calm_ns) for _ in range(rng.randint(1, 3))))


def _trailing(rng: "random.Random", plan: Plan) -> Plan:
    """Draw in which markets the stop follows the price."""

    def drawn(spec: MarketSpec) -> MarketSpec:
        if rng.random() >= _TRAILING_MARKETS:
            return spec
        return msgspec.structs.replace(spec, strategy=Trailing(spec.strategy.parameters))

    return msgspec.structs.replace(plan, specs=tuple(map(drawn, plan.specs)))


def _with_edits(rng: "random.Random", plan: Plan, size: Money) -> Plan:
    """Draw how the configuration's file is edited. No limit by equity is lowered where money may be taken away."""
    begun, edits = reloads.drawn(
        rng,
        reloads.settings_of(plan.specs, plan.limits, plan.foreign),
        size=size,
        balance=BALANCE,
        begin_ns=_QUIET_NS // 2,
        end_ns=plan.calm_ns,
        crashes_ns=[fault.at_ns for fault in plan.faults if fault.kind is Kind.CRASH],
        keeps_leverage=any(move.amount < 0 for move in plan.moves),
    )
    return msgspec.structs.replace(plan, begun=begun, edits=edits)


def _widths(instrument: Instrument, price: Price, size: Money) -> tuple[int, ...]:
    """Return by how much the step may be widened so that a full position still has some."""
    return tuple(width for width in (1, 5, 10) if width == 1 or instrument.step * width * 10 * price <= size)


def _market(rng: "random.Random", native: str, size: Money) -> SimMarket:
    """Draw a market: some have books so thin that an order of our size is filled in parts, or not to its end."""
    market = linear(native)
    step = market.instrument.step
    share = Decimal(str(rng.choice((0.05, 0.3, 2.0, 20.0))))
    level = max(step, (size * share / market.price / step).to_integral_value() * step)
    return SimMarket(
        instrument=market.instrument,
        price=market.price,
        level=level,
        volatility=rng.choice((1e-4, 2e-4, 5e-4)),
    )


def _spec(rng: "random.Random", market: SimMarket, size: Money) -> MarketSpec:
    timeframe_s = rng.choice((5, 5, 10, 15, 60))  # a minute's are the venue's own candles, the others made of trades
    strategy = registry.load("ema_cross", reloads.decides(rng, timeframe_s))
    return MarketSpec(
        market=market.market,
        symbol=market.instrument.symbol,
        strategy=strategy,
        timeframe=reloads.word(timeframe_s),
        timeframe_s=timeframe_s,
        size=size,
        leverage=rng.choice((3, 5, 10)),
        style=_style(rng),
    )


def _style(rng: "random.Random") -> Style:
    kinds = (OrderKind.MARKET, OrderKind.MARKET, OrderKind.LIMIT)
    return Style(
        kind=rng.choice(kinds),
        exit_kind=rng.choice(kinds),
        time_in_force=rng.choice((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.POST_ONLY)),
        patience_ns=rng.choice((2, 5, 15)) * SECOND_NS,
    )


def _limits(rng: "random.Random", size: Money, markets: int) -> Limits:
    """Draw limits that are met: not every market may be fully in at once."""
    share = Decimal(str(rng.choice((0.5, 0.7, 1.3))))
    return Limits(
        market_notional=size * Decimal("1.5"),
        total_notional=max(size * Decimal("1.05"), size * markets * share),
        leverage=_LEVERAGE,
    )


def _orders(rng: "random.Random", markets: tuple[SimMarket, ...], until_ns: int) -> tuple[Order, ...]:
    """Draw what the operator does; half of the sessions are left alone."""
    count = rng.randint(1, 8) if rng.random() < 0.5 else 0
    drawn = [
        Order(
            at_ns=rng.randrange(_QUIET_NS // 2, until_ns),
            market=rng.choice(markets).market,
            command=rng.choice(list(Command)),
        )
        for _ in range(count)
    ]
    return tuple(sorted(drawn, key=lambda order: order.at_ns))


def _doom(rng: "random.Random") -> Doom:
    return Doom(
        spot=rng.choice(list(Spot)),
        passes=rng.randint(1, 12),
        away_ns=int(rng.choice((2.0, 2.0, 10.0, 40.0)) * rng.uniform(0.5, 1.5) * SECOND_NS),
    )


def _switch(rng: "random.Random", calm_ns: int) -> Switch | None:
    """Draw whether and when the kill switch is set; in a third of the sessions it is."""
    if rng.random() >= _KILLED_SHARE:
        return None
    at_ns = rng.randrange(_QUIET_NS, calm_ns)
    into_calm = rng.random() < 0.5
    return Switch(
        at_ns=at_ns,
        release_ns=None if into_calm else rng.randrange(at_ns, calm_ns),
        flatten=rng.random() < 0.5,
        by_file=rng.random() < 0.5,
    )


def _hands(rng: "random.Random", markets: tuple[SimMarket, ...], size: Money, calm_ns: int) -> tuple[Hand, ...]:
    """Draw what somebody does by hand; in most sessions nobody does anything."""
    if rng.random() >= _HANDS_SHARE:
        return ()
    return tuple(
        Hand(
            at_ns=None if rng.random() < 0.3 else rng.randrange(_QUIET_NS, calm_ns),
            market=rng.choice(markets).market,
            side=rng.choice(list(Side)),
            notional=size * Decimal(str(rng.choice((0.1, 0.5, 1.0)))),
            away=rng.choice((None, Decimal("0.02"), Decimal("0.001"))),
        )
        for _ in range(rng.randint(1, 3))
    )
