"""The report that a run leaves behind."""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from kangbot.app.last_run import keep
from kangbot.health.report import LAST_RUN, Report
from tests.support.reporting import a_report


def test_a_full_disk_leaves_the_report_of_the_run_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and the log says that the newer one is not there."""

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    keep(a_report(frames=1), tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with capture_logs() as logged:
        keep(a_report(frames=2), tmp_path)
    assert [entry["event"] for entry in logged] == ["daemon.no_last_run", "daemon.summary"]
    assert msgspec.json.decode((tmp_path / LAST_RUN).read_bytes(), type=Report).frames == 1
    assert [path.name for path in tmp_path.iterdir()] == [LAST_RUN]
