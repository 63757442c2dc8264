"""The log of a simulated daemon: silent, save that a fall is heard."""

import pytest
import structlog

from kangbot.scenario.hush import hushed


def test_a_fall_is_heard_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a task, with the error that ended it; any other line is nobody's."""
    heard: list[str] = []
    with hushed(heard.append):
        log = structlog.get_logger("kangbot.test")
        log.info("market.live", market="BTC")
        log.error("venue.refused", code="110007")
        log.error("task.crashed", task="drain", exc_info=ValueError("no"))
        log.error("market.fell", market="ETH", exc_info=KeyError("x"))
    assert heard == ["task.crashed drain: ValueError('no')", "market.fell ETH: KeyError('x')"]
    assert capsys.readouterr() == ("", "")


def test_what_logs_did_before_they_do_again() -> None:
    """Also where the session ended by an error."""
    before = structlog.get_config()

    def fail() -> None:
        with hushed(lambda _what: None):
            assert structlog.get_config() != before
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert structlog.get_config() == before
