"""`kangbot check` and `kangbot config validate`: what a configuration means, or every mistake in it."""

import json
from pathlib import Path

import pytest

from kangbot.cli import exit_codes
from kangbot.cli.check import _lines
from kangbot.settings import load
from kangbot.settings.paths import shipped_config
from tests.support.nobody import as_nobody
from tests.support.typed import kangbot

SHIPPED = str(shipped_config("kangbot.toml"))


def test_check_says_what_a_right_configuration_means() -> None:
    """Mode, markets, database and secrets, on standard output."""
    done = kangbot("check", "--config", SHIPPED)
    assert done.returncode == exit_codes.OK
    for words in ("no mistakes", "sandbox", "27", "embedded SQLite"):
        assert words in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "messages   to nobody: [notify] has no address\n"),
        ({"NOTIFY__ADDRESSES": "json://a/t0ken"}, "messages   to 1 service, from warning on\n"),
        (
            {"NOTIFY__ADDRESSES": "tgram://1:t0ken/2 json://a", "TELEGRAM__TOKEN": "1:t0ken"},
            "messages   to 2 services, from warning on; Telegram: no chat may command yet\n",
        ),
        (
            {"TELEGRAM__TOKEN": "1:t0ken", "TELEGRAM__CHATS": "7,8"},
            "messages   to nobody: [notify] has no address; Telegram: 2 chats may command\n",
        ),
        ({"TELEGRAM__TOKEN": "1:t0ken", "TELEGRAM__CHATS": "7"}, "Telegram: 1 chat may command\n"),
    ],
)
def test_check_says_who_would_be_told(environment: dict[str, str], words: str) -> None:
    """So that a file of addresses in the wrong place is noticed before a message is missed; no token is shown."""
    variables = {f"KANGBOT_{name}": value for name, value in environment.items()}
    done = kangbot("config", "validate", SHIPPED, cwd=None, **variables)
    assert words in done.stdout
    assert "t0ken" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("off", "words"),
    [
        ((), "at most 500 a market, 2000 in total, 100 lost a day"),
        (("DAILY_LOSS",), "at most 500 a market, 2000 in total; NO LIMIT of the loss of a day"),
        (("MARKET_NOTIONAL", "TOTAL_NOTIONAL", "DAILY_LOSS"), "NO LIMIT of a market, the total, the loss of a day"),
    ],
)
def test_check_does_not_take_a_limit_that_is_off_for_one_of_nothing(
    tmp_path: Path, off: tuple[str, ...], words: str
) -> None:
    """Whoever writes daily_loss = 0 to lose nothing must not be told that nothing can be lost."""
    path = tmp_path / "kangbot.toml"
    path.write_text('[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    done = kangbot("config", "validate", str(path), cwd=None, **{f"KANGBOT_RISK__{name}": "0" for name in off})
    assert f"\nrisk       {words}\n" in done.stdout


def test_a_configuration_is_validated_without_asking_anybody(tmp_path: Path) -> None:
    """What it means, with the venue's address and that it gives data only; or every mistake."""
    path = tmp_path / "kangbot.toml"
    path.write_text('mode = "paper"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\nvenue = "binance_usdm"\n')
    done = kangbot("config", "validate", str(path))
    assert done.returncode == exit_codes.OK
    assert "binance_usdm, https://fapi.binance.com, data only" in done.stdout
    assert json.loads(kangbot("config", "validate", str(path), "--json").stdout)["looks"] == []
    path.write_text('mode = "pappr"\n')
    done = kangbot("config", "validate", str(path))
    assert (done.returncode, done.stdout) == (exit_codes.CONFIG, "")
    assert "Did you mean paper?" in done.stderr


def test_a_state_folder_that_is_not_this_users_to_see_ends_no_check(tmp_path: Path) -> None:
    """The rest of what the configuration means is said all the same, and nothing of a folder that nobody has seen."""
    path, closed = tmp_path / "kangbot.toml", tmp_path / "closed"
    closed.mkdir(mode=0o700)
    path.write_text('state_dir = "closed/state"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    settings = load(path, {})
    with as_nobody():
        assert dict(_lines(path, settings))["state"] == f"{closed / 'state'} (not this user's to see)"
    assert dict(_lines(path, settings))["state"] == f"{closed / 'state'} (will be made)"
    (closed / "state").mkdir()
    assert dict(_lines(path, settings))["state"] == f"{closed / 'state'}"


def test_check_prints_one_json_object(tmp_path: Path) -> None:
    """For a right configuration and for a wrong one, and nothing else on standard output."""
    right = kangbot("check", "--config", SHIPPED, "--json", KANGBOT_VENUES__BYBIT__KEY="k" * 8)
    finding = json.loads(right.stdout)
    assert (finding["ok"], finding["mode"], finding["markets"]["enabled"]) == (True, "sandbox", 27)
    assert finding["secrets"] == {
        "bybit_key": True,
        "bybit_secret": False,
        "database_url": False,
        "notify_addresses": False,
        "telegram_token": False,
    }
    path = tmp_path / "wrong.toml"
    path.write_text('mode = "x"\n')
    wrong = kangbot("check", "--config", str(path), "--json")
    assert wrong.returncode == exit_codes.CONFIG
    problem = json.loads(wrong.stdout)["problems"][0]
    assert (problem["file"], problem["line"], problem["key"]) == (str(path), 1, "mode")


def test_a_missing_file_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    """Named, with the option that would name another."""
    done = kangbot("check", cwd=tmp_path)
    assert done.returncode == exit_codes.CONFIG
    assert (
        "config/kangbot.toml: cannot be read: no such file or directory. "
        "Put it there, write one with `kangbot init`, or name another with --config" in done.stderr
    )
    done = kangbot("config", "validate", "mine.toml", cwd=tmp_path)  # which has no such option
    assert done.returncode == exit_codes.CONFIG
    told = "mine.toml: cannot be read: no such file or directory. Put it there, write one with `kangbot init`, or name "
    assert done.stderr.startswith(f"{told}another")
    assert "--config" not in done.stderr


def test_a_terminal_of_few_letters_shows_what_it_can() -> None:
    """Marks and frames that it does not have are no fault; and what is well does not look like what is not."""
    done = kangbot("check", "--config", SHIPPED, PYTHONIOENCODING="latin-1", KANGBOT_STATE_DIR="/proc/none")
    assert "Traceback" not in done.stderr
    assert "+ clock" in done.stdout
    assert "x disk" in done.stdout
    assert "?" not in {line[:1] for line in done.stdout.splitlines()}
