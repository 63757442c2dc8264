"""The ledger of exposure over all markets of one account: what is held, what may still fill, what has been lost.

One writer, the loop, and not one await: between the check and the reservation nothing can come in. An order stays
reserved at its worst until the caller settles it, so an order of unknown outcome counts in full for as long as nobody
knows better. What the numbers must not exceed is in `risk/limits.py`, who objects in `risk/gate.py`.

The caller tells of a fill in this order, in one turn of the loop: `position` first, then `order` with what remains. The
two count twice for a moment, and never not at all.
"""

from decimal import Decimal

import msgspec

from kangbot.machines.transfers import UNSURE_NS
from kangbot.model.events import (
    BarStored,
    DrawdownReset,
    EquityMarked,
    Event,
    KillSwitchReleased,
    KillSwitchSet,
    Noted,
    Transferred,
)
from kangbot.model.ids import ClientId, MarketId
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Intent, Proposal, Purpose
from kangbot.model.written import Written
from kangbot.risk.facts import Context, MarketFacts, worst_notional
from kangbot.risk.gate import Allowed, Verdict, judge
from kangbot.risk.heights import Height, Heights
from kangbot.risk.limits import Limits
from kangbot.risk.record import DAY_NS, Kept, TrackRecord

NEW_BALANCE = "paper.new_balance"  # the kind of the note that a simulated account was given another balance


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What one open entry may still add to exposure."""

    market: MarketId
    notional: Money


class _Kept(Written, frozen=True, kw_only=True):
    """What stands in the journal for the events that were removed."""

    currency: str = ""  # that the amounts are in; "" where every coin of the account was counted as if it were one
    equity: Money | None = None
    equity_ns: int = 0
    doubted: bool = False  # what was moved may be in it or not
    peak: Money | None = None  # the highest of long ago; None, and once nought, where it is unknown
    heights: tuple[Height, ...] = ()  # and since
    day: int = 0
    day_equity: Money | None = None
    day_equity_ns: int = 0
    killed: str = ""
    flatten: bool = False
    record: Kept = Kept()


class AccountRisk:
    """Exposure, equity and memory of one account, and the admission of orders to it."""

    __slots__ = (
        "_currency",
        "_day",
        "_day_equity",
        "_day_equity_ns",
        "_doubted",
        "_equity",
        "_equity_ns",
        "_flatten",
        "_heights",
        "_killed",
        "_positions",
        "_record",
        "_reserved",
        "_rests",
        "limits",
    )

    def __init__(self, limits: Limits, currency: str = "USDT") -> None:
        self.limits = limits
        self._currency = currency
        self._reserved: dict[ClientId, Reservation] = {}
        self._positions: dict[MarketId, Money] = {}  # absolute value of what is held; flat markets are absent
        self._rests: dict[MarketId, None] = {}  # of those: what no order can close, which is no open position
        self._record = TrackRecord()
        self._equity: Money | None = None
        self._equity_ns = 0  # when it was so
        self._doubted = False  # as old as a transfer, give or take the clocks: it may be of either side
        self._heights = Heights()
        self._day = 0  # days since the epoch, UTC
        self._day_equity: Money | None = None  # at the day's beginning, or the first that was seen of it
        self._day_equity_ns = 0
        self._killed = ""
        self._flatten = False

    # ------------------------------------------------------------------------------------------------------ admission
    def admit(self, proposal: Proposal, client_id: ClientId, facts: MarketFacts, now_ns: int) -> Verdict:
        """Judge the proposal, and reserve its worst case under `client_id` where it is allowed.

        ValueError where the id has been admitted before: one order, one admission.
        """
        if client_id in self._reserved:
            raise ValueError(f"order {client_id} has been admitted before")
        worst = self.worst_case(proposal)
        verdict = judge(proposal, self._context(proposal.market, worst, facts, now_ns), self.limits)
        if isinstance(verdict, Allowed) and proposal.purpose is Purpose.ENTRY:
            self.reserve(client_id, proposal.market, worst, proposal.purpose)
            self._record.entered(proposal.market, client_id, now_ns)
        return verdict

    def worst_case(self, order: Proposal | Intent) -> Money:
        """Return what the order adds to exposure at its worst; nothing for an exit."""
        return worst_notional(order, self.limits.slippage_percent) if order.purpose is Purpose.ENTRY else ZERO

    # ------------------------------------------------------------------------------------------------------- exposure
    def reserve(self, client_id: ClientId, market: MarketId, notional: Money, purpose: Purpose) -> None:
        """Count an order that is under way already, unjudged: found in the journal or at the venue after a start."""
        if purpose is Purpose.ENTRY:
            self._reserved[client_id] = Reservation(market=market, notional=notional)

    def order(self, client_id: ClientId, remaining: Money) -> None:
        """Take in what an open order may still add. It only shrinks: a late report does not grow it again."""
        held = self._reserved.get(client_id)
        if held is not None and remaining < held.notional:
            self._reserved[client_id] = Reservation(market=held.market, notional=remaining)

    def settle(self, client_id: ClientId) -> None:
        """Release an order that can add nothing more. Harmless when repeated."""
        self._reserved.pop(client_id, None)

    def position(self, market: MarketId, net: Quantity, mark: Price, *, rest: bool = False) -> None:
        """Take in what a market holds, at its newest price; `rest`: it is what the last exit could not close."""
        self._positions.pop(market, None)
        self._rests.pop(market, None)
        if net:
            self._positions[market] = abs(net) * mark
        if rest:
            self._rests[market] = None

    def market_exposure(self, market: MarketId) -> Money:
        """Return what the market holds and what its open entries may add."""
        reserved = (each.notional for each in self._reserved.values() if each.market == market)
        return sum(reserved, self._positions.get(market, ZERO))

    @property
    def total_exposure(self) -> Money:
        """The same over all markets."""
        return sum(self._positions.values(), ZERO) + sum((each.notional for each in self._reserved.values()), ZERO)

    @property
    def open_positions(self) -> int:
        """How many markets hold something or have an entry under way."""
        return len(self._open)

    @property
    def _open(self) -> set[MarketId]:
        return (self._positions.keys() - self._rests.keys()) | {each.market for each in self._reserved.values()}

    # --------------------------------------------------------------------------------------------------------- equity
    def equity(self, amount: Money, now_ns: int) -> None:
        """Take in the account's equity: what the venue states, and the coins of our spot markets."""
        self._roll(now_ns)
        self._equity, self._equity_ns, self._doubted = amount, now_ns, False
        self._heights.mark(now_ns, amount)
        self._day_equity_ns = min(self._day_equity_ns, now_ns)  # else the clock was set back
        if self._day_equity is None:
            self._day_equity, self._day_equity_ns = amount, now_ns

    def moved(self, amount: Money, at_ns: int) -> None:
        """Take in that `amount` was moved into the account, or out of it where it is negative: nothing won or lost.

        Every equity of before counts as if that had been there already, or had never been there.
        """
        self._heights.moved(at_ns, amount)
        if self._equity is not None and self._equity_ns < at_ns + UNSURE_NS:
            self._doubted = self._equity_ns > at_ns - UNSURE_NS
            self._equity += ZERO if self._doubted else amount
        if self._day_equity is not None and self._day_equity_ns < at_ns + UNSURE_NS:
            known = self._day_equity_ns <= at_ns - UNSURE_NS
            self._day_equity = self._day_equity + amount if known else None

    @property
    def newest_equity(self) -> Money | None:
        """The equity that was stated last; None where it is not known."""
        return self._equity

    @property
    def currency(self) -> str:
        """What the account's amounts are in."""
        return self._currency

    @property
    def equity_known(self) -> bool:
        """Whether the venue's statement is known; without it, leverage cannot be judged and no entry passes."""
        return self._equity is not None

    def day_loss(self, now_ns: int) -> Money:
        """Return what the day (UTC) has lost: by equity or by what was realised, the worse; 0 on a day in profit.

        What was moved into the account or out of it is neither; until it is told of, it looks like one by equity.
        """
        self._roll(now_ns)
        by_equity = ZERO if self._day_equity is None or self._equity is None else self._day_equity - self._equity
        return max(by_equity, -self._record.realised(now_ns), ZERO)

    @property
    def drawdown_percent(self) -> Decimal:
        """How far equity is below its highest in memory, in percent of that; `accepted` has it counted anew."""
        highest = self._heights.highest
        if self._equity is None or highest is None or highest <= 0:
            return ZERO
        return max(ZERO, (highest - self._equity) / highest * 100)

    def accepted(self, caller: str, now_ns: int, *, again: bool = False) -> DrawdownReset | None:
        """Return the event by which the drawdown is counted anew from the equity of now, because `caller` says so.

        None where there is nothing to reset: equity is not known, or is at its highest, unless it is said `again`, for
        the disk may not have taken it. Nothing changes before the event is observed.
        """
        highest = self._heights.highest
        if self._equity is None or highest is None or (highest <= self._equity and not again):
            return None
        return DrawdownReset(
            currency=self._currency,
            highest=highest,
            equity=self._equity,
            equity_ns=self._equity_ns,
            caller=caller,
            at_ns=now_ns,
        )

    def spent(self, now_ns: int) -> list[str]:
        """Return which limits of loss keep every market of the account from entering, in words."""
        said = (self.limits.day_lost(self.day_loss(now_ns)), self.limits.peak_lost(self.drawdown_percent))
        return [words for words in said if words]

    # --------------------------------------------------------------------------------------------------------- memory
    def observe(self, event: Event) -> None:
        """Take in an event of this account, once, in the journal's order: on replay, and as it is journalled."""
        match event:
            case BarStored():
                pass  # most of a journal, and nothing of it is the account's
            case EquityMarked():
                if event.currency == self._currency:  # a venue states each coin of the account by itself
                    self.equity(event.equity, event.at_ns)
            case Transferred(transfer=transfer):
                if transfer.currency == self._currency:
                    self.moved(transfer.amount, event.moved_ns)
            case DrawdownReset():
                if event.currency == self._currency:
                    self._count_anew(event.equity, min(event.equity_ns or self._equity_ns, event.at_ns))
            case KillSwitchSet():
                self.kill(event.reason, flatten=event.flatten)
            case KillSwitchReleased():
                self.release()
            case Noted(kind=kind) if kind == NEW_BALANCE:
                self._forget_equity()
            case _:
                self._record.observe(event)

    def _count_anew(self, equity: Money, at_ns: int) -> None:
        """Count the drawdown from that equity, which was stated then: a transfer since is not in it yet.

        One that may be of either side of a transfer counts for neither: then from what is stated next.
        """
        self._heights = Heights() if self._doubted else Heights(recent=(Height(at_ns=at_ns, equity=equity),))

    def _forget_equity(self) -> None:
        """Measure losses from the next statement on: what a person gave or took is no gain and no loss.

        What the day has realised stays as it is.
        """
        self._equity, self._heights, self._day_equity = None, Heights(), None

    def checkpoint(self) -> bytes:
        """Return as JSON what the events so far came to; exposure is not of them, and not in it."""
        kept = _Kept(
            currency=self._currency,
            equity=self._equity,
            equity_ns=self._equity_ns,
            doubted=self._doubted,
            peak=self._heights.folded,
            heights=self._heights.recent,
            day=self._day,
            day_equity=self._day_equity,
            day_equity_ns=self._day_equity_ns,
            killed=self._killed,
            flatten=self._flatten,
            record=self._record.kept(),
        )
        return msgspec.json.encode(kept)

    def resume(self, state: bytes) -> None:
        """Go on from a checkpoint. msgspec.DecodeError where it cannot be understood.

        Equity in another currency says nothing of this one, and a peak that is wrong would hold entries back for good:
        both are forgotten, and counted anew from the next statement. A kill switch that is set, and what was realised,
        stay as they are.
        """
        kept = msgspec.json.decode(state, type=_Kept)
        if kept.currency == self._currency:
            self._equity, self._equity_ns, self._doubted = kept.equity, kept.equity_ns, kept.doubted
            self._heights = Heights(kept.peak, kept.heights)
            self._day, self._day_equity, self._day_equity_ns = kept.day, kept.day_equity, kept.day_equity_ns
        self._killed, self._flatten = kept.killed, kept.flatten
        self._record.resume(kept.record)

    # ---------------------------------------------------------------------------------------------------- kill switch
    @property
    def killed(self) -> str:
        """Why no entry is admitted; "" where the switch is not set."""
        return self._killed

    @property
    def flatten(self) -> bool:
        """Whether the kill switch wants every position closed."""
        return self._flatten

    def kill(self, reason: str, *, flatten: bool = False) -> None:
        """Admit no entry from now on. It survives a restart by the event that the caller writes to the journal."""
        self._killed = reason or "no reason given"
        self._flatten = flatten

    def release(self) -> None:
        """Let entries through again."""
        self._killed = ""
        self._flatten = False

    # ---------------------------------------------------------------------------------------------------------- inner
    def _roll(self, now_ns: int) -> None:
        """Begin a new day with the newest equity that is known; one that came back with a clock set back goes on."""
        day = now_ns // DAY_NS
        if day > self._day:
            self._day_equity, self._day_equity_ns = self._equity, self._equity_ns
        self._day = day

    def _context(self, market: MarketId, worst: Money, facts: MarketFacts, now_ns: int) -> Context:
        record = self._record.market(market, now_ns)
        return Context(
            now_ns=now_ns,
            market=facts,
            worst=worst,
            market_exposure=self.market_exposure(market),
            total_exposure=self.total_exposure,
            open_positions=self.open_positions,
            is_open=market in self._open,
            equity=self._equity,
            day_loss=self.day_loss(now_ns),
            drawdown_percent=self.drawdown_percent,
            losses_in_row=record.losses_in_row,
            last_loss_ns=record.last_loss_ns,
            last_stop_ns=record.last_stop_ns,
            entries_last_hour=self._record.entries_last_hour(market, now_ns),
            killed=self._killed,
        )
