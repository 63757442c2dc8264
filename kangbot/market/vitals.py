"""Which parts of the floor must never die, and how long each may take over what waits for it.

A supervisor has no count of its own: what it keeps running has one, and is never idle for long. The account's keeper
has a round to make each minute, and each round puts news into the inbox of every market. So a supervisor that never
ends its wait, one whose task is gone, and a run that hangs all show as work that waits and is not done.

The bounds are far above what a part that is well ever takes: what follows is the end of the process. A venue that is
away makes none of them stuck: questions that fail are tries, and while the venue asked to be left alone none is due.
"""

from functools import partial

from kangbot.execution.account import Account
from kangbot.health.vitals import Vitals
from kangbot.market.floor import Floor
from kangbot.market.task import MarketTask
from kangbot.runtime.world import Clock

TURN_S = 60.0  # beyond the longest wait after a fall: a turn of a market is a fraction of a millisecond
ROUND_S = (
    300.0  # likewise: a minute between rounds, four questions of 15 s each, their waits in the budget, the backoff
)


def watch(vitals: Vitals, floor: Floor, clock: Clock, longest_wait_s: float) -> None:
    """Watch the tasks of an open floor; a task that fell may wait for `longest_wait_s` before it runs again."""
    for task in floor.markets.values():
        watch_market(vitals, task, clock, longest_wait_s)
    account = floor.account
    vitals.register(
        "account", longest_wait_s + ROUND_S, done=partial(_tries, account), waiting=partial(_may_ask, account, clock)
    )
    circuits = floor.circuits
    vitals.register("breakers", ROUND_S, done=lambda: circuits.probes, waiting=circuits.overdue)


def watch_market(vitals: Vitals, task: MarketTask, clock: Clock, longest_wait_s: float) -> None:
    """Watch one market's task."""
    vitals.register(
        f"market {task.spec.market}",
        longest_wait_s + TURN_S,
        done=partial(_turns, task),
        waiting=partial(_has_work, task, clock),
    )


def _turns(task: MarketTask) -> int:
    return task.inbox.turns


def _has_work(task: MarketTask, clock: Clock) -> bool:
    """Whether something lies in the inbox, or a deadline of an order has passed."""
    due_ns = task.desk.executor.deadline_ns()
    return task.inbox.waiting or (due_ns is not None and due_ns < clock.now_ns())


def _tries(account: Account) -> int:
    return account.tries


def _may_ask(account: Account, clock: Clock) -> bool:
    return account.paused_until_ns <= clock.now_ns()
