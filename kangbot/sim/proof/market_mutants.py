"""The safeguards of what decides in a market, taken out one by one: see `mutants.py`, which puts them in place."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kangbot.machines.plan import Plan, plan
from kangbot.machines.transfers import Transfers
from kangbot.market import desk
from kangbot.market.desk import Desk, Leave
from kangbot.market.killswitch import KillSwitch
from kangbot.market.rules import Rules
from kangbot.market.sentry import Sentry
from kangbot.market.strategist import Strategist
from kangbot.model.market import Instrument
from kangbot.model.money import ZERO, Money, Price, Quantity
from kangbot.model.orders import Transfer
from kangbot.model.target import Target
from kangbot.risk import gate, rules
from kangbot.risk.account import AccountRisk
from kangbot.risk.facts import Case
from kangbot.risk.heights import Heights

Put = Callable[[object, str, object], None]
Table = tuple[tuple[str, gate.Rule], ...]


def first_target_stands(put: Put) -> None:
    """Act on what was decided first, bar after bar, until the market begins anew."""
    decided = Strategist._decided  # noqa: SLF001 -- taken out on purpose

    def stale(self: Strategist, target: Target | None, received_ns: int) -> None:
        decided(self, self._desk.target or target, received_ns)

    put(Strategist, "_decided", stale)


def kill_in_memory(put: Put) -> None:
    """Answer that the kill switch is set before any disk has it."""

    async def keep(self: KillSwitch, caller: str) -> None:
        del caller
        self._journalled = self._standing

    put(KillSwitch, "_keep", keep)


def rules_of_the_start(put: Put) -> None:
    """Keep for a whole life to the ticks and steps that the venue named at its start."""

    async def never(self: Rules, among: Sequence[Instrument]) -> None:
        del self, among

    put(Rules, "_look", never)


def losses_forgotten(put: Put) -> None:
    """Enter on, whatever the day has lost."""

    def nothing(self: AccountRisk, now_ns: int) -> Money:
        del self, now_ns
        return ZERO

    put(AccountRisk, "day_loss", nothing)


def losses_of_yesterday(put: Put) -> None:
    """Measure what the day has lost from the first equity of any day."""

    def never(self: AccountRisk, now_ns: int) -> None:
        del self, now_ns

    put(AccountRisk, "_roll", never)


def peak_follows_down(put: Put) -> None:
    """Measure how far equity has fallen from what was stated last."""
    equity = AccountRisk.equity

    def stated(self: AccountRisk, amount: Money, now_ns: int) -> None:
        equity(self, amount, now_ns)
        self._heights = Heights(amount)

    put(AccountRisk, "equity", stated)


def transfers_are_losses(put: Put) -> None:
    """Take money that was taken away for lost, and money that was brought for won."""

    def stays(self: Heights, at_ns: int, amount: Money) -> None:
        del self, at_ns, amount

    put(Heights, "moved", stays)


def transfers_of_all_marks(put: Put) -> None:
    """Count a transfer into every height there is, those that had it already among them."""

    def moved(self: Heights, at_ns: int, amount: Money) -> None:
        del at_ns
        self.folded, self.recent = (None if self.highest is None else self.highest + amount), ()

    put(Heights, "moved", moved)


def transfers_told_twice(put: Put) -> None:
    """Take each transfer that the venue tells of for a new one."""

    def always(self: Transfers, transfer: Transfer) -> bool:
        del self, transfer
        return True

    put(Transfers, "new", always)


def accepted_in_memory(put: Put) -> None:
    """Count the drawdown anew, and write it down nowhere."""
    accepted = AccountRisk.accepted

    def silent(self: AccountRisk, caller: str, now_ns: int, *, again: bool = False) -> None:
        if (event := accepted(self, caller, now_ns, again=again)) is not None:
            self.observe(event)

    put(AccountRisk, "accepted", silent)


def accepted_and_forgotten(put: Put) -> None:
    """Count anew from what is stated next."""

    def counted(self: AccountRisk, equity: Money, at_ns: int) -> None:
        del equity, at_ns
        self._heights = Heights()

    put(AccountRisk, "_count_anew", counted)


def leverage_before_the_order(put: Put) -> None:
    """Judge the leverage that there is, in place of what the order makes of it."""

    def before(case: Case) -> str:
        context = msgspec.structs.replace(case.context, worst=ZERO)
        return rules.leverage(msgspec.structs.replace(case, context=context))

    def judged(table: Table) -> Table:
        return tuple((name, before if name == "leverage" else rule) for name, rule in table)

    put(gate, "RULES", {purpose: judged(table) for purpose, table in gate.RULES.items()})


def _without(put: Put, *names: str) -> None:
    """Judge entries and exits without the rules of these names."""
    tables = gate.RULES.items()
    put(gate, "RULES", {purpose: tuple(row for row in table if row[0] not in names) for purpose, table in tables})


def enters_unheard(put: Put) -> None:
    """Enter by the last price that was heard of, while the market's streams are down."""
    _without(put, "stale_data")


def enters_anywhere(put: Put) -> None:
    """Enter, however many markets are open."""
    _without(put, "open_positions")


def enters_beside_hands(put: Put) -> None:
    """Enter where somebody holds a position of their own."""
    _without(put, "by_hand")


def never_rests(put: Put) -> None:
    """Enter on, however often a market has lost or was stopped out."""
    _without(put, "consecutive_losses", "cool_down")


def pause_lets_enter(put: Put) -> None:
    """Go on entering in a market that is paused."""
    act = Desk.act

    def anything(self: Desk, leave: Leave, received_ns: int) -> None:
        act(self, Leave.ANYTHING if leave is Leave.EXITS else leave, received_ns)

    put(Desk, "act", anything)


def stop_not_looked_for(put: Put) -> None:
    """Believe that a stop which rested once rests for as long as the position is held."""

    def all_is_well(self: Sentry, net: Quantity, wanted: Price | None) -> str:
        del self, net, wanted
        return ""

    put(Sentry, "look", all_is_well)


def stop_stays(put: Put) -> None:
    """Leave a stop where it rests, wherever the strategy wants it by now."""

    def still(**case: Any) -> Plan:
        wanted = plan(**case)
        return wanted if case["resting_stop"] is None else msgspec.structs.replace(wanted, stop=None)

    put(desk, "plan", still)


def orders_rest_on(put: Put) -> None:
    """Withdraw no order for its age, nor because another is wanted."""

    def patient(**case: Any) -> Plan:
        return msgspec.structs.replace(plan(**case), cancels=())

    put(desk, "plan", patient)


OF_MARKETS = (
    first_target_stands,
    kill_in_memory,
    losses_forgotten,
    losses_of_yesterday,
    peak_follows_down,
    transfers_are_losses,
    transfers_of_all_marks,
    transfers_told_twice,
    accepted_in_memory,
    accepted_and_forgotten,
    leverage_before_the_order,
    rules_of_the_start,
    enters_unheard,
    enters_anywhere,
    enters_beside_hands,
    never_rests,
    pause_lets_enter,
    stop_not_looked_for,
    orders_rest_on,
    stop_stays,
)
