"""The task that tells people by one service. Shell around `machines/notices.py`; implements `ports.Notifier`.

`tell` never waits and never raises: what the notices cannot hold is counted. A message that the service does not take
is tried again, later each time, and given up after `tries`: what is a day old is no alarm. No try comes within a
minute of a refusal, since a service that counts messages asks for about that. Each service has a task of its own, so
that one that is away delays no message to the others and has none said to them again. That it is away is logged once,
and once more when it is back; it is nowhere else, since the way to tell people is what is broken. What has not been
told when the daemon ends is left to the next one.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from kangbot.errors import KangbotError, NeedsHuman
from kangbot.machines.backoff import Backoff
from kangbot.machines.notices import Message, Notices, NoticeTerms
from kangbot.model.events import Event
from kangbot.notify.outside import Sender
from kangbot.notify.unsaid import Unsaid
from kangbot.notify.wording import body_of, notice_of, title_of
from kangbot.runtime.world import SECOND_NS, World

log = structlog.get_logger(__name__)


class Notifier:
    """`run` is its task. `name` tells several daemons apart, `standing` is how things stand, for the daily message.

    `service` is the place of its address among those configured: the address itself holds a token.
    """

    def __init__(
        self,
        world: World,
        sender: Sender,
        terms: NoticeTerms,
        *,
        name: str,
        service: int,
        standing: Callable[[], Sequence[str]],
        unsaid: Unsaid,
        tries: int = 8,
        first_s: float = 120.0,
        ceiling_s: float = 900.0,
    ) -> None:
        self._clock = world.clock
        self._draw = world.fork(f"notify/{service}").random
        self._sender = sender
        self._notices = Notices(terms, world.clock.now_ns(), unsaid.left(world.clock.now_ns()))
        self._unsaid = unsaid
        self._message: Message | None = None  # that is on its way
        self._name = name
        self.service = service
        self._standing = standing
        self._tries = tries
        self._first_ns, self._ceiling_ns = int(first_s * SECOND_NS), int(ceiling_s * SECOND_NS)
        self._news = asyncio.Event()
        self._away = ""  # why no message is taken; "" where the last one was

    def tell(self, event: Event) -> None:
        """Take an event of the journal."""
        notice = notice_of(event)
        if notice is not None:
            self._notices.take(notice, self._clock.now_ns())
            self._news.set()

    async def run(self) -> None:
        """Tell for ever."""
        try:
            while True:
                self._message = self._notices.message(self._clock.now_ns())
                if self._message is None:
                    await self._wait()
                else:
                    await self._deliver(self._message)
        except asyncio.CancelledError:
            on_its_way = self._message.notices if self._message is not None else ()
            self._unsaid.leave((*on_its_way, *self._notices.waiting))
            raise

    async def _wait(self) -> None:
        """Wait for news, or until something is due."""
        self._news.clear()
        now_ns = self._clock.now_ns()
        due_ns = self._notices.deadline_ns(now_ns)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due_ns is None else max(0.0, (due_ns - now_ns) / SECOND_NS)):
                await self._news.wait()

    async def _deliver(self, message: Message) -> None:
        title, body = title_of(message, self._name), body_of(message, self._standing())
        backoff = Backoff(first_ns=self._first_ns, ceiling_ns=self._ceiling_ns)
        for _ in range(self._tries):
            try:
                await self._sender.send(title, body, message.severity)
            except NeedsHuman as error:
                self._failed(f"{error.message}; {error.remedy}")
                break
            except KangbotError as error:
                self._failed(error.message)
            except OSError as error:  # no process could be started
                self._failed(error.strerror or type(error).__name__)
            else:
                self._succeeded()
                return
            backoff = backoff.failed()
            await asyncio.sleep(backoff.wait_ns(self._draw()) / SECOND_NS)
        log.error("notify.given_up", service=self.service, title=title, reason=self._away)

    def _failed(self, reason: str) -> None:
        if not self._away:
            log.warning("notify.away", service=self.service, reason=reason)
        self._away = reason

    def _succeeded(self) -> None:
        if self._away:
            log.info("notify.back", service=self.service)
        self._away = ""
