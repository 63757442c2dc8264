"""The venue's key, looked at once a day: what ends by itself is told of while there is time to renew it.

A key of Bybit's that is bound to no address ends after three months, whatever is held by then:
no exit leaves any more. And a right that was given to it since the start shows in no refusal.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from kangbot.errors import KangbotError, NeedsHuman, words
from kangbot.execution.budget import Budget
from kangbot.execution.calls import calling
from kangbot.machines.priority import Priority
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.runtime.world import SECOND_NS, Clock
from kangbot.venues.bybit.rights import KeyRights

log = structlog.get_logger(__name__)

_FIRST_S = 60.0  # after the start, which has enough to ask
_EVERY_S = 86_400.0
_AGAIN_S = 3600.0  # where the venue did not answer
_DAY_NS = 86_400 * SECOND_NS
_ANSWER_S = 10.0
_TOLD_DAYS = (1, 3, 14)  # told once as each is reached

Note = Callable[[str, Severity, MarketId | None, str], None]


class KeyWatch:
    """`rights` asks the venue; `note` is told, as an event of the daemon."""

    def __init__(self, *, clock: Clock, rights: Callable[[], Awaitable[KeyRights]], budget: Budget, note: Note) -> None:
        self._clock = clock
        self._rights = rights
        self._budget = budget
        self._note = note
        self._told_days: int | None = None
        self._may_withdraw = False

    async def run(self) -> None:
        """Look for ever."""
        await asyncio.sleep(_FIRST_S)
        while True:
            wait_s = await self._look()
            await asyncio.sleep(wait_s)

    async def _look(self) -> float:
        """Look once; return how long to wait for the next time, in seconds."""
        try:
            async with calling(self._budget, Priority.DATA, within_s=_ANSWER_S):
                rights = await self._rights()
        except (KangbotError, TimeoutError) as error:  # a key that is not taken is told of by what needs it
            log.info("key.unread", why=words(error))
            return _EVERY_S if isinstance(error, NeedsHuman) else _AGAIN_S
        self._withdraws(rights)
        if rights.expires_ns is not None and not rights.addresses:  # Bybit tells a day for bound keys, too
            self._expires((rights.expires_ns - self._clock.now_ns()) // _DAY_NS)
        return _EVERY_S

    def _withdraws(self, rights: KeyRights) -> None:
        if rights.withdraws and not self._may_withdraw:
            text = (
                "THE KEY MAY WITHDRAW MONEY, which trading does not need: make another at the venue without that "
                "right, put it in the place of this one, restart, and delete this one"
            )
            self._tell("key.withdraws", Severity.CRITICAL, text)
        self._may_withdraw = rights.withdraws

    def _expires(self, days: int) -> None:
        told = next((within for within in _TOLD_DAYS if days < within), None)
        if told is not None and told != self._told_days:
            text = (
                f"the key ends in {days} days, and no exit leaves then: renew it at the venue, or bind it to an address"
            )
            self._tell("key.expires", Severity.ERROR, text)
        self._told_days = told

    def _tell(self, kind: str, severity: Severity, text: str) -> None:
        log.warning(kind, message=text)
        self._note(kind, severity, None, text)
