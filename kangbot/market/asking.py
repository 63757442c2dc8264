"""Ask a venue what is needed to begin, for as long as it takes.

What only takes time (a venue that is away, a budget that is spent) is waited out with backoff; what a person must
change comes back as the error it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from kangbot.errors import Ambiguous, RateLimited, Retryable, words
from kangbot.execution.again import Again, at_once
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.backoff import Backoff
from kangbot.machines.priority import Priority
from kangbot.market.together import Say, plainly
from kangbot.runtime.world import SECOND_NS

log = structlog.get_logger(__name__)

T = TypeVar("T")

# A venue that is back is found within the ceiling: half of what a market has until it must be live again.
_FIRST_NS, _CEILING_NS = SECOND_NS // 2, 15 * SECOND_NS
_TIMEOUT_S = 15.0  # of one request


async def ask_patiently(
    ask: Callable[[], Awaitable[T]],
    *,
    budget: Budget,
    draw: Callable[[], float],
    what: str,
    waits: Callable[[str], None] = lambda _reason: None,
    ended: Callable[[Exception | None], None] = lambda _error: None,
    again: Again = at_once,
    requests: int = 1,
    say: Say = plainly,
) -> T:
    """Ask under the budget until there is an answer; only for questions, and for settings that may be set twice.

    Refused and NeedsHuman are raised. `what` names the question in the log; `waits` is told why there is no answer yet,
    a ban that an earlier life met among it, and "" once there is one; `ended` hears how each attempt ended; `again` is
    awaited after a failure. An attempt has time for so many `requests`. `say` writes to the log.
    """
    backoff = Backoff(first_ns=_FIRST_NS, ceiling_ns=_CEILING_NS)
    while True:
        if banned := budget.banned:
            waits(banned)
        try:
            async with calling(budget, Priority.DATA, within_s=_TIMEOUT_S * requests):
                answer = await ask()
        except (Retryable, Ambiguous, TimeoutError) as error:
            backoff = backoff.failed()
            asked_ns = error.retry_after_ns if isinstance(error, Retryable) else 0
            if isinstance(error, RateLimited):
                budget.pause(asked_ns)
            ended(error)
            why = words(error)
            waits(why)
            if backoff.failures == 1:
                say(log.warning, "venue.asking_again", what=what, why=why)
            await asyncio.sleep(backoff.wait_ns(draw(), at_least_ns=asked_ns) / SECOND_NS)
            await again()
        else:
            waits("")
            ended(None)
            if backoff.failures:
                say(log.info, "venue.answered", what=what, failures=backoff.failures)
            return answer
