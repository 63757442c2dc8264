"""Bybit's transaction log: every change of the account's money, and which of them nobody traded.

The table below has each word that is documented to mean one thing, with what it says. What is not in it (the loans of
institutions, custody, pre-market delivery, and whatever is added) is told of, and not guessed: it counts as a gain or a
loss.

Sources: Bybit v5, "Enums Definitions", type(uta-translog), as of July 2026; "Get Transaction Log": `change` is what a
line adds to the wallet; "Get Wallet Balance": equity is `walletBalance` - `spotBorrow` + open profit. So a line changes
the equity by its `change`, but for what is borrowed and repaid, of which the debt changes by as much.
"""

from collections.abc import Collection, Iterator, Sequence
from enum import Enum

import msgspec

from kangbot.model.ids import TransferId
from kangbot.model.money import ZERO, Money
from kangbot.model.orders import Transfer, Unclear
from kangbot.venues.bybit.rows import TRANSFER_TYPES, moment, number

_TOGETHER_NS = 2_000_000_000  # the two lines of one conversion are no further apart


class Meaning(Enum):
    """What a line says of the equity."""

    TRADED = "traded"  # a result of trading, its fees and interest among it
    MOVED = "moved"  # in from outside of trading, or out
    CONVERTED = "converted"  # into another coin, or out of it
    OWED = "owed"  # the wallet and the debt change by the same: equity does not


MEANINGS = {
    # -- results
    "TRADE": Meaning.TRADED,
    "SETTLEMENT": Meaning.TRADED,  # "USDT Perp funding settlement, …"
    "DELIVERY": Meaning.TRADED,  # "USDC Futures, Option delivery"
    "LIQUIDATION": Meaning.TRADED,
    "ADL": Meaning.TRADED,  # "Auto-Deleveraging"
    "FEE_REFUND": Meaning.TRADED,  # "Trading fee refunded"
    "INTEREST": Meaning.TRADED,  # "Interest occurred due to borrowing"
    "SPREAD_FEE_OUT": Meaning.TRADED,  # "Spread fee for EU Broker"
    "BROKER_ABACCOUNT_FEE": Meaning.TRADED,  # "Broker AB fee deduction"
    # -- given, taken back
    "AIRDROP": Meaning.MOVED,
    "BONUS": Meaning.MOVED,  # "Bonus claimed"
    "BONUS_RECOLLECT": Meaning.MOVED,  # "Bonus expired"
    # -- between this account and another, or a product of Bybit's
    "TRANSFER_IN": Meaning.MOVED,  # "Assets that transferred into Unified wallet"
    "TRANSFER_OUT": Meaning.MOVED,  # "Assets that transferred out from Unified wallet"
    "TOKENS_SUBSCRIPTION": Meaning.MOVED,  # "Spot leverage token subscription"
    "TOKENS_REDEMPTION": Meaning.MOVED,  # "Spot leverage token redemption"
    "FLEXIBLE_STAKING_SUBSCRIPTION": Meaning.MOVED,  # "Byfi flexible stake subscription"
    "FLEXIBLE_STAKING_REDEMPTION": Meaning.MOVED,  # "Byfi flexible stake redemption"
    "FLEXIBLE_STAKING_REFUND": Meaning.MOVED,  # "Byfi flexible stake refund"
    "FIXED_STAKING_SUBSCRIPTION": Meaning.MOVED,  # "Byfi fixed stake subscription"
    "FIXED_STAKING_REFUND": Meaning.MOVED,  # "Byfi fixed stake refund"
    "ONCHAINEARN_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for on chain earn"
    "ONCHAINEARN_REDEMPTION": Meaning.MOVED,  # "transfer in for on chain earn"
    "ONCHAINEARN_REFUND": Meaning.MOVED,  # "transfer in for on chain earn failed"
    "STRUCTURE_PRODUCT_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for structure product"
    "STRUCTURE_PRODUCT_REFUND": Meaning.MOVED,  # "transfer in for structure product"
    "CLASSIC_WEALTH_MANAGEMENT_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for classic wealth management"
    "PREMIMUM_WEALTH_MANAGEMENT_SUBSCRIPTION": Meaning.MOVED,  # "transfer in for classic wealth management"
    "PREMIMUM_WEALTH_MANAGEMENT_REFUND": Meaning.MOVED,  # "transfer in for classic wealth management refund"
    "LIQUIDITY_MINING_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for liquidity mining"
    "LIQUIDITY_MINING_REFUND": Meaning.MOVED,  # "transfer in for liquidity mining"
    "PWM_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for PWM"
    "PWM_REFUND": Meaning.MOVED,  # "transfer in for PWM"
    "DEFI_INVESTMENT_SUBSCRIPTION": Meaning.MOVED,  # "transfer out for DEFI subscription"
    "DEFI_INVESTMENT_REFUND": Meaning.MOVED,  # "transfer in for DEFI refund"
    "DEFI_INVESTMENT_REDEMPTION": Meaning.MOVED,  # "transfer in for DEFI redemption"
    # -- between coins
    "CURRENCY_BUY": Meaning.CONVERTED,  # "Currency convert, and the liquidation for borrowing asset(UTA loan)"
    "CURRENCY_SELL": Meaning.CONVERTED,  # likewise
    "CONVERT": Meaning.CONVERTED,  # "Currency convert repayment"
    "SPOT_REPAYMENT_BUY": Meaning.CONVERTED,  # "One-click repayment currency buy"
    "SPOT_REPAYMENT_SELL": Meaning.CONVERTED,  # "One-click repayment currency sell"
    # -- `spotBorrow` is "Borrow amount by spot margin trade and manual borrow amount"
    "BORROW": Meaning.OWED,  # "Manual loan borrow and auto loan borrow"
    "REPAY": Meaning.OWED,  # "Manual loan repay and auto loan repay"
}


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of `/v5/account/transaction-log`; a field that was not told is ""."""

    id: str = ""
    currency: str = ""
    type: str = ""
    change: str = ""
    transaction_time: str | int = ""

    @property
    def amount(self) -> Money:
        """What it adds to the wallet. ValueError: no number."""
        return number(self.change)

    @property
    def at_ns(self) -> int:
        """When it was, by Bybit's clock. ValueError: no time."""
        return moment(self.transaction_time)

    def transfer(self) -> Transfer:
        """Return it as money that was moved. Its id alone is not enough: the documentation has two lines under one."""
        return Transfer(
            transfer_id=TransferId(f"{self.type}/{self.currency}/{self.id}"),
            amount=self.amount,
            currency=self.currency,
            kind=self.type,
            at_ns=self.at_ns,
        )

    def unclear(self) -> Unclear:
        """Return it as something that may have been traded or not."""
        return Unclear(kind=self.type, amount=self.amount, currency=self.currency, at_ns=self.at_ns)


def moved(rows: Sequence[LedgerRow], traded: Collection[str]) -> Iterator[Transfer | Unclear]:
    """Yield what nobody traded of these lines, and what may be of either kind; `TRANSFER_TYPES` are asked for apart.

    `traded` are the coins of spot markets that are traded here. What is converted into one of them or out of it is a
    trade by hand: the markets count what became of the coin, and nobody can say whose it was. ValueError: no number.
    """
    by_hand = [row.at_ns for row in rows if MEANINGS.get(row.type) is Meaning.CONVERTED and row.currency in traded]
    for row in rows:
        meaning = MEANINGS.get(row.type)
        if meaning in (Meaning.TRADED, Meaning.OWED) or row.type in TRANSFER_TYPES or row.amount == ZERO:
            continue
        beside = any(abs(row.at_ns - at_ns) <= _TOGETHER_NS for at_ns in by_hand)
        unsure = meaning is None or (meaning is Meaning.CONVERTED and beside)
        yield row.unclear() if unsure else row.transfer()
