"""What a demo that failed has left is kept, wherever it was started."""

from pathlib import Path

import pytest

from kangbot.cli import demo


@pytest.mark.parametrize("writable", [True, False])
def test_the_logs_of_a_demo_that_failed_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, writable: bool
) -> None:
    """Below the folder where it was typed; where nothing can be made there, in one of its own."""
    here, state = tmp_path / "here", tmp_path / "state"
    here.mkdir()
    state.mkdir()
    (state / "daemon.log").write_text("why")
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not writable:
        (here / "build").touch()  # no folder can stand there, not even root's
    kept = demo._kept(state)
    assert (kept / "daemon.log").read_text() == "why"
    assert (kept == here / "build" / "demo") is writable
    assert demo._kept(state).is_dir()
