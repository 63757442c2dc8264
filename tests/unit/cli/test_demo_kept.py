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


@pytest.mark.parametrize("markets", [2, 3])
def test_a_demo_reads_its_configuration_away_from_anybodys_credentials(tmp_path: Path, markets: int) -> None:
    """They are looked for beside the file: in a checkout those of a daemon of one's own may be there."""
    text = 'mode = "sandbox"\n' + "".join(f'[[markets]]\nsymbol = "{coin}/USDT:USDT"\n' for coin in ("A", "B", "C"))
    (tmp_path / "demo.toml").write_text(text)
    state = tmp_path / "state"
    state.mkdir()
    taken = demo._first_markets(tmp_path / "demo.toml", markets, state)
    assert taken.parent == state
    assert taken.read_text().count("[[markets]]") == markets
