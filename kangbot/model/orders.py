"""Orders, what venues say of them, and fills. What may follow what is `machines/order_table.py`."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from kangbot.model.ids import CLIENT_ID_PREFIX, ClientId, ExecutionId, MarketId, TransferId, VenueOrderId
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.written import Written


class Side(StrEnum):
    """Which way."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side that closes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(StrEnum):
    """At what price."""

    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    """For how long."""

    GTC = "gtc"
    IOC = "ioc"
    POST_ONLY = "post_only"


class Purpose(StrEnum):
    """What an order is for: lanes, priorities and risk rules differ by it."""

    ENTRY = "entry"  # increases exposure
    EXIT = "exit"  # reduces exposure: reduce-only


class OrderStatus(StrEnum):
    """Where an order stands. Terminal: FILLED, CANCELED, EXPIRED, REJECTED, NOT_ACCEPTED."""

    INTENT = "intent"  # journalled, nothing sent
    SENT = "sent"  # a byte may have left
    ACKED = "acked"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"  # a definitive code from the venue's table
    UNKNOWN = "unknown"  # every other outcome
    NOT_ACCEPTED = "not_accepted"  # proved absent after its deadline

    @property
    def terminal(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.NOT_ACCEPTED,
    }
)


class Evidence(StrEnum):
    """How we know what we believe of an order."""

    ANSWER = "answer"  # the venue's answer to our request
    STREAM = "stream"  # a push on the private stream
    QUERY = "query"  # found by asking
    DUPLICATE_ID = "duplicate_id"  # the venue refused a second order under the same client id
    CODE = "code"  # a definitive refusal from the venue's table
    ABSENCE = "absence"  # every authoritative endpoint, twice, after the deadline
    FILLS = "fills"  # executions that sum to the order's quantity
    UNSENT = "unsent"  # it never left: we withheld it ourselves
    NONE = "none"  # nothing but our own record


class Proposal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that somebody would like to place: what the plan says and the risk gate judges, before it has an id."""

    market: MarketId
    purpose: Purpose
    side: Side
    kind: OrderKind
    quantity: Quantity
    price: Price | None = None  # limit price; None for a market order
    time_in_force: TimeInForce = TimeInForce.GTC
    stop: Price | None = None  # protective stop of an entry
    reference: Price  # the price the decision was made at; values a market order
    reason: str


class Intent(Written, frozen=True, kw_only=True, gc=False):
    """An order as it was meant, whole, before it leaves; the payload never changes afterwards."""

    client_id: ClientId
    number: int  # of this journal; `client_id` is a function of it
    market: MarketId
    purpose: Purpose
    side: Side
    kind: OrderKind
    quantity: Quantity
    price: Price | None = None  # limit price; None for a market order
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    stop: Price | None = None  # protective stop that rests at the venue from the same request
    reference: Price  # the price the decision was made at; values a market order's exposure
    reason: str
    at_ns: int
    deadline_ns: int  # no copy of it leaves after this; absence proves nothing before
    # The same by the venue's clock, for what leaves last: no copy is stamped so that the venue takes it after this, a
    # margin included. It outlives us, whatever both clocks do meanwhile. 0: not known, as in older journals.
    venue_settle_ns: int = 0


class OrderReport(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="order_report"):
    """What a venue says of one order, in its entirety, from a push, an answer or a query."""

    market: MarketId
    client_id: ClientId | None  # None: not placed under an id of ours (by hand, or the venue's own stop order)
    venue_order_id: VenueOrderId
    status: OrderStatus  # ACKED, PARTIAL, FILLED, CANCELED, EXPIRED or REJECTED
    side: Side
    quantity: Quantity
    filled: Quantity = ZERO
    average: Price | None = None
    reduce_only: bool = False
    protective: bool = False  # a stop, or an order of the venue's own on the position: no hand's
    trigger: Price | None = None  # of a conditional order
    code: str = ""  # the venue's reason code, where it gives one
    message: str = ""
    withdrawn: bool = False  # cancelled because somebody asked for it: we, or whoever else has the account
    at_ns: int  # venue time of the last change
    evidence: Evidence = Evidence.STREAM


class FillCause(StrEnum):
    """Why a position changed. Funding and fees are cash flows, not fills."""

    TRADE = "trade"
    STOP = "stop"  # the venue triggered the position's stop
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    SETTLEMENT = "settlement"  # the venue closed it, for it trades the contract no more


class Fill(Written, frozen=True, kw_only=True, gc=False, tag="fill"):
    """One execution of ours. Applied once: keyed by (venue, account, execution id)."""

    market: MarketId
    execution_id: ExecutionId
    client_id: ClientId | None
    venue_order_id: VenueOrderId
    side: Side
    price: Price
    quantity: Quantity
    fee: Money = ZERO  # positive: paid; negative: a rebate
    fee_currency: str
    maker: bool = False
    cause: FillCause = FillCause.TRADE
    at_ns: int  # venue time

    @property
    def signed(self) -> Decimal:
        """The change of the position: positive for a buy."""
        return self.quantity * self.side.sign

    @property
    def by_hand(self) -> bool:
        """Whether somebody traded past us: not under an id of ours, and not by the venue's own doing."""
        ours = self.client_id is not None and self.client_id.startswith(CLIENT_ID_PREFIX)
        return not ours and self.cause is FillCause.TRADE


class CashFlow(Written, frozen=True, kw_only=True, gc=False, tag="cash_flow"):
    """Money that moved without a change of position: funding, settlement."""

    market: MarketId
    execution_id: ExecutionId
    kind: str  # the venue's own word: "Funding"
    amount: Money  # positive: received
    currency: str
    at_ns: int


class Transfer(Written, frozen=True, kw_only=True, gc=False, tag="transfer"):
    """Money that a person moved into the account or out of it: equity changes by it, and nothing was won or lost."""

    transfer_id: TransferId
    amount: Money  # positive: into the account
    currency: str
    kind: str = ""  # the venue's own word where it was no plain transfer: "BONUS"
    at_ns: int  # by the venue's clock


class Unclear(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Money that came or went, of which it is not certain whether that was traded."""

    kind: str  # the venue's own word
    amount: Money  # positive: into the account
    currency: str
    at_ns: int  # by the venue's clock


class VenuePosition(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="venue_position"):
    """What the venue says we hold in one market."""

    market: MarketId
    net: Quantity  # signed; 0 is flat
    entry: Price | None
    stop: Price | None  # the position's stop that rests at the venue
    mark: Price | None
    unrealised: Money = ZERO
    leverage: Decimal | None = None
    at_ns: int = 0


class Balance(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="balance"):
    """The account's money in one currency."""

    currency: str
    equity: Money
    available: Money
    at_ns: int


AccountEvent = OrderReport | Fill | CashFlow | VenuePosition | Balance
