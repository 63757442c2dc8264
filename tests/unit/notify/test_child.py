"""The process that sends, in this one: what it hears of its library's log, and how it ends.

That a message arrives, by a real child, is in test_outside.py.
"""

import io
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import apprise
import msgspec
import pytest

from kangbot.model.events import Severity
from kangbot.notify.child import _KINDS, _listening, main
from kangbot.notify.outside import NO_ADDRESS, NO_APPRISE, UNREACHED, Letter


@pytest.fixture(autouse=True)
def library() -> Iterator[logging.Logger]:
    """The library's logger, as it was before."""
    logger = logging.getLogger("apprise")
    before = (logger.handlers, logger.propagate, logger.level)
    logger.setLevel(logging.DEBUG)  # whatever it is set to
    yield logger
    logger.handlers, logger.propagate, logger.level = before


def given(monkeypatch: pytest.MonkeyPatch, addresses: str) -> None:
    """Put a letter on standard input."""
    letter = Letter(addresses=addresses, title="t", body="b", severity=Severity.ERROR)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(msgspec.json.encode(letter))))


def test_of_what_the_library_logs_a_status_is_kept_and_no_word(library: logging.Logger) -> None:
    """It quotes addresses, which hold tokens; and nobody else hears it."""
    overheard = _listening()
    library.warning("Failed to send to https://host/s3cret: %s, error=%d.", "Not Found", 404)
    assert overheard.why == "404"
    library.warning("A Connection error occurred sending to https://host/s3cret")
    assert overheard.why == UNREACHED
    library.info("error=500")
    library.warning("errors=500 or error=50 or error=5000")
    assert overheard.why == UNREACHED, "less than a warning, and what is no status, say nothing"
    library.warning("%d of nothing", "text")
    assert overheard.why == UNREACHED, "a mistake of the library's own ends nothing"
    assert library.propagate is False
    assert library.handlers == [overheard]


def test_every_loudness_has_its_kind() -> None:
    """What is an error looks like one in whatever a person reads."""
    assert {severity: _KINDS[severity] for severity in Severity} == {
        Severity.INFO: "info",
        Severity.WARNING: "warning",
        Severity.ERROR: "failure",
        Severity.CRITICAL: "failure",
    }
    assert {apprise.NotifyType(kind) for kind in _KINDS.values()} <= set(apprise.NotifyType)


def test_without_the_library_or_an_address_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """By exit codes of its own."""
    given(monkeypatch, "nonsense")
    assert main() == NO_ADDRESS
    given(monkeypatch, "json://localhost")
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert main() == NO_APPRISE
