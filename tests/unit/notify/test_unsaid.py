"""What is left to the next daemon to tell."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kangbot.machines.notices import HOUR_NS, Notice
from kangbot.model.events import Severity
from kangbot.model.ids import MarketId
from kangbot.notify.unsaid import Unsaid

NOON_NS = 20_000 * 24 * HOUR_NS + 12 * HOUR_NS


def notice(text: str = "nothing comes", at_ns: int = NOON_NS) -> Notice:
    """Return something that nobody was told of."""
    market = MarketId("bybit:BTC-USDT:USDT")
    return Notice(
        kind="feed.up", severity=Severity.WARNING, market=market, text=text, at_ns=at_ns, about="x", ends=("feed.down",)
    )


def test_what_is_left_is_there_once_and_whole(tmp_path: Path) -> None:
    """But for its text, which says when it was; and each service has its own."""
    Unsaid(tmp_path, 1).leave([notice()])
    assert Unsaid(tmp_path, 2).left(NOON_NS) == []
    told = "at 2024-10-04 12:00 UTC, before a restart: nothing comes"
    (left,) = Unsaid(tmp_path, 1).left(NOON_NS + HOUR_NS)
    assert left == notice(told)
    assert Unsaid(tmp_path, 1).left(NOON_NS + HOUR_NS) == []
    Unsaid(tmp_path, 1).leave([left])
    assert Unsaid(tmp_path, 1).left(NOON_NS + HOUR_NS) == [left], "it says so once, however often it is left"


def test_what_is_a_day_old_is_no_alarm(tmp_path: Path) -> None:
    """A clock that was set back makes nothing old."""
    for later_ns, there in ((24 * HOUR_NS - 1, True), (24 * HOUR_NS, False), (-48 * HOUR_NS, True)):
        Unsaid(tmp_path, 1).leave([notice()])
        assert bool(Unsaid(tmp_path, 1).left(NOON_NS + later_ns)) is there


def test_nothing_that_is_left_leaves_no_file(tmp_path: Path) -> None:
    """Nearly every end."""
    Unsaid(tmp_path, 1).leave([])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("torn", [b'[{"kind"', b'[{"kind":"\xff"}]'])
def test_a_file_that_was_torn_holds_nobody_up(torn: bytes, tmp_path: Path) -> None:
    """It is gone at the next start."""
    (tmp_path / "unsaid.1.json").write_bytes(torn)
    assert Unsaid(tmp_path, 1).left(NOON_NS) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_has_it_said_that_they_are_lost(tmp_path: Path) -> None:
    """In the log; the end goes on."""
    with capture_logs() as lines:
        Unsaid(tmp_path / "gone", 1).leave([notice()])
    assert [line["event"] for line in lines] == ["notify.given_up"]
