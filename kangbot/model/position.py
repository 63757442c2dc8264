"""A position is the sum of its fills; a round trip is what happened between flat and flat.

In a spot market nobody nets coins into one position: an account holds those that somebody had before, too. A sale by
hand is of what is counted here only as far as there is any; the rest was theirs, and makes no short. Nor does a sale of
ours that finds that a hand was there first: it makes one only as far as our own fills have sold more than they bought.
News may come in another order than things happened, so it is kept how much went beyond, and when: a fill from before
that is set against it when it is heard of.
"""

from decimal import Decimal

import msgspec

from kangbot.model.ids import MarketId, profit_currency, spot_base
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Fill, Side
from kangbot.model.written import Written

# A spot position of which so little is left is closed: what remains of it is less than a step, or near it.
_REMAINDER = Decimal("0.005")


class RoundTrip(Written, frozen=True, kw_only=True, gc=False):
    """One position from its first fill to flat."""

    market: MarketId
    side: Side  # of the entry
    quantity: Quantity  # the sum of what was entered
    entry: Price  # average
    exit: Price  # average
    profit: Money  # before fees, in the settle currency
    fees: Money
    opened_ns: int
    closed_ns: int

    @property
    def net_profit(self) -> Money:
        """Profit after fees."""
        return self.profit - self.fees


class Position(Written, frozen=True, kw_only=True, gc=False):
    """What we hold in one market, by our own fills. Sums are exact; averages are derived.

    `entry_value` and `exit_value` are kept as sums, so that no rounding of an average enters the profit: over the
    closed quantity a long's is what the exits brought less what the entries cost, a short's the other way round.
    What is held has an average of its own, as at the venues: an exit leaves it as it is, and what was closed before
    an entry has no part in it.
    """

    market: MarketId
    net: Quantity = ZERO  # signed
    entered: Quantity = ZERO  # sum of entry quantities since flat
    entry_value: Money = ZERO  # sum of price * quantity of entries since flat
    held: Quantity = ZERO  # what was held after the last entry; zero in records of earlier versions: see `entry`
    held_value: Money = ZERO  # what that had cost
    exited: Quantity = ZERO
    exit_value: Money = ZERO
    fees: Money = ZERO  # since flat, in the settle currency; what was paid in a third one is in none of these sums
    realised: Money = ZERO  # of all round trips ever, before fees
    fees_paid: Money = ZERO  # since ever
    opened_ns: int = 0
    left: bool = False  # spot: all of it is what the last round trip left
    last_fill_ns: int = 0
    own: Quantity = ZERO  # spot: the sum of our fills ever, whatever hands did
    beyond: Quantity = ZERO  # spot: sold, and not counted here
    beyond_value: Money = ZERO  # what that brought
    sold_ns: int = 0  # the newest sale by hand, venue time

    @property
    def side(self) -> Side | None:
        """Which way we are exposed; None when flat."""
        if not self.net:
            return None
        return Side.BUY if self.net > 0 else Side.SELL

    @property
    def entry(self) -> Price | None:
        """Average entry price of what is held; None when flat."""
        if not self.net:
            return None
        quantity, value = self._basis
        return value / quantity

    @property
    def taken(self) -> Money:
        """Profit of what was closed of the position that is still open, before fees: no round trip has it yet."""
        if not self.net:
            return ZERO
        return (self.exit_value - self.entry_value + self._cost(abs(self.net))) * (1 if self.net > 0 else -1)

    def unrealised(self, price: Price) -> Money:
        """Return the profit of what is still open, were it closed at `price`."""
        entry = self.entry
        return ZERO if entry is None else (price - entry) * self.net

    def apply(self, fill: Fill, theirs: Quantity = ZERO) -> tuple["Position", tuple[RoundTrip, ...]]:
        """Return the position after `fill`, and the round trip it closed, if any.

        `theirs`: how much of what is held was bought by hand.
        A fill beyond flat closes the old position and opens the other side with the rest; its fee is shared by
        quantity. A fee that a spot venue takes in the coin itself is not held, and counts at the fill's price; one in
        a third currency is no money of this market, and does not count. The caller has made sure that the execution
        id is new.
        """
        fill = _as_held(fill)
        if not spot_base(self.market):
            return self._netted(fill)
        after, trips = self._bought(fill) if fill.signed > 0 else self._sold(fill, self._here(fill, theirs))
        return msgspec.structs.replace(after, own=self.own if fill.by_hand else self.own + fill.signed), trips

    def _here(self, fill: Fill, theirs: Quantity) -> Quantity:
        """Return how much of a sale was of what is counted here, or is missing now."""
        here = min(fill.quantity, max(self.net, ZERO))
        if fill.by_hand:
            return here if fill.at_ns >= self.opened_ns else ZERO  # what was bought after a sale was not sold by it
        if fill.at_ns < self.sold_ns:  # a hand sold after it, and what we had sold was gone then
            return here
        taken = max(ZERO, self.own + max(theirs, ZERO) - self.net)  # by hands, of what we bought
        return max(here, fill.quantity - taken)

    def _sold(self, fill: Fill, here: Quantity) -> tuple["Position", tuple[RoundTrip, ...]]:
        """Return it after a sale, of which so much was `here`."""
        if here == fill.quantity and not fill.by_hand:
            return self._netted(fill)
        after = msgspec.structs.replace(
            self,
            beyond=self.beyond + fill.quantity - here,
            beyond_value=self.beyond_value + (fill.quantity - here) * fill.price,
            sold_ns=max(self.sold_ns, fill.at_ns),
        )
        if not here:
            return after, ()
        return after._netted(msgspec.structs.replace(fill, quantity=here, fee=fill.fee * here / fill.quantity))  # noqa: SLF001 -- its own successor

    def _bought(self, fill: Fill) -> tuple["Position", tuple[RoundTrip, ...]]:
        """Return it after a purchase, of which a hand may have sold some before it is heard of.

        What is missing of ours comes first.
        """
        if fill.at_ns >= self.sold_ns or not self.beyond:
            return self._netted(fill)
        part = min(max(ZERO, fill.quantity + min(self.net, ZERO)), self.beyond)
        price = self.beyond_value / self.beyond
        left = self.beyond - part
        owed = msgspec.structs.replace(self, beyond=left, beyond_value=price * left)
        bought, trips = owed._netted(fill)  # noqa: SLF001 -- its own successor
        sale = msgspec.structs.replace(
            fill, side=fill.side.opposite, price=price, quantity=part, fee=ZERO, at_ns=self.sold_ns
        )
        after, more = bought._netted(sale)  # noqa: SLF001 -- same
        return after, trips + more

    def _netted(self, fill: Fill) -> tuple["Position", tuple[RoundTrip, ...]]:
        if self.net and self.net * fill.signed < 0 and fill.quantity > abs(self.net):
            closing = abs(self.net)
            fee = fill.fee * closing / fill.quantity
            flat, trips = self._reduce(fill, closing, fee)
            beyond = msgspec.structs.replace(fill, quantity=fill.quantity - closing, fee=fill.fee - fee)
            turned, _ = flat._netted(beyond)  # noqa: SLF001 -- its own successor
            # A fee that does not divide evenly is rounded in each share; what was paid since ever is the fee itself.
            return msgspec.structs.replace(turned, fees_paid=self.fees_paid + fill.fee), trips
        if self.net * fill.signed < 0:
            return self._reduce(fill, fill.quantity, fill.fee)
        return self._increase(fill), ()

    def _increase(self, fill: Fill) -> "Position":
        before = abs(self.net)
        return msgspec.structs.replace(
            self,
            net=self.net + fill.signed,
            held=before + fill.quantity,
            held_value=(self._cost(before) if before else ZERO) + fill.quantity * fill.price,
            entered=self.entered + fill.quantity,
            entry_value=self.entry_value + fill.quantity * fill.price,
            fees=self.fees + fill.fee,
            fees_paid=self.fees_paid + fill.fee,
            opened_ns=self.opened_ns if self.net and not self.left else fill.at_ns,
            left=False,
            last_fill_ns=fill.at_ns,
        )

    def _reduce(self, fill: Fill, quantity: Quantity, fee: Money) -> tuple["Position", tuple[RoundTrip, ...]]:
        sign = 1 if self.net > 0 else -1
        exited = self.exited + quantity
        exit_value = self.exit_value + quantity * fill.price
        net = self.net - quantity * sign
        if net and not self._remainder(net):
            after = msgspec.structs.replace(
                self,
                net=net,
                exited=exited,
                exit_value=exit_value,
                fees=self.fees + fee,
                fees_paid=self.fees_paid + fee,
                last_fill_ns=fill.at_ns,
            )
            return after, ()
        left_value = self._cost(abs(net)) if net else ZERO
        profit = (exit_value - self.entry_value + left_value) * Decimal(sign)
        trip = RoundTrip(
            market=self.market,
            side=Side.BUY if sign > 0 else Side.SELL,
            quantity=self.entered,
            entry=self.entry_value / self.entered,
            exit=exit_value / exited,
            profit=profit,
            fees=self.fees + fee,
            opened_ns=self.opened_ns,
            closed_ns=fill.at_ns,
        )
        flat = Position(
            market=self.market,
            net=net,
            entered=abs(net),
            entry_value=left_value,
            held=abs(net),
            held_value=left_value,
            opened_ns=self.opened_ns if net else 0,  # what is left was there all the while
            left=bool(net),
            realised=self.realised + profit,
            fees_paid=self.fees_paid + fee,
            last_fill_ns=fill.at_ns,
            beyond=self.beyond,
            beyond_value=self.beyond_value,
            sold_ns=self.sold_ns,
        )
        return flat, (trip,)

    @property
    def _basis(self) -> tuple[Quantity, Money]:
        """What the average entry is of, and what it cost."""
        return (self.held, self.held_value) if self.held else (self.entered, self.entry_value)

    def _cost(self, quantity: Quantity) -> Money:
        """Return what so much of what is held has cost."""
        basis, value = self._basis
        return value if quantity == basis else quantity * value / basis

    def _remainder(self, net: Quantity) -> bool:
        """Whether `net` is what an exit in whole steps leaves of coins that fees had made uneven: not worth a trip."""
        return bool(spot_base(self.market)) and abs(net) < self.entered * _REMAINDER


def _as_held(fill: Fill) -> Fill:
    """Return the fill with its fee in the currency of the profit: what a venue takes in the traded coin never arrives.

    Bybit takes the fee of a spot trade from what is received: "buy: base coin" (docs/v5/enum#spot-fee-currency-
    instruction); where the market's own coin pays for a sale, more of it goes than was sold. An account that pays
    its fees in MNT has them in a currency that nobody here knows the price of: as money of the profit they would be
    wrong by its whole exchange rate.
    """
    if fill.fee_currency in ("", profit_currency(fill.market)):
        return fill
    if fill.fee_currency != spot_base(fill.market):
        return msgspec.structs.replace(fill, fee=ZERO, fee_currency="")
    return msgspec.structs.replace(
        fill,
        quantity=fill.quantity - fill.fee * fill.side.sign,
        fee=fill.fee * fill.price,
        fee_currency="",
    )


def fee_counts(fill: Fill) -> bool:
    """Whether the fee is part of a profit: it is none, or in a currency that counts."""
    return not fill.fee or counts_in(fill.market, fill.fee_currency)


def counts_in(market: MarketId, currency: str) -> bool:
    """Whether fees in that currency count in the market's profit: it is the profit's own, or the traded coin."""
    return currency in ("", profit_currency(market), spot_base(market))
