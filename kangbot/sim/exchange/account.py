"""The one account of the simulated venue: coins, positions, and the margin they need (unified, cross, one-way).

Linear positions are settled in the venue's currency and margined from it; spot moves coins. Prices come as arguments
(`marks`), so that the account holds nothing that is not its own.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import msgspec

from kangbot.model.ids import MarketId
from kangbot.model.market import InstrumentKind
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Balance, Side, VenuePosition
from kangbot.sim.exchange.orders import SimOrder
from kangbot.sim.exchange.position import Holding
from kangbot.sim.markets.spec import MarketSpec, VenueSpec

Marks = Mapping[MarketId, Price]
_FLAT = Holding()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one instant, in the venue's currency."""

    wallet: Money  # cash
    unrealised: Money
    position_margin: Money
    order_margin: Money
    maintenance: Money

    @property
    def equity(self) -> Money:
        """Cash and what the positions are worth."""
        return self.wallet + self.unrealised

    @property
    def available(self) -> Money:
        """What new orders may use; 0 rather than negative."""
        return max(ZERO, self.equity - self.position_margin - self.order_margin)


class Account:
    """Coins and positions; changed by fills, funding, transfers and settings only."""

    def __init__(self, spec: VenueSpec) -> None:
        self._spec = spec
        self._markets = {market.market: market for market in spec.markets}
        self.coins: dict[str, Money] = {spec.currency: spec.balance}
        self.fees_paid: Money = ZERO
        self.funding: Money = ZERO
        self._holdings: dict[MarketId, Holding] = {}
        self._leverage: dict[MarketId, Decimal] = {}

    def add_market(self, market: MarketSpec) -> None:
        """Let a further market be traded."""
        self._markets[market.market] = market

    def take_up(self, market: MarketId, holding: Holding) -> None:
        """Go on with a position of an earlier life."""
        self._holdings[market] = holding

    def holding(self, market: MarketId) -> Holding:
        """Return the position, flat where there never was one."""
        return self._holdings.get(market, _FLAT)

    def open_markets(self) -> list[MarketId]:
        """Return the markets with a position, in the order in which they were first traded."""
        return [market for market, holding in self._holdings.items() if holding.net]

    def leverage(self, market: MarketId) -> Decimal:
        """Return the market's leverage."""
        chosen = self._leverage.get(market)
        return min(self._spec.leverage, self._markets[market].max_leverage) if chosen is None else chosen

    def set_leverage(self, market: MarketId, leverage: Decimal) -> None:
        """Set it; the caller has checked the range."""
        self._leverage[market] = leverage

    def fee_rate(self, market: MarketId, *, maker: bool) -> Decimal:
        """Return what a fill costs, as a share of its value."""
        if self._kind(market) is InstrumentKind.SPOT:
            return self._spec.spot_fee
        return self._spec.maker_fee if maker else self._spec.taker_fee

    def trade(
        self, market: MarketId, signed: Quantity, price: Price, fee_rate: Decimal, at_ns: int
    ) -> tuple[Money, str, Quantity, Money]:
        """Book a fill of `signed` at `price`. Returns fee, fee currency, quantity closed and profit of that."""
        if self._kind(market) is InstrumentKind.SPOT:
            return self._swap(self._markets[market], signed, price, fee_rate)
        holding, closed, profit = self.holding(market).traded(signed, price, at_ns)
        self._holdings[market] = holding
        fee = abs(signed) * price * fee_rate
        self.coins[self._spec.currency] += profit - fee
        self.fees_paid += fee
        return fee, self._markets[market].instrument.settle, closed, profit

    def _swap(
        self, spec: MarketSpec, signed: Quantity, price: Price, fee_rate: Decimal
    ) -> tuple[Money, str, Quantity, Money]:
        """Exchange coins; the fee is taken from what is received."""
        base, quote = spec.instrument.base, spec.instrument.quote
        received, coin = (signed, base) if signed > 0 else (-signed * price, quote)
        fee = received * fee_rate
        self.coins[base] = self.coins.get(base, ZERO) + signed
        self.coins[quote] = self.coins.get(quote, ZERO) - signed * price
        self.coins[coin] -= fee
        return fee, coin, ZERO, ZERO

    def fund(self, amount: Money) -> None:
        """Book funding: positive is received."""
        self.coins[self._spec.currency] += amount
        self.funding += amount

    def move(self, amount: Money) -> None:
        """Book what was brought from another account, or taken there where it is negative."""
        self.coins[self._spec.currency] += amount

    def standing(self, marks: Marks, orders: Iterable[SimOrder] = ()) -> Standing:
        """Return the account's state with `orders` resting."""
        unrealised = margin = maintenance = ZERO
        for market, holding in self._holdings.items():
            if holding.net:
                mark = marks[market]
                value = abs(holding.net) * mark
                unrealised += holding.unrealised(mark)
                margin += value / self.leverage(market)
                maintenance += value * self._spec.maintenance
        return Standing(
            wallet=self.coins[self._spec.currency],
            unrealised=unrealised,
            position_margin=margin,
            order_margin=sum((self.reserve(order) for order in orders), ZERO),
            maintenance=maintenance,
        )

    def covers(self, mark: Callable[[MarketId], Price]) -> bool:
        """Whether equity is above the maintenance margin, at these marks."""
        equity, exposure = self.coins[self._spec.currency], ZERO
        for market, holding in self._holdings.items():
            if holding.net:
                value = holding.net * mark(market)
                equity += value - holding.cost
                exposure += abs(value)
        return equity > exposure * self._spec.maintenance

    def reserve(self, order: SimOrder) -> Money:
        """Return what a resting order keeps from being used, in the venue's currency."""
        if order.request.reduce_only or order.untriggered:
            return ZERO
        if self._kind(order.market) is InstrumentKind.SPOT:
            return self._promised(order, self._spec.currency)
        return order.left * order.reserve_price / self.leverage(order.market)

    def _promised(self, order: SimOrder, coin: str) -> Money:
        """Return how much of that coin an active order of a spot market gives away once it fills."""
        spot = self._kind(order.market) is InstrumentKind.SPOT
        if not spot or order.untriggered or self.pays(order.market, order.side) != coin:
            return ZERO
        return order.left * order.reserve_price if order.side is Side.BUY else order.left

    def pays(self, market: MarketId, side: Side) -> str:
        """Return the coin that an order of that side is paid with."""
        traded = self._markets[market].instrument
        if traded.kind is not InstrumentKind.SPOT:
            return self._spec.currency
        return traded.quote if side is Side.BUY else traded.base

    def affords(
        self,
        market: MarketId,
        side: Side,
        quantity: Quantity,
        price: Price,
        *,
        marks: Marks,
        orders: Iterable[SimOrder],
    ) -> bool:
        """Whether an order may be accepted: margin for what it adds to the position, and its taker fee."""
        if self._kind(market) is InstrumentKind.SPOT:
            return self._affords_spot(market, side, quantity, price, marks=marks, orders=orders)
        holding = self.holding(market)
        added = max(ZERO, quantity - abs(holding.net)) if holding.net * side.sign < 0 else quantity
        if not added:
            return True
        needed = added * price / self.leverage(market) + quantity * price * self._spec.taker_fee
        return needed <= self.standing(marks, orders).available

    def _affords_spot(
        self,
        market: MarketId,
        side: Side,
        quantity: Quantity,
        price: Price,
        *,
        marks: Marks,
        orders: Iterable[SimOrder],
    ) -> bool:
        coin, needed = self.pays(market, side), quantity * price if side is Side.BUY else quantity
        if coin == self._spec.currency:
            return needed <= self.standing(marks, orders).available
        promised = sum((self._promised(order, coin) for order in orders), ZERO)
        return needed <= self.coins.get(coin, ZERO) - promised

    def balance(self, marks: Marks, orders: Iterable[SimOrder], at_ns: int) -> Balance:
        """Return the account's money in the venue's currency."""
        standing = self.standing(marks, orders)
        return Balance(currency=self._spec.currency, equity=standing.equity, available=standing.available, at_ns=at_ns)

    def position(self, market: MarketId, mark: Price | None, stop: Price | None, at_ns: int) -> VenuePosition:
        """Return the position in the words of the house."""
        holding = self.holding(market)
        return VenuePosition(
            market=market,
            net=holding.net,
            entry=holding.entry,
            stop=stop,
            mark=mark,
            unrealised=ZERO if mark is None else holding.unrealised(mark),
            leverage=self.leverage(market),
            at_ns=at_ns,
        )

    def _kind(self, market: MarketId) -> InstrumentKind:
        return self._markets[market].instrument.kind
