"""What a daemon says that ends because something is wrong."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.errors import NeedsHuman, Retryable
from kangbot.machines.notices import HOUR_NS, MINUTE_NS, Notice, NoticeTerms
from kangbot.model.events import Severity
from kangbot.notify.last_words import say

NOON_NS = 20_000 * 24 * HOUR_NS


class Services:
    """What takes messages, or raises what the test says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.got: list[tuple[str, str, Severity]] = []

    async def send(self, title: str, body: str, severity: Severity) -> None:
        self.got.append((title, body, severity))
        if self.error is not None:
            raise self.error


def notice(text: str = "the key is refused", *, at_ns: int = NOON_NS) -> Notice:
    """Return why it ended."""
    return Notice(kind="daemon.needs_human", severity=Severity.CRITICAL, market=None, text=text, at_ns=at_ns)


async def test_it_is_said_once_however_often_the_daemon_is_started_again(tmp_path: Path) -> None:
    """The same not for six hours, another cause not for ten minutes; a clock that was set back silences nothing."""
    services, terms = Services(), NoticeTerms()
    for text, later_ns, told in (
        ("the key is refused", 0, True),
        ("the key is refused", 5 * HOUR_NS, False),
        ("the key is refused", 6 * HOUR_NS, True),
        ("the disk is full", 6 * HOUR_NS + 9 * MINUTE_NS, False),
        ("the disk is full", 6 * HOUR_NS + 10 * MINUTE_NS, True),
        ("the disk is full", 0, True),
    ):
        services.got.clear()
        await say(services, notice(text, at_ns=NOON_NS + later_ns), terms, name="live", state_dir=tmp_path)
        assert bool(services.got) is told, (text, later_ns)


async def test_it_names_the_daemon_and_the_cause(tmp_path: Path) -> None:
    """As any message does."""
    services = Services()
    await say(services, notice(), NoticeTerms(), name="live", state_dir=tmp_path)
    title, body, severity = services.got[0]
    assert title == "!!! kangbot live: daemon.needs_human"
    assert body == "!!! daemon.needs_human: the key is refused"
    assert severity is Severity.CRITICAL


async def test_who_does_not_want_to_hear_of_it_does_not(tmp_path: Path) -> None:
    """`never` holds to the end."""
    services = Services()
    await say(services, notice(), NoticeTerms(never=("daemon.*",)), name="live", state_dir=tmp_path)
    assert not services.got


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Retryable("a service did not take the message"), "a service did not take the message"),
        (NeedsHuman("it names no address", remedy="correct it"), "it names no address"),
        (OSError(11, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
        (OSError(), "OSError"),
    ],
)
async def test_a_message_that_is_not_taken_is_logged_and_ends_nothing_else(
    tmp_path: Path, error: Exception, reason: str
) -> None:
    """The exit code is that of the cause."""
    with capture_logs() as logs:
        await say(Services(error), notice(), NoticeTerms(), name="live", state_dir=tmp_path)
    assert [(line["event"], line["reason"]) for line in logs] == [("notify.given_up", reason)]


async def test_a_folder_that_is_gone_or_a_note_that_is_torn_silences_nothing(tmp_path: Path) -> None:
    """Twice rather than never."""
    services = Services()
    for _ in range(2):
        await say(services, notice(), NoticeTerms(), name="live", state_dir=tmp_path / "gone")
    for torn in (b"{", b'{"text":"\xff","at_ns":1}'):
        (tmp_path / "last_words.json").write_bytes(torn)
        await say(services, notice(), NoticeTerms(), name="live", state_dir=tmp_path)
    assert len(services.got) == 4
