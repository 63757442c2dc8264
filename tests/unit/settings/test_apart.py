"""The child process that reads a configuration, and what of it arrives."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid, ConfigUnread
from kangbot.runtime import installation
from kangbot.settings import apart, load
from kangbot.settings.apart import Answer, decode, encode
from kangbot.settings.loading import load as load_here
from kangbot.settings.paths import shipped_config

CANARY = "canary-9f3c-never-shown"


def test_what_the_child_reads_arrives_whole(tmp_path: Path) -> None:
    """Every value, exact amounts, parameters and secrets included."""
    path = tmp_path / "kangbot.toml"
    text = shipped_config("demo.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("slow = 8", "slow = 8\nstop_percent = 1.10000000000000000001"))
    environ = {"KANGBOT_VENUES__BYBIT__SECRET": CANARY, "KANGBOT_DEFAULTS__SIZE": "100.000000000000000000000001"}
    settings = load(path, environ)
    assert settings == load_here(path, environ)
    assert settings.bybit_secret == CANARY
    assert settings.trading[0].parameters["stop_percent"] == Decimal("1.10000000000000000001")
    assert settings.trading[0].size == Decimal("100.000000000000000000000001")


def test_the_childs_mistakes_arrive_whole(tmp_path: Path) -> None:
    """With their places, as if they had been found here."""
    path = tmp_path / "kangbot.toml"
    path.write_text('mode = "x"\n[database]\nbatch = 0\n')
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    with pytest.raises(ConfigInvalid) as expected:
        load_here(path, {})
    assert caught.value.problems == expected.value.problems


def test_a_strategy_that_prints_does_not_spoil_the_answer(tmp_path: Path) -> None:
    """The user's own code runs in the child, and may write where it likes."""
    (tmp_path / "loud.py").write_text(
        "from kangbot.strategy.ema_cross import EmaCross\nprint('hello')\nclass Loud(EmaCross):\n    name = 'loud'\n"
    )
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\nstrategy = "loud.py"\n')
    assert load(path, {}).trading[0].strategy == f"{tmp_path}/loud.py"


def test_a_file_of_the_users_is_not_taken_for_a_module_of_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps a `signal.py` beside the configuration types commands there; nor is it run by root that way."""
    monkeypatch.chdir(tmp_path)
    for name in ("signal", "secrets", "types", "decimal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken for the library')\n")
    (tmp_path / "kangbot.toml").write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    assert load(Path("kangbot.toml"), os.environ).trading


def test_a_strategy_that_ends_the_child_is_a_mistake(tmp_path: Path) -> None:
    """No answer is an answer too."""
    (tmp_path / "bad.py").write_text("import os\nos._exit(3)\n")
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\nstrategy = "bad.py"\n')
    with pytest.raises(ConfigUnread, match=r"exit code 3.*reads it again by itself, or at once at SIGHUP"):
        load(path, {})


def test_a_strategy_that_never_ends_being_loaded_is_waited_for_so_long_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a mistake in what the file names, with what to look for; nothing would ever be traded else."""
    monkeypatch.setattr(apart, "CHILD_S", 1.5)
    (tmp_path / "endless.py").write_text("while True:\n    pass\n")
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\nstrategy = "endless.py"\n')
    with pytest.raises(ConfigInvalid, match=r"could not be read within 2 s.*never ends being loaded") as caught:
        load(path, {})
    assert not isinstance(caught.value, ConfigUnread)


def test_where_no_process_can_be_had_nothing_is_said_against_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again once its cause is gone."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(ConfigUnread, match=r"could not be checked: .*No such file"):
        load(shipped_config("demo.toml"), {})


def test_a_path_that_is_none_is_a_mistake() -> None:
    """What no process can be told is refused like any other."""
    with pytest.raises(ConfigUnread, match="could not be checked"):
        load(Path("a\0b"), {})


def test_what_another_version_reads_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that it calls otherwise would be gone; and what it finds wrong may be right here."""
    monkeypatch.setattr(installation, "_began", {})
    path = tmp_path / "kangbot.toml"
    path.write_text(shipped_config("demo.toml").read_text(encoding="utf-8"))
    installation.remember()
    assert load(path, {}).trading
    file, mark = next(iter(installation._began.items()))
    assert mark is not None
    monkeypatch.setattr(installation, "_began", {**installation._began, file: (mark[0] + 1, mark[1])})
    for text in (path.read_text(), "[risk]\nof_another_version = 1\n"):
        path.write_text(text)
        with pytest.raises(ConfigUnread, match=r"Kangbot's files were replaced or removed .*; restart it once"):
            load(path, {})


def test_an_interpreter_without_its_library_is_told_by_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last line says nothing."""
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    with pytest.raises(ConfigUnread, match=r"ModuleNotFoundError: No module named 'encodings'\. Start again"):
        load(tmp_path / "kangbot.toml", os.environ)


def test_the_daemon_does_not_carry_what_validates() -> None:
    """After a configuration was read neither pydantic nor the TOML reader is in memory."""
    code = (
        "import os, sys; from pathlib import Path; from kangbot.settings import load; "
        f"load(Path({str(shipped_config('kangbot.toml'))!r}), os.environ); "
        "print([name for name in ('pydantic', 'pydantic_core', 'pydantic_settings', 'dotenv') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "[]\n"


def test_an_answer_survives_the_journey() -> None:
    """Encoding and decoding are inverse."""
    answer = Answer(settings=load_here(shipped_config("kangbot.toml"), {}))
    assert decode(encode(answer)) == answer
