"""The process that sends, in this one: what it hears of its library's log, and how it ends.

That a message arrives, by a real child, is in test_outside.py.
"""

import html
import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import apprise
import msgspec
import pytest
from apprise.plugins.telegram import NotifyTelegram

from kangbot.model.events import Severity
from kangbot.notify.child import _KINDS, _listening, main
from kangbot.notify.outside import NO_ADDRESS, NO_APPRISE, UNREACHED, Letter

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # what the library loads


@pytest.fixture(autouse=True)
def library() -> Iterator[logging.Logger]:
    """The library's logger, as it was before."""
    logger = logging.getLogger("apprise")
    before = (logger.handlers, logger.propagate, logger.level)
    logger.setLevel(logging.DEBUG)  # whatever it is set to
    yield logger
    logger.handlers, logger.propagate, logger.level = before


def given(monkeypatch: pytest.MonkeyPatch, addresses: str, body: str = "b") -> None:
    """Put a letter on standard input."""
    letter = Letter(addresses=addresses, title="t", body=body, severity=Severity.ERROR)
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


class BotApi(HTTPServer):
    """A server of Telegram's Bot API, as far as its rules for a text go; https://core.telegram.org/bots/api."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BotRequest)
        self.texts: list[str] = []  # as a person reads them


class BotRequest(BaseHTTPRequestHandler):
    """Refuses what Telegram refuses: a tag that it does not know, and more than 4,096 characters."""

    server: BotApi

    def do_POST(self) -> None:
        """Take one `sendMessage`."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bare = re.sub(r"</?b>", "", asked["text"])
        refused = (asked["parse_mode"] == "HTML" and "<" in bare) or len(html.unescape(bare)) > 4096
        if not refused:
            self.server.texts.append(html.unescape(bare))
        said = b'{"ok": false, "description": "Bad Request"}' if refused else b'{"ok": true}'
        self.send_response(400 if refused else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[BotApi]:
    """One that the library takes for Telegram's."""
    with BotApi() as one:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{one.server_port}/bot")
        serving = threading.Thread(target=one.serve_forever, args=(0.05,))
        serving.start()
        yield one
        one.shutdown()
        serving.join()


TELEGRAM = "tgram://123456789:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/12315544/"


def test_signs_that_mean_something_to_a_service_arrive_as_they_are(
    monkeypatch: pytest.MonkeyPatch, telegram: BotApi
) -> None:
    """As in the commonest fault of a strategy, or in a page that a venue's proxy answers with."""
    body = "!! stopped by a fault: TypeError: '<' not supported, <html>, a & b, *c*, _d"
    given(monkeypatch, TELEGRAM, body)
    assert main() == 0
    (text,) = telegram.texts
    assert text.splitlines() == ["t", body]


def test_a_text_that_is_too_long_for_a_service_arrives_in_pieces(
    monkeypatch: pytest.MonkeyPatch, telegram: BotApi
) -> None:
    """All of it, or it says what it lacks: pieces go out seconds apart, and there is no time for many."""
    lines = [f"! bybit:A{number} breaker.open: it is left < alone {'so ' * 30}often" for number in range(60)]
    given(monkeypatch, TELEGRAM, "\n".join(lines))
    assert main() == 0
    assert len(telegram.texts) > 1
    assert said(telegram) == bare("\n".join(lines))
    telegram.texts.clear()
    given(monkeypatch, TELEGRAM, "\n".join(lines * 10))
    assert main() == 0
    assert len(telegram.texts) < 12
    kept = said(telegram).count("breaker.open")
    more = f"({600 - kept} lines more are too many for this service; kangbot events has them)"
    assert said(telegram) == bare("\n".join([*(lines * 10)[:kept], more]))


def bare(text: str) -> str:
    """Return the text without its spaces: where a piece ends there is none."""
    return "".join(text.split())


def said(telegram: BotApi) -> str:
    """Return what arrived, without the title that each piece has."""
    return bare("".join(text.removeprefix("t") for text in telegram.texts))
