"""That the daemon ends, and for what: by a wish, by an error that the configuration ends it for, or by one of ours."""

import asyncio

import structlog

log = structlog.get_logger(__name__)


class Ending:
    """What came first counts. A daemon that is told to end settles what is in flight; one that broke does not."""

    def __init__(self) -> None:
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._error: BaseException | None = None

    @property
    def stopping(self) -> bool:
        """Whether it ends."""
        return self._over.done()

    def wish(self) -> None:
        """End in order."""
        if not self._over.done():
            self._over.set_result(None)

    def end_for(self, name: str, error: BaseException) -> None:
        """End in order because the policy of errors says so; `error` is raised once all has settled."""
        error.add_note(f"in {name}")
        if not self._over.done():
            self._error = error
            self._over.set_result(None)

    def break_off(self, name: str, error: BaseException) -> None:
        """End at once: the task of that name is over, and going on without it would be silence."""
        if self._over.done():
            log.error("task.crashed", task=name, exc_info=error)
            return
        error.add_note(f"in the task {name}")  # told once, by whoever ends the process
        self._over.set_exception(error)

    async def begun(self) -> None:
        """Wait until the daemon is to end in order. Raises what has broken it off."""
        await self._over

    def conclude(self) -> None:
        """Raise the error that it ended in order for, if there is one."""
        if self._error is not None:
            raise self._error
