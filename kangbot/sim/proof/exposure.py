"""Whether what is at risk stays within the limits, by the venue's own books.

Each market, all of them, and all of them by the account's equity. A limit that is lowered sells nothing, and neither
does a market that is back with what it held: what was held or under way then may stay above the limit, but no entry is
made that adds to it. That excuse is over once the exposure has been within the limit, and what was under way has ended.
A market that left the configuration before the last start is nobody's: what it holds does not count.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId, MarketId
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Intent, OrderStatus, Purpose, Side
from kangbot.risk.limits import Limits
from kangbot.sim.exchange.orders import Origin
from kangbot.sim.exchange.venue import SimVenue
from kangbot.sim.proof.hands import HandWatch
from kangbot.sim.proof.held import held, is_spot

# What an account worth may exceed its limits by when prices move after an admission; an order too many is ten times it.
_TOLERANCE = Decimal("1.03")
_MANY = 32  # orders; those that have ended are forgotten then
_ALL, _BY_EQUITY = "", " by equity"  # beside the markets' names


class Measured(msgspec.Struct, frozen=True):
    """What is at risk, and what the account is worth."""

    markets: Mapping[MarketId, Money]
    total: Money
    equity: Money


class ExposureWatch:
    """Watches one session. `fail(what)` is told of a promise that was broken.

    `intents` and `statuses` are those on disk, by somebody else.
    """

    def __init__(
        self,
        *,
        engine: SimVenue,
        hands: HandWatch,
        limits: Limits,
        intents: Mapping[ClientId, Intent],
        statuses: Mapping[ClientId, OrderStatus],
        fail: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._hands = hands
        self._limits = limits
        self._intents = intents
        self._statuses = statuses
        self._fail = fail
        self._aside: frozenset[MarketId] = frozenset()  # nobody looks after these
        self._made: dict[ClientId, MarketId] = {}  # orders that may still do something, and some that have ended
        self._excused: dict[str, tuple[ClientId, ...]] = {}  # by scope: the orders that were under way

    # ------------------------------------------------------------------------------------------------------ by session
    def begins(self, looked_after: Iterable[MarketId], limits: Limits) -> None:
        """Learn which markets a life looks after, and under which limits: what was not written never happened."""
        self._made = {one: market for one, market in self._made.items() if one in self._intents}
        here = set(looked_after)
        aside = frozenset(market for market in self._engine.desks if market not in here)
        back = self._aside - aside
        self._aside = aside
        self.limited(limits)
        self._excuse(*back, *([_ALL, _BY_EQUITY] if back else ()))

    def joins(self, market: MarketId) -> None:
        """Learn that a market is looked after from now on, with what it may hold."""
        if market in self._aside:
            self._aside -= {market}
            self._excuse(market, _ALL, _BY_EQUITY)

    def limited(self, limits: Limits) -> bool:
        """Learn which limits hold from now on; whether that leaves more at risk than they allow."""
        before, self._limits = self._limits, limits
        lowered = [
            *(self._engine.desks if _lower(limits.market_notional, before.market_notional) else ()),
            *((_ALL,) if _lower(limits.total_notional, before.total_notional) else ()),
            *((_BY_EQUITY,) if _lower(limits.leverage, before.leverage) else ()),
        ]
        self._excuse(*lowered)
        return any(self._above(scope, self._measure(), 1) for scope in lowered)

    def still(self, market: MarketId) -> bool:
        """Whether nothing is held in the market, and nothing under way."""
        flying = any(self._flies(one) for one, where in self._made.items() if where == market)
        return not (flying or held(self._engine, market, self._hands) or self._engine.orders.open(market))

    def intended(self, intent: Intent) -> None:
        """Learn of an order in the moment in which it is made."""
        if len(self._made) >= _MANY:
            self._forget()
        self._made[intent.client_id] = intent.market
        if not self._excused or intent.purpose is Purpose.EXIT:
            return
        measured, more = self._measure(), intent.quantity * intent.reference
        markets = {**measured.markets, intent.market: measured.markets.get(intent.market, ZERO) + more}
        then = Measured(markets, measured.total + more, measured.equity)
        for scope in (intent.market, _ALL, _BY_EQUITY):
            if scope in self._excused and (words := self._above(scope, then, _TOLERANCE)):
                self._fail(f"entry {intent.client_id} is intended, and with it {words}")

    def look(self) -> None:
        """Hold what is at risk now against the limits."""
        measured = self._measure()
        for scope in (*measured.markets, _ALL, _BY_EQUITY):
            if scope not in self._excused:
                if words := self._above(scope, measured, _TOLERANCE):
                    self._fail(words)
            elif not self._above(scope, measured, 1) and not any(map(self._flies, self._excused[scope])):
                del self._excused[scope]

    # ---------------------------------------------------------------------------------------------------------- inner
    def _excuse(self, *scopes: str) -> None:
        if not scopes:
            return
        self._forget()
        under_way = tuple(self._made)
        self._excused.update(dict.fromkeys(scopes, under_way))

    def _forget(self) -> None:
        self._made = {one: market for one, market in self._made.items() if self._flies(one)}

    def _flies(self, client_id: ClientId) -> bool:
        """Whether an order may still do something; one that is not on disk yet may."""
        return client_id in self._made and not self._statuses.get(client_id, OrderStatus.INTENT).terminal

    def _above(self, scope: str, measured: Measured, share: Decimal | int) -> str:
        """Return in words by how much the limit is exceeded; "" where it is not, or there is none."""
        limits, amount = self._limits, measured.total
        if scope == _ALL:
            of, limit = "", limits.total_notional
        elif scope == _BY_EQUITY:
            of, limit = scope, None if limits.leverage is None else limits.leverage * measured.equity
        else:
            of, limit = f" of {scope}", limits.market_notional
            amount = measured.markets.get(MarketId(scope), ZERO)
        if limit is None or amount <= limit * share:
            return ""
        return f"exposure{of} is {amount:.2f} at the venue, the limit is {limit}"

    def _measure(self) -> Measured:
        """Return what is at risk at the venue, by market.

        Coins that an exit and a stop have both sold are no entry, and neither is what buys them back.
        """
        account = self._engine.account
        total, equity = ZERO, account.coins[self._engine.spec.currency]
        markets: dict[MarketId, Money] = {}
        for market, desk in self._engine.desks.items():
            orders = self._engine.orders.open(market)
            if not orders and not self._hands.net(market):
                continue
            ours, coins = self._hands.ours(market), is_spot(self._engine, market)
            here = (max(ours, ZERO) if coins else abs(ours)) * desk.mark if desk.book.quoted else ZERO
            if net := held(self._engine, market, self._hands):
                equity += net * desk.mark if coins else account.holding(market).unrealised(desk.mark)
            for order in orders:
                named = order.request.client_id.startswith(CLIENT_ID_PREFIX)
                intent = self._intents.get(ClientId(order.request.client_id))
                leaves = intent is not None and intent.purpose is Purpose.EXIT
                reduces = order.request.reduce_only or (coins and (leaves or order.side is Side.SELL))
                if named and order.origin is Origin.USER and not reduces:
                    here += order.left * (order.price or desk.last)
            if market not in self._aside:
                markets[market] = here
                total += here
        return Measured(markets, total, equity)


def _lower(limit: Decimal | None, before: Decimal | None) -> bool:
    return limit is not None and (before is None or limit < before)
