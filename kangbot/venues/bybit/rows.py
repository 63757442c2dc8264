"""Rows of Bybit's account: orders, executions, positions, wallets, and what they mean in our words.

The private stream and the REST answers carry the same rows, so both adapters convert them here and nowhere else. A row
is read leniently (unknown fields are passed over, an empty string is an absent number) and converted strictly: a word
that is not in the tables below, or a number that is none, raises ValueError, because a guess about money is worse than
a row that is reported as unreadable.

Source of the tables: Bybit v5, "Enums Definitions", "Order", "Execution", "Position" and "Wallet" streams.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from kangbot.model.ids import (
    ClientId,
    ExecutionId,
    MarketId,
    TransferId,
    VenueOrderId,
    is_client_id,
    is_stop_id,
    profit_currency,
    spot_base,
)
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import (
    Balance,
    CashFlow,
    Evidence,
    Fill,
    FillCause,
    OrderReport,
    OrderStatus,
    Side,
    Transfer,
    VenuePosition,
)
from kangbot.venues.reading import MILLISECOND_NS

T = TypeVar("T")


_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}

_STATUS = {
    "Created": OrderStatus.ACKED,  # accepted, and not with the matching engine yet; no longer in the documentation
    "New": OrderStatus.ACKED,
    "Untriggered": OrderStatus.ACKED,  # a conditional order that rests
    "Triggered": OrderStatus.ACKED,  # the instant between Untriggered and New
    "PartiallyFilled": OrderStatus.PARTIAL,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,  # derivatives: may have a filled quantity
    "PartiallyFilledCanceled": OrderStatus.CANCELED,  # spot only: the rest was cancelled
    "Deactivated": OrderStatus.CANCELED,  # a conditional order cancelled before it was triggered
    "Rejected": OrderStatus.REJECTED,
}

# The venue's own orders on a position. "Stop" is not among them: that is a conditional order somebody placed.
_PROTECTIVE_STOPS = frozenset(
    {
        "StopLoss",
        "PartialStopLoss",
        "TakeProfit",
        "PartialTakeProfit",
        "TrailingStop",
        "tpslOrder",  # spot
        "OcoOrder",  # spot
        "BidirectionalTpslOrder",  # spot
        "MmRateClose",  # closes the position at a margin rate set by hand
    }
)
_PROTECTIVE_CREATES = frozenset(
    {
        "CreateByStopLoss",
        "CreateByPartialStopLoss",
        "CreateByTakeProfit",
        "CreateByPartialTakeProfit",
        "CreateByTrailingStop",
        "CreateByTrailingProfit",
        "CreateByMmRateClose",
    }
)

RISE = 1  # `triggerDirection` of an order that waits for a higher price

# Executions that change the position, and why.
_FILLS = {
    "Trade": FillCause.TRADE,
    "BlockTrade": FillCause.TRADE,
    "FutureSpread": FillCause.TRADE,
    "MovePosition": FillCause.TRADE,
    "BustTrade": FillCause.LIQUIDATION,
    "AdlTrade": FillCause.DELEVERAGING,
    "Delivery": FillCause.SETTLEMENT,  # "position closed by contract delisted": with a quantity it is one
}
# Orders by which the venue itself reduces a position: nobody's hand. "Position closed by contract delisted" among them.
_LIQUIDATIONS = frozenset({"CreateByLiq", "CreateByTakeOver_PassThrough"})
_DELEVERAGINGS = frozenset({"CreateByAdl_PassThrough"})
_SETTLEMENTS = frozenset({"CreateBySettle"})
_VENUES_OWN = _LIQUIDATIONS | _DELEVERAGINGS | _SETTLEMENTS

# Executions that move money only. Where one of them moved a position as well, the comparison with the venue's shows it.
_FLOWS = frozenset(
    {"Funding", "Settle", "Delivery", "CorporateAction", "ForwardSplitSettle", "ReverseSplitSettle", "Dividend"}
)

# What Bybit writes where it has nothing to say.
_NOTHING = frozenset({"", "UNKNOWN", "EC_NoError"})


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One order, as in the `order` topic, `/v5/order/realtime` and `/v5/order/history`."""

    symbol: str
    order_id: str
    side: str
    order_status: str
    qty: str
    category: str = ""  # REST states it once for all rows
    order_link_id: str = ""
    cum_exec_qty: str = ""
    avg_price: str = ""
    reduce_only: bool = False
    market_unit: str = ""
    stop_order_type: str = ""
    create_type: str = ""
    trigger_price: str = ""
    trigger_direction: int = 0
    reject_reason: str = ""
    cancel_type: str = ""
    created_time: str | int = ""
    updated_time: str | int = ""

    def report(self, market: MarketId, evidence: Evidence = Evidence.STREAM) -> OrderReport:
        """Return the report of this order in `market`. ValueError: a word or a number we do not know."""
        filled = number(self.cum_exec_qty)
        # A spot market buy may be sized in quote currency; in base currency only what was filled is known.
        quantity = filled if self.market_unit == "quoteCoin" else number(self.qty)
        beside = is_stop_id(self.order_link_id)  # the stop beside a holding, which is an order of ours
        protective = beside or self.create_type in _VENUES_OWN or _protective(self.stop_order_type, self.create_type)
        return OrderReport(
            market=market,
            client_id=_named(self.order_link_id) if beside or not protective else None,
            venue_order_id=VenueOrderId(self.order_id),
            status=_word(_STATUS, self.order_status, "orderStatus"),
            side=_word(_SIDES, self.side, "side"),
            quantity=quantity,
            filled=filled,
            average=_absent_when_zero(self.avg_price),
            reduce_only=self.reduce_only,
            protective=protective,
            # A stop that waits for a rise guards nothing.
            trigger=None if beside and self.trigger_direction == RISE else _absent_when_zero(self.trigger_price),
            code="" if self.reject_reason in _NOTHING else self.reject_reason,
            message="" if self.cancel_type in _NOTHING else self.cancel_type,
            withdrawn=self.cancel_type == "CancelByUser",
            at_ns=moment(self.updated_time or self.created_time),
            evidence=evidence,
        )


class _ExtraFee(msgspec.Struct, frozen=True, rename="camel"):
    fee_coin: str
    fee: str


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One execution, as in the `execution` topic and `/v5/execution/list`. Not every execution is a fill."""

    symbol: str
    exec_id: str
    exec_type: str
    exec_time: str | int
    category: str = ""
    order_id: str = ""
    order_link_id: str = ""
    side: str = ""
    exec_price: str = ""
    exec_qty: str = ""
    exec_fee: str = ""
    exec_pnl: str = ""
    extra_fees: Any = None  # a list on the stream; by REST the text of one, and "" where there are none
    fee_currency: str = ""
    is_maker: bool = False
    stop_order_type: str = ""
    create_type: str = ""

    def event(self, market: MarketId) -> Fill | CashFlow:
        """Return what happened in `market`: a fill, or money that moved. ValueError: a word or number we do not know.

        Bybit's `execFee` is positive where the account paid, in trades and in funding alike. What some countries tax
        it with comes beside it, and is of the fee where it is in the fee's own currency.
        """
        at_ns = moment(self.exec_time)
        if self.exec_type in _FLOWS and not (self.exec_type in _FILLS and number(self.exec_qty)):
            paid = number(self.exec_fee)
            return CashFlow(
                market=market,
                execution_id=ExecutionId(self.exec_id),
                kind=self.exec_type,
                amount=number(self.exec_pnl) - paid,
                currency=self._currency(market),
                at_ns=at_ns,
            )
        cause = _word(_FILLS, self.exec_type, "execType")
        protective = _protective(self.stop_order_type, self.create_type) or is_stop_id(self.order_link_id)
        if cause is FillCause.TRADE and self.create_type in _LIQUIDATIONS:
            cause = FillCause.LIQUIDATION
        elif cause is FillCause.TRADE and self.create_type in _DELEVERAGINGS:
            cause = FillCause.DELEVERAGING
        elif cause is FillCause.TRADE and self.create_type in _SETTLEMENTS:
            cause = FillCause.SETTLEMENT
        elif cause is FillCause.TRADE and protective:
            cause = FillCause.STOP
        return Fill(
            market=market,
            execution_id=ExecutionId(self.exec_id),
            client_id=None if protective else _named(self.order_link_id),
            venue_order_id=VenueOrderId(self.order_id),
            side=_word(_SIDES, self.side, "side"),
            price=_positive(self.exec_price, "execPrice"),
            quantity=_positive(self.exec_qty, "execQty"),
            fee=number(self.exec_fee) + self._taxes(self._currency(market)),
            fee_currency=self._currency(market),
            maker=self.is_maker,
            cause=cause,
            at_ns=at_ns,
        )

    def _taxes(self, currency: str) -> Money:
        """Return what was taken in this currency beside the fee."""
        told = self.extra_fees
        if not told:
            return ZERO
        try:
            read = msgspec.json.decode(told) if isinstance(told, str) else told
            taxes = msgspec.convert(read, tuple[_ExtraFee, ...])
        except msgspec.MsgspecError as error:
            raise ValueError(f"extraFees: {error}") from None
        return sum((number(tax.fee) for tax in taxes if tax.fee_coin == currency), ZERO)

    def _currency(self, market: MarketId) -> str:
        """Return the currency of the fee; older rows leave it out, and the market's name tells it."""
        if self.fee_currency:
            return self.fee_currency
        # Spot: a buyer pays in what was bought. (A maker's rebate is the other way round; those rows name it.)
        bought = spot_base(market) if self.side == "Buy" else ""
        return bought or profit_currency(market)


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One position, as in the `position` topic (`entryPrice`) and `/v5/position/list` (`avgPrice`); one-way mode."""

    symbol: str
    side: str = ""  # "" when flat
    size: str
    category: str = ""
    position_idx: int = 0
    entry_price: str = ""
    avg_price: str = ""
    stop_loss: str = ""
    mark_price: str = ""
    unrealised_pnl: str = ""
    leverage: str = ""
    updated_time: str | int = ""

    def position(self, market: MarketId) -> VenuePosition:
        """Return the position in `market`. ValueError: hedge mode, or a word or number we do not know."""
        if self.position_idx:
            raise ValueError(f"{self.symbol} is in hedge mode: close its positions and set one-way mode at Bybit")
        size = number(self.size)
        net = size * _word(_SIDES, self.side, "side").sign if size else ZERO
        return VenuePosition(
            market=market,
            net=net,
            entry=_absent_when_zero(self.entry_price or self.avg_price),
            stop=_absent_when_zero(self.stop_loss),
            mark=_absent_when_zero(self.mark_price),
            unrealised=number(self.unrealised_pnl),
            leverage=_absent_when_zero(self.leverage),
            at_ns=moment(self.updated_time),
        )


class CoinRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One currency of a wallet."""

    coin: str
    equity: str = ""
    usd_value: str = ""
    wallet_balance: str = ""
    locked: str = ""
    bonus: str = ""
    total_order_i_m: str = msgspec.field(default="", name="totalOrderIM")
    total_position_i_m: str = msgspec.field(default="", name="totalPositionIM")

    def available(self, account_usd: Money | None) -> Money:
        """Return what new orders may use of this currency.

        `account_usd` is the account's available balance in US dollars under cross margin; None where margin is
        isolated and each currency stands for itself. Bybit states the former for the account alone, so it is
        expressed in this currency at the venue's own valuation of it.
        """
        equity, usd_value = number(self.equity), number(self.usd_value)
        if account_usd is not None and equity > 0 and usd_value > 0:
            return account_usd * equity / usd_value
        used = (self.total_position_i_m, self.total_order_i_m, self.locked, self.bonus)
        return number(self.wallet_balance) - sum(map(number, used), ZERO)


_WAYS = {"TRANSFER_IN": 1, "TRANSFER_OUT": -1}
TRANSFER_TYPES = tuple(_WAYS)


class TransferRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of `/v5/account/transaction-log` that says what was moved between this account and others."""

    id: TransferId
    currency: str
    type: str
    change: str  # signed; `cashFlow` with fees and funding, which a transfer has none of
    transaction_time: str | int

    def transfer(self) -> Transfer:
        """Return it. ValueError: a word or number we do not know."""
        return Transfer(
            transfer_id=self.id,
            amount=_word(_WAYS, self.type, "type") * abs(number(self.change)),
            currency=self.currency,
            at_ns=moment(self.transaction_time),
        )


# Accounts that the topic tells of beside the unified one. A word that is new may be that one's, and is taken for it.
_OTHER_ACCOUNTS = frozenset({"CONTRACT", "SPOT"})


class WalletRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One wallet, as in the `wallet` topic and `/v5/account/wallet-balance`.

    The topic tells of every account there is: the older kind of unified account has its inverse contracts, and their
    coins, in another one beside it ("CONTRACT"), which nobody here trades with.
    """

    account_type: str = ""
    coin: tuple[CoinRow, ...] = ()
    total_available_balance: str = ""  # "" where margin is isolated

    def balances(self, at_ns: int) -> tuple[Balance, ...]:
        """Return the money in each currency at `at_ns`, the frame's or the answer's time; none of another account's.

        ValueError: no number.
        """
        if self.account_type in _OTHER_ACCOUNTS:
            return ()
        account_usd = number(self.total_available_balance) if self.total_available_balance else None
        return tuple(
            Balance(
                currency=row.coin,
                equity=number(row.equity),
                available=row.available(account_usd),
                at_ns=at_ns,
            )
            for row in self.coin
        )


def _named(order_link_id: str) -> ClientId | None:
    """Return the id where it is one of ours."""
    ours = is_client_id(order_link_id) or is_stop_id(order_link_id)
    return ClientId(order_link_id) if ours else None


def _protective(stop_order_type: str, create_type: str) -> bool:
    return stop_order_type in _PROTECTIVE_STOPS or create_type in _PROTECTIVE_CREATES


def _word(table: dict[str, T], word: str, field: str) -> T:
    try:
        return table[word]
    except KeyError:
        raise ValueError(f"{field} {word!r} is in no table of ours") from None


def number(text: str) -> Decimal:
    """Return the number; an empty string is zero. What is beyond 10^30 or below 10^-30 is a broken frame, no amount."""
    if not text:
        return ZERO
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:32]!r} is not a number") from None
    if not value.is_finite() or (value and abs(value.adjusted()) > 30):
        raise ValueError(f"{text[:32]!r} is not an amount")
    return value


def _positive(text: str, field: str) -> Decimal:
    value = number(text)
    if value <= 0:
        raise ValueError(f"{field} {text[:32]!r} is not above zero")
    return value


def _absent_when_zero(text: str) -> Decimal | None:
    return number(text) or None


def moment(milliseconds: str | int) -> int:
    """Return nanoseconds; ValueError where it is no time."""
    value = int(milliseconds or 0)
    if not 0 <= value < 10**14:  # the year 5138
        raise ValueError(f"{value} ms is no time")
    return value * MILLISECOND_NS
