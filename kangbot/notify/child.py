"""The process that sends one message: `python -m kangbot.notify.child`, a `Letter` on standard input.

Exit codes: 0 every service took it, 1 one of them did not, and those of `outside`.
"""

import logging
import sys

import msgspec

from kangbot.model.events import Severity
from kangbot.notify.outside import NO_ADDRESS, NO_APPRISE, Letter

_KINDS = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "failure",
    Severity.CRITICAL: "failure",
}


def main() -> int:
    """Send what standard input holds."""
    letter = msgspec.json.decode(sys.stdin.buffer.read(), type=Letter)
    try:
        import apprise  # noqa: PLC0415 -- an extra: its absence is an exit code
    except ImportError:
        return NO_APPRISE
    logging.disable()  # it logs addresses
    services = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))  # most redirects lose the text
    services.add(letter.addresses)  # one that cannot be read keeps no message from the others
    if not len(services):
        return NO_ADDRESS
    sent = services.notify(
        title=letter.title, body=letter.body, notify_type=apprise.NotifyType(_KINDS[letter.severity])
    )
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main())
