"""What a daemon had still to tell when it ended, and the next one tells: the service was away, or it was a quiet hour.

An end waits for no service, since it must be over within its time, and what was met just before it matters all the
same. One file for each service, in the state folder; it is read once. What is a day old is no alarm.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from kangbot.machines.notices import DAY_NS, Notice
from kangbot.runtime.world import SECOND_NS

log = structlog.get_logger(__name__)

_notices = msgspec.json.Decoder(list[Notice])


class Unsaid:
    """Of the service of that place among those configured."""

    def __init__(self, folder: Path, service: int) -> None:
        self._file = folder / f"unsaid.{service}.json"

    def left(self, now_ns: int) -> Sequence[Notice]:
        """Return what the run before has left, each with when it was, and forget it."""
        try:
            notices = _notices.decode(self._file.read_bytes())
        except (OSError, ValueError):  # a disk may give back what is neither JSON nor text
            notices = []
        with contextlib.suppress(OSError):  # told twice rather than never
            self._file.unlink(missing_ok=True)
        # Of no later than now, or a clock that was set back has whatever is told wait with them.
        return [
            msgspec.structs.replace(_dated(notice), at_ns=min(notice.at_ns, now_ns))
            for notice in notices
            if now_ns - notice.at_ns < DAY_NS
        ]

    def leave(self, notices: Sequence[Notice]) -> None:
        """Keep them for the next run, by the time this returns."""
        reason: str | None = None
        try:
            if notices:
                self._file.write_bytes(msgspec.json.encode(notices))
        except OSError as error:
            reason = error.strerror
        if reason is not None:
            log.error("notify.given_up", title=f"{len(notices)} notices", reason=reason)


def _dated(notice: Notice) -> Notice:
    """Return it with when it was, which may have been hours ago; once, however often it is left."""
    at = datetime.fromtimestamp(notice.at_ns // SECOND_NS, UTC)
    told = f"at {at:%Y-%m-%d %H:%M} UTC, before a restart: "
    return notice if notice.text.startswith(told) else msgspec.structs.replace(notice, text=f"{told}{notice.text}")
