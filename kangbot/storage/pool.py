"""The shared pool: few connections, each owned by a worker task; callers hand over transactions and await the result.

Why no pool of the driver's: its `acquire` hangs for ever once a cancelled query gives a connection back, and its lock
is held while connecting, so that one dead host keeps free connections out of reach. Here no lock exists. A caller's
cancellation never reaches the wire: the transaction runs to its end, or to a deadline, in the worker. A connection that
timed out or broke is dropped, and its worker makes a new one for the next transaction. A resolver that takes longer
than a connection may is not waited for once it has answered (`runtime/names.py`).

Workers come with work and go after a quiet while. Between transactions not a byte is sent: no ping, no `SELECT 1`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import structlog

from kangbot.errors import Ambiguous, KangbotError, Retryable
from kangbot.health.report import PoolReport
from kangbot.machines.backoff import Backoff
from kangbot.runtime.names import Names
from kangbot.runtime.reach import HostNames, addresses
from kangbot.runtime.tasks import Tasks
from kangbot.runtime.world import SECOND_NS
from kangbot.storage.link import Collided, Link
from kangbot.storage.url import MysqlUrl

T = TypeVar("T")
Transaction = Callable[[Link], Awaitable[T]]

log = structlog.get_logger(__name__)

_ATTEMPTS = 8  # of a transaction that collides with others
_CLOSE_S = 5.0


class _Job(Generic[T]):
    """A transaction on its way to a worker. The caller may have left: then the result is nobody's."""

    def __init__(self, work: Transaction[T]) -> None:
        self.work = work
        self.outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def succeed(self, result: T) -> None:
        if not self.outcome.done():
            self.outcome.set_result(result)


class Pool:
    """At most `size` connections to one database, opened when needed, closed after `idle_s` without work.

    `draw` gives numbers in [0, 1), for the waits between transactions that collide.
    """

    def __init__(
        self,
        url: MysqlUrl,
        draw: Callable[[], float],
        *,
        size: int = 5,
        connect_s: float = 5.0,
        statement_s: float = 10.0,
        idle_s: float = 300.0,
    ) -> None:
        self.url = url
        self._draw = draw
        self._size = size
        self._connect_s = connect_s
        self._statement_s = statement_s
        self._idle_s = idle_s
        self._jobs: asyncio.Queue[_Job[Any] | None] = asyncio.Queue()
        self._tasks = Tasks("storage", self._crashed)
        self._names: HostNames = Names("storage", addresses)
        self._stood_in = 0  # times that an address stood in for a resolver
        self._workers = 0
        self._idle = 0
        self._spawned = 0
        self._closed = False

    def use(self) -> PoolReport:
        """Return how many connections there may be, are, and are at work."""
        return PoolReport(size=self._size, open=self._workers, busy=self._workers - self._idle)

    async def transact(self, work: Transaction[T]) -> T:
        """Run `work` in a transaction on a connection of the pool; commit, and return what it returned.

        `work` may run several times (deadlocks), so it must have no effect but through its link. Retryable: nothing
        happened. Ambiguous: the answer to the commit was lost. Cancelling the await does not stop the transaction.
        """
        if self._closed:
            raise Retryable(f"the pool of {self.url} is closed")
        job = _Job(work)
        self._jobs.put_nowait(job)
        if self._jobs.qsize() > self._idle and self._workers < self._size:
            self._workers += 1
            self._spawned += 1
            self._tasks.spawn(f"worker-{self._spawned}", self._work())
        return await job.outcome

    async def aclose(self, timeout_s: float = _CLOSE_S) -> None:
        """Finish what was handed over, within `timeout_s`; drop the rest. Safe to call twice."""
        self._closed = True
        for _ in range(self._workers):
            self._jobs.put_nowait(None)
        await self._tasks.settle(timeout_s)
        await self._tasks.aclose()
        await self._names.aclose()
        while not self._jobs.empty():
            if (job := self._jobs.get_nowait()) is not None:
                job.fail(Retryable(f"the pool of {self.url} is closed"))

    # --------------------------------------------------------------------------------------------------- the workers
    async def _work(self) -> None:
        link: Link | None = None
        try:
            while (job := await self._next()) is not None:
                link = await self._serve(job, link)
        finally:
            # No await between the last look into the queue and this line, or a job could be left without a worker.
            self._workers -= 1
            if link is not None:
                await link.aclose()

    async def _next(self) -> _Job[Any] | None:
        while True:
            self._idle += 1
            try:
                async with asyncio.timeout(self._idle_s):
                    return await self._jobs.get()
            except TimeoutError:
                if self._jobs.empty():
                    return None
            finally:
                self._idle -= 1

    async def _serve(self, job: _Job[Any], link: Link | None) -> Link | None:
        """Do one job and return the connection that is still good, if any."""
        if job.outcome.cancelled():  # the caller left before we began
            return link
        backoff = Backoff(first_ns=SECOND_NS // 50, ceiling_ns=SECOND_NS)
        try:
            while True:
                link, fresh = await self._link(link)
                try:
                    await link.query("BEGIN")
                except Retryable:
                    if fresh:
                        raise
                    continue  # it was closed while it was idle; nothing has been said on it
                try:
                    job.succeed(await self._transaction(link, job.work))
                except Collided:
                    backoff = backoff.failed()
                    if backoff.failures == _ATTEMPTS:
                        raise
                else:
                    return link
                await asyncio.sleep(backoff.wait_ns(self._draw()) / SECOND_NS)
        except asyncio.CancelledError:
            job.fail(Ambiguous(f"the pool of {self.url} was closed over a transaction"))
            if link is not None:
                link.drop()
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is the caller's to know
            job.fail(error)
        return None if link is None or link.broken else link

    async def _link(self, link: Link | None) -> tuple[Link, bool]:
        """Return a connection, and whether it is new."""
        if link is not None and not link.broken:
            return link, False
        at = await self._address()
        return await Link.open(self.url, connect_s=self._connect_s, statement_s=self._statement_s, at=at), True

    async def _address(self) -> str | None:
        """Return where the host was, where the resolver is silent; None where the driver may ask it. Retryable.

        One after the other of its addresses: the first may be one that no way leads to.
        """
        if self.url.unix_socket is not None:
            return None
        try:
            async with asyncio.timeout(self._connect_s):
                found = await self._names.find(self.url.host, self.url.port)
        except TimeoutError as error:
            raise Retryable(
                f"{self.url}: its name does not resolve: no answer within {self._connect_s:g} s; see this machine's DNS"
            ) from error
        except (OSError, UnicodeError):
            return None  # which the driver says, too
        if found.now:
            return None
        place, self._stood_in = self._stood_in % len(found.answer), self._stood_in + 1
        return str(found.answer[place][4][0])

    async def _transaction(self, link: Link, work: Transaction[T]) -> T:
        try:
            result = await work(link)
        except Exception:
            if not link.broken:
                with contextlib.suppress(KangbotError):  # then the link is broken, and the server rolls back by itself
                    await link.query("ROLLBACK")
            raise
        try:
            await link.query("COMMIT")
        except Collided:
            raise
        except KangbotError as error:
            raise Ambiguous(f"the answer to the commit was lost: {error.message}", code=error.code) from error
        return result

    def _crashed(self, name: str, error: BaseException) -> None:
        log.error("storage.worker_crashed", task=name, error=repr(error))
