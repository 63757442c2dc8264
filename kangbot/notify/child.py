"""The process that sends one message: `python -m kangbot.notify.child`, a `Letter` on standard input.

Exit codes: 0 every service took it, and those of `outside`. Standard output: what the one that
did not answered, as a status of HTTP or as `UNREACHED`, and nothing where the library does not tell.
"""

import kangbot.runtime.brief  # noqa: F401 -- before whatever is imported  # isort: skip

import logging
import re
import sys

import msgspec

from kangbot.model.events import Severity
from kangbot.notify.outside import NO_ADDRESS, NO_APPRISE, NOT_TAKEN, UNREACHED, Letter

_KINDS = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "failure",
    Severity.CRITICAL: "failure",
}
_PIECES = 3  # of its longest text that a service gets at most: between two the library waits, seconds for some
_STATUS = re.compile(r"\berror=(\d{3})\b")  # as nearly all of the library's services log it


class _Overheard(logging.Handler):
    """Keeps of what the library logs, which quotes addresses, why a message was not taken: a status, and no words."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Look for it in one line."""
        try:
            said = record.getMessage()
        except (TypeError, ValueError):  # the library's own mistake
            return
        if found := _STATUS.search(said):
            self.why = found[1]
        elif "connection error" in said.lower():
            self.why = UNREACHED


def _listening() -> _Overheard:
    """Return who hears what the library logs; nobody else does."""
    overheard, library = _Overheard(), logging.getLogger("apprise")
    library.handlers, library.propagate = [overheard], False
    return overheard


def _within(body: str, most: int) -> str:
    """Return what fits into so many characters: whole lines, and how many are left out."""
    if len(body) <= most:
        return body
    lines, kept = body.split("\n"), 0
    while kept < len(lines) and (most := most - len(lines[kept]) - 1) >= 0:
        kept += 1
    more = f"({len(lines) - kept} lines more are too many for this service; kangbot events has them)"
    return "\n".join([*lines[:kept], more])


def main() -> int:
    """Send what standard input holds."""
    letter = msgspec.json.decode(sys.stdin.buffer.read(), type=Letter)
    try:
        import apprise  # noqa: PLC0415 -- an extra: its absence is an exit code
    except ImportError:
        return NO_APPRISE
    overheard = _listening()
    services = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))  # most redirects lose the text
    services.add(letter.addresses)  # one that cannot be read keeps no message from the others
    if not len(services):
        return NO_ADDRESS
    for service in services:  # else a service is given what it refuses, and is given it again for an hour
        service.overflow_mode = apprise.OverflowMode.SPLIT
    sent = services.notify(
        title=letter.title,
        body=_within(letter.body, _PIECES * min(service.body_maxlen for service in services)),
        notify_type=apprise.NotifyType(_KINDS[letter.severity]),
        body_format=apprise.NotifyFormat.TEXT,  # a `<` in it is no tag
    )
    sys.stdout.write("" if sent else overheard.why)
    return 0 if sent else NOT_TAKEN


if __name__ == "__main__":
    sys.exit(main())
