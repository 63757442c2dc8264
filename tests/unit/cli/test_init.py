"""`kangbot init`: what it writes is what `kangbot check` accepts, and what is there stays as it is."""

import errno
import io
import os
import pty
import select
import stat
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import typer

from kangbot.cli import exit_codes
from kangbot.cli.init import Given
from kangbot.cli.init import init as ask
from kangbot.sandbox.options import ServeOptions
from kangbot.settings import Settings, load
from kangbot.strategy import registry
from tests.support.nobody import as_nobody, open_folder

SECRET = "canary-9f3c"


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a script would: without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "kangbot", "init", "--config", str(folder / "kangbot.toml"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def loaded(folder: Path, **environ: str) -> Settings:
    """Return what the daemon would read."""
    return load(folder / "kangbot.toml", {"PATH": os.environ["PATH"], **environ})


def test_without_a_terminal_all_has_its_default(tmp_path: Path) -> None:
    """Into a folder that is not there yet; the next steps are said."""
    folder = tmp_path / "new"
    done = init(folder)
    assert (done.returncode, done.stderr) == (exit_codes.OK, "")
    assert "kangbot sandbox" in done.stdout
    assert done.stdout.endswith(f"kangbot run --config {folder / 'kangbot.toml'}\n")
    settings = loaded(folder)
    assert (settings.mode, len(settings.markets), settings.database.url) == ("sandbox", 3, None)
    history_s = 60 * ServeOptions().history_minutes
    for market in settings.trading:
        strategy = registry.load(market.strategy, market.parameters)
        assert market.timeframe_s * strategy.lookback < history_s, "a newcomer's markets would warm up for hours"
    assert list(folder.iterdir()) == [folder / "kangbot.toml"]


def test_what_is_given_is_written(tmp_path: Path) -> None:
    """Every question has an option."""
    done = init(
        tmp_path,
        *("--mode", "paper", "--venue", "binance_usdm", "--markets", "btc,SOL/USDT:USDT btc"),
        *("--strategy", "rsi_reversion", "--size", "75.5", "--database", "mysql://kb@127.0.0.1:3306/kb"),
    )
    assert done.returncode == exit_codes.OK
    settings = loaded(tmp_path)
    assert (settings.venue, settings.mode) == ("binance_usdm", "paper")
    assert [(market.symbol, market.strategy, str(market.size)) for market in settings.trading] == [
        ("BTC/USDT:USDT", "rsi_reversion", "75.5"),
        ("SOL/USDT:USDT", "rsi_reversion", "75.5"),
    ]
    assert (str(settings.risk.market_notional), str(settings.risk.daily_loss)) == ("302.0", "75.5")
    assert settings.history_url == "mysql://kb@127.0.0.1:3306/kb"


def test_live_needs_a_hand_and_a_key_and_a_password_has_its_own_file(tmp_path: Path) -> None:
    """No option makes it trade with money; with key, secret and second switch in place it is right."""
    url = f"mysql://kb:{SECRET}@127.0.0.1:3306/kb"
    done = init(tmp_path, "--mode", "live", "--database", url)
    assert done.returncode == exit_codes.OK
    for words in ("bybit_key", "bybit_secret", "i_understand", "none to withdraw", "database_url"):
        assert words in done.stdout
    config, database = tmp_path / "kangbot.toml", tmp_path / "database_url"
    assert SECRET not in done.stdout + done.stderr + config.read_text()
    assert database.read_text() == url + "\n"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    for name in ("bybit_key", "bybit_secret"):
        (tmp_path / name).write_text("k" * 20)
        (tmp_path / name).chmod(0o600)
    config.write_text(config.read_text().replace("# i_understand", "i_understand"))
    settings = loaded(tmp_path)
    assert (settings.mode, settings.bybit_key, settings.history_url) == ("live", "k" * 20, url)


def test_a_password_for_a_socket_has_its_own_file_as_well(tmp_path: Path) -> None:
    """The address has no host, and is a secret all the same."""
    url = f"mysql://kb:{SECRET}@/kb?unix_socket=/run/mysqld/mysqld.sock"
    done = init(tmp_path, "--database", url)
    assert done.returncode == exit_codes.OK
    assert SECRET not in (tmp_path / "kangbot.toml").read_text()
    assert loaded(tmp_path).history_url == url


@pytest.mark.parametrize("name", ["kangbot.toml", "database_url"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, name: str) -> None:
    """Neither the configuration nor a secret."""
    (tmp_path / name).write_text("mine")
    done = init(tmp_path, "--database", f"mysql://kb:{SECRET}@127.0.0.1/kb")
    assert done.returncode == exit_codes.FAILURE
    assert "not overwritten" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_whoever_goes_away_at_a_question_has_written_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exit code of Ctrl-C."""
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(typer.Exit) as ended:
        ask(tmp_path / "kangbot.toml", Given(**dict.fromkeys(Given.__struct_fields__)))
    assert ended.value.exit_code == exit_codes.INTERRUPTED
    assert capsys.readouterr().err.endswith("\nNothing was written.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_this_users_is_named_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is, which "config" alone does not say, and what to do."""
    with open_folder() as folder:
        folder.chmod(0o555)
        monkeypatch.chdir(folder)
        with as_nobody():
            assert ask(Path("config/kangbot.toml"), ALL_GIVEN) == exit_codes.FAILURE
        folder.chmod(0o755)
    said = f"{folder / 'config'} cannot be written: Permission denied. "
    remedy = "Name a place that this user may write, or type it as a user who may write there.\n"
    assert capsys.readouterr().err == said + remedy


def test_a_file_that_this_user_may_not_write_is_named_as_it_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not the one beside it, in which it is tried first."""
    with open_folder() as folder:
        config = folder / "kangbot.toml"
        config.parent.chmod(0o555)
        with as_nobody():
            assert ask(config, ALL_GIVEN) == exit_codes.FAILURE
        config.parent.chmod(0o755)
    assert capsys.readouterr().err.startswith(f"{config} cannot be written: Permission denied. Name a place ")


def test_a_full_disk_keeps_nothing_that_would_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The password's file had room and the configuration has none: both are gone, and the next try writes both."""
    begin = partial(ask, tmp_path / "kangbot.toml", ALL_GIVEN)
    calls = count(1)

    def full_at_the_last(_handle: int) -> None:
        if next(calls) == 3:  # after the trial and the password
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as without_room:
        without_room.setattr(os, "fsync", full_at_the_last)
        assert begin() == exit_codes.FAILURE
    said = f"{tmp_path / 'kangbot.toml'} cannot be written: No space left on device. "
    assert capsys.readouterr().err == f"{said}Make room there, or name a place on another disk.\n"
    assert list(tmp_path.iterdir()) == []
    assert begin() == exit_codes.OK
    assert len(list(tmp_path.iterdir())) == 2


ALL_GIVEN = Given(
    mode="sandbox",
    venue="bybit",
    markets="BTC",
    strategy="ema_cross",
    size="50",
    database=f"mysql://kb:{SECRET}@127.0.0.1/kb",
)


class Terminal(io.StringIO):
    """At which nobody types any more."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


def test_a_link_that_leads_nowhere_is_left_and_no_secret_is_written(tmp_path: Path) -> None:
    """It is somebody's, as a file is."""
    (tmp_path / "kangbot.toml").symlink_to("nowhere.toml")
    done = init(tmp_path, "--database", f"mysql://kb:{SECRET}@127.0.0.1/kb")
    assert done.returncode == exit_codes.FAILURE
    assert [path.name for path in tmp_path.iterdir()] == ["kangbot.toml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "pappr"), "Did you mean paper?"),
        (("--venue", "binance_usdm"), "data only"),
        (("--strategy", "ema_crss"), "Did you mean ema_cross?"),
        (("--markets", " , "), "no market was named"),
        (("--markets", "BTC/"), "markets"),
        (("--size", "much"), "is no number"),
        (("--size", "-5"), "none that a position can have"),
        (("--database", "redis://x"), "database"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """A wrong usage, in the words of the configuration's own check."""
    done = init(tmp_path, *arguments)
    assert done.returncode == exit_codes.USAGE
    assert words in done.stderr
    assert "Nothing was written." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_at_a_terminal_what_is_not_given_is_asked(tmp_path: Path) -> None:
    """An empty answer is the default that stands beside the question; a wrong one is asked for again, alone."""
    ours, theirs = pty.openpty()
    config = tmp_path / "kangbot.toml"
    command = [sys.executable, "-m", "kangbot", "init", "--config", str(config), "--mode", "paper", "--size", "60"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = ""
    try:
        for question, reply in (
            ("Venue (bybit, binance_usdm) [bybit]:", "okx"),
            ("  'okx' is none of bybit, binance_usdm\r\nVenue (", ""),
            ("Markets (", ","),
            ("  no market was named\r\nMarkets (", "doge xrp"),
            ("Strategy (", "ema_crss"),
            ("nor a .py file. Did you mean ema_cross?\r\nStrategy (", "rsi_reversion"),
            ("Database (", "here"),
            ("  no database URL that kangbot knows. Write mysql://", ""),
        ):
            deadline = time.monotonic() + 120
            while question not in said:
                assert time.monotonic() < deadline, said
                if select.select([ours], [], [], 0.2)[0]:
                    said += os.read(ours, 65536).decode()
            os.write(ours, f"{reply}\n".encode())
        assert process.wait(timeout=120) == exit_codes.OK
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "Mode (" not in said
    settings = loaded(tmp_path)
    assert [market.symbol for market in settings.markets] == ["DOGE/USDT:USDT", "XRP/USDT:USDT"]
    assert (settings.mode, settings.defaults.strategy) == ("paper", "rsi_reversion")
