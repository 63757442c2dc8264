"""What a daemon says that ends because something is wrong: nobody may start it again, and nobody looks for months.

Sent when all else has closed, by a child as any message, and tried once. What starts it again and again (a container's
engine) would have it say the same each time, so what was said is kept in the state folder, and not said again so soon.
"""

import contextlib
from pathlib import Path

import msgspec
import structlog

from kangbot.errors import KangbotError
from kangbot.machines.notices import HOUR_NS, MINUTE_NS, Message, Notice, NoticeTerms
from kangbot.model.events import Severity
from kangbot.notify.outside import Sender
from kangbot.notify.wording import body_of, title_of

log = structlog.get_logger(__name__)

_FILE = "last_words.json"
_SAME_NS = 6 * HOUR_NS
_OTHER_NS = 10 * MINUTE_NS


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""
    at_ns: int = 0


def ended(kind: str, what: str, at_ns: int) -> Notice:
    """Return the notice of a daemon that does not run, and why."""
    text = f"it does not run; stops of open positions rest at the venue: {what}"
    return Notice(kind=kind, severity=Severity.CRITICAL, market=None, text=text, at_ns=at_ns)


async def say(sender: Sender, notice: Notice, terms: NoticeTerms, *, name: str, state_dir: Path) -> None:
    """Tell people, unless they have been told of late or do not want to hear of it. Whatever fails is logged."""
    file = state_dir / _FILE
    said = _said(file)
    quiet_ns = _SAME_NS if notice.text == said.text else _OTHER_NS
    if not terms.wants(notice) or 0 <= notice.at_ns - said.at_ns < quiet_ns:
        return
    with contextlib.suppress(OSError):  # said twice rather than never
        file.write_bytes(msgspec.json.encode(_Said(text=notice.text, at_ns=notice.at_ns)))
    message, reason = Message(notices=(notice,), left_out=0), ""
    try:
        await sender.send(title_of(message, name), body_of(message, ()), notice.severity)
    except KangbotError as error:
        reason = error.message
    except OSError as error:  # no process could be started
        reason = error.strerror or type(error).__name__
    if reason:
        log.error("notify.given_up", title=title_of(message, name), reason=reason)


def _said(file: Path) -> _Said:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Said)
    except (OSError, ValueError):  # a disk may give back what is neither JSON nor text
        return _Said()
