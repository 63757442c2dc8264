"""The figures of a report with their names, as the terminal and the page show them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from kangbot.cli.report.past import Found
from kangbot.machines.performance import Fall

_SHOWN = 3  # accepted drawdowns; a script gets all


class Figure(NamedTuple):
    """A figure: its name, the text, and the amount that says whether it is a gain; None where it is neither."""

    name: str
    text: str
    gain: Decimal | None = None


def figures(found: Found) -> Iterator[Figure]:
    """Yield them. What they mean, and their formulas, are in docs/figures.md."""
    total, equity = found.total, found.equity
    yield Figure("time", str(found.span))
    yield Figure("money", found.currency)
    yield _gain("profit after fees", total.net_profit)
    yield Figure("fees", f"{total.fees:,.2f}")
    for currency, paid in found.other_fees.items():
        yield Figure(f"fees in {currency}", f"{paid.normalize():f}, in no other figure")
    yield _gain("funding", found.funding)
    if found.moved_in or found.moved_out:
        yield Figure("moved in, out", f"{found.moved_in:,.2f}, {found.moved_out:,.2f}")
    yield Figure("trades", f"{total.trades:,}, {percent(total.win_rate)} of them won")
    yield Figure("profit factor", "-" if total.profit_factor is None else f"{total.profit_factor:.2f}")
    yield Figure("best, worst", f"{total.best:+,.2f}, {total.worst:+,.2f}")
    if equity is not None:
        yield Figure("equity", f"{equity.first:,.2f} to {equity.last:,.2f}")
        yield Figure("deepest drawdown", f"{equity.drawdown:,.2f} ({equity.drawdown_percent:.2f} %)")
        yield from _accepted(found, equity.since)
        yield Figure("Sharpe ratio", "too few days" if equity.sharpe is None else f"{equity.sharpe:.2f}")


def _accepted(found: Found, since: Fall | None) -> Iterator[Figure]:
    """Yield what a person accepted of the drawdown, the newest ones, and what came of it since."""
    if len(found.accepted) > _SHOWN:
        yield Figure("accepted before", f"{len(found.accepted) - _SHOWN:,} more")
    for each in found.accepted[-_SHOWN:]:
        at = f"{datetime.fromtimestamp(each.at_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"
        fallen = f"{each.amount:,.2f} ({each.percent:.2f} %), {each.highest:,.2f} to {each.equity:,.2f}"
        yield Figure("accepted", f"{fallen}, {at}")
    if since is not None:
        yield Figure("deepest since", f"{since.amount:,.2f} ({since.percent:.2f} %)")


def percent(rate: float | None) -> str:
    """Return a share of one in percent."""
    return "-" if rate is None else f"{rate * 100:.0f} %"


def _gain(name: str, amount: Decimal) -> Figure:
    return Figure(name, f"{amount:+,.2f}", amount)
