"""Where secrets may come from, and that none is ever shown."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings.kinds import Secret
from kangbot.settings.loading import load
from kangbot.settings.schema import Settings
from kangbot.settings.secrets import has_password, shut_credentials
from tests.support.nobody import as_nobody, open_folder

Read = Callable[..., Settings]
Mistakes = Callable[..., tuple[Problem, ...]]
TESTNET = 'mode = "testnet"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
CANARY = "canary-9f3c-never-shown"


def secret_file(folder: Path, name: str, text: str = CANARY, mode: int = 0o600) -> Path:
    """Write a secret to a file with the given permissions."""
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_real_account_needs_key_and_secret(mistakes: Mistakes) -> None:
    """Testnet and live do not start without; the message says where to put them."""
    found = mistakes(TESTNET)
    assert [problem.key for problem in found] == ["venues.bybit.key_file", "venues.bybit.secret_file"]
    assert "KANGBOT_VENUES__BYBIT__SECRET" in found[1].remedy


def test_sandbox_and_paper_need_none(read: Read) -> None:
    """The sandbox exchange has a key that everybody knows; paper asks no account."""
    assert read(TESTNET.replace("testnet", "sandbox")).bybit_key == "sandbox"
    assert read(TESTNET.replace("testnet", "paper")).bybit_secret == ""


def test_secrets_come_from_files_beside_the_configuration(read: Read, tmp_path: Path) -> None:
    """The file holds the secret and nothing else; white space around it is no part of it."""
    secret_file(tmp_path, "key", "the-key\n")
    secret_file(tmp_path, "secret", mode=0o640)
    settings = read(f'{TESTNET}[venues.bybit]\nkey_file = "key"\nsecret_file = "secret"\n')
    assert (settings.bybit_key, settings.bybit_secret) == ("the-key", CANARY)


def test_secrets_come_from_the_environment_before_files(read: Read, tmp_path: Path) -> None:
    """What is set for one start wins."""
    secret_file(tmp_path, "key", "from-file")
    settings = read(
        f'{TESTNET}[venues.bybit]\nkey_file = "key"\n',
        {"KANGBOT_VENUES__BYBIT__KEY": "from-environment", "KANGBOT_VENUES__BYBIT__SECRET": CANARY},
    )
    assert settings.bybit_key == "from-environment"


def test_a_variable_that_is_there_and_empty_hides_no_file(read: Read, tmp_path: Path) -> None:
    """A compose file has one for each variable that it passes on."""
    secret_file(tmp_path, "key", "from-file")
    text = f'{TESTNET}[venues.bybit]\nkey_file = "key"\n'
    settings = read(text, {"KANGBOT_VENUES__BYBIT__KEY": "", "KANGBOT_VENUES__BYBIT__SECRET": CANARY})
    assert settings.bybit_key == "from-file"


def test_secrets_come_from_systemds_credentials(read: Read, tmp_path: Path) -> None:
    """LoadCredential= needs no line in the configuration, and its folder is private whatever the modes say."""
    for name in ("bybit_key", "bybit_secret"):
        secret_file(tmp_path, name, mode=0o444)
    secret_file(tmp_path, "database_url", "mysql://u:p@localhost/kangbot", mode=0o444)
    settings = read(TESTNET, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.bybit_secret == CANARY
    assert settings.history_url == "mysql://u:p@localhost/kangbot"


@pytest.mark.parametrize("pasted", ["two words", '"quoted"', "'quoted'"])
def test_a_key_with_a_space_or_a_quotation_mark_is_a_mistake(mistakes: Mistakes, tmp_path: Path, pasted: str) -> None:
    """It was pasted with what stood around it; the exchange would only say that it knows no such key."""
    secret_file(tmp_path, "secret", pasted)
    text = f'{TESTNET}[venues.bybit]\nsecret_file = "secret"\n'
    (found,) = mistakes(text, {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert (found.key, found.line) == ("venues.bybit.secret_file", 5)
    assert "space or a quotation mark" in found.message
    assert pasted not in str(found)
    (found,) = mistakes(text, {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8, "KANGBOT_VENUES__BYBIT__SECRET": ""})
    assert found.key == "venues.bybit.secret_file", "a variable that is empty is not what is wrong"
    for text_of_file in (TESTNET, text):
        (found,) = mistakes(
            text_of_file, {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8, "KANGBOT_VENUES__BYBIT__SECRET": pasted}
        )
        assert (found.file, found.key) == ("environment", "KANGBOT_VENUES__BYBIT__SECRET")
    secret_file(tmp_path, "bybit_key", "k" * 8)
    secret_file(tmp_path, "bybit_secret", pasted)
    (found,) = mistakes(TESTNET, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.key == "venues.bybit.secret", "no file is named"


@pytest.mark.parametrize(("mode", "words"), [(0o604, "everybody"), (0o644, "everybody"), (0o660, "group can change")])
def test_a_secret_that_others_can_read_is_a_mistake(mistakes: Mistakes, tmp_path: Path, mode: int, words: str) -> None:
    """Not a warning: nobody reads the warnings of a server."""
    path = secret_file(tmp_path, "secret", mode=mode)
    (found,) = mistakes(f'{TESTNET}[venues.bybit]\nsecret_file = "secret"\n', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert words in found.message
    assert found.remedy == f"chmod 600 {path}"
    assert CANARY not in str(found)


def test_a_secret_that_was_saved_on_windows_is_one(read: Read, tmp_path: Path) -> None:
    """Its mark at the beginning, which no editor shows, and its end of the line are no part of it."""
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbfs3cret\r\n")
    (tmp_path / "secret").chmod(0o600)
    text = f'{TESTNET}[venues.bybit]\nsecret_file = "secret"\n'
    assert read(text, {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8}).bybit_secret == "s3cret"


@pytest.mark.parametrize("content", [b"", b" \n", b"two\nlines", b"\xff\xfe", b"x" * 5000, b"nul\0"])
def test_a_file_that_is_no_secret_is_a_mistake(mistakes: Mistakes, tmp_path: Path, content: bytes) -> None:
    """Empty, several lines, binary: told before a venue answers "invalid key"."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    found = mistakes(f'{TESTNET}[venues.bybit]\nsecret_file = "secret"\n', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert "one line of text" in found[0].message


@pytest.mark.parametrize("content", ["two\nlines", "nul\0", "tab\tbed", "name\r\nHeader: other"])
def test_a_variable_that_is_no_secret_is_a_mistake(mistakes: Mistakes, content: str) -> None:
    """As of a file: it would stand in a header of every request. A line's end behind it is no part of it."""
    found = mistakes(TESTNET, {"KANGBOT_VENUES__BYBIT__KEY": f"{content}\n", "KANGBOT_VENUES__BYBIT__SECRET": "s\n"})
    assert [problem.key for problem in found] == ["KANGBOT_VENUES__BYBIT__KEY"]
    assert "one line of text" in found[0].message
    assert content not in str(found)


def test_a_pipe_in_the_place_of_a_secret_is_not_waited_for(mistakes: Mistakes, tmp_path: Path) -> None:
    """Nobody writes to it: a start, or the look after an edit, would hang for a minute."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    found = mistakes(f'{TESTNET}[venues.bybit]\nsecret_file = "pipe"\n', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert found[0].message == f"{tmp_path / 'pipe'} cannot be read: it is no plain file"


@pytest.mark.parametrize("pasted", [CANARY, f"tgram://{CANARY}/123", CANARY * 30])
def test_a_secret_that_stands_in_the_place_of_its_file_is_not_repeated(mistakes: Mistakes, pasted: str) -> None:
    """It would be in the log, and in whatever the log is shown to."""
    found = mistakes(f'{TESTNET}[venues.bybit]\nsecret_file = "{pasted}"\n', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert [problem.key for problem in found] == ["venues.bybit.secret_file"]
    assert "the file that it names, beside the configuration, cannot be read" in found[0].message
    assert "The secret itself stands in that file" in found[0].remedy
    assert CANARY not in str(found)


def test_a_path_that_leads_nowhere_is_named(mistakes: Mistakes) -> None:
    """Whoever has mistyped it sees what."""
    found = mistakes(
        f'{TESTNET}[venues.bybit]\nsecret_file = "/etc/nowhere/k"\n', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8}
    )
    assert found[0].message == "/etc/nowhere/k cannot be read: no such file or directory"


def test_a_missing_file_is_told_once(mistakes: Mistakes) -> None:
    """The file is what is wrong; that the key is missing follows from it."""
    found = mistakes(f'{TESTNET}[venues.bybit]\nkey_file = "nowhere"\nsecret_file = ""\n')
    assert [problem.key for problem in found] == ["venues.bybit.key_file", "venues.bybit.secret_file"]
    assert "no such file" in found[0].message


@pytest.mark.parametrize(
    "line",
    [
        f'[venues.bybit]\nkey = "{CANARY}"',
        f'[venues.bybit]\nsecret = "{CANARY}"',
        f'[database]\nurl = "mysql://user:{CANARY}@localhost/kangbot"',
        f'[database]\nurl = "mysql://user:{CANARY}@[broken/kangbot"',
    ],
)
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(mistakes: Mistakes, line: str) -> None:
    """The file is copied, committed and shown; the message is logged."""
    found = mistakes(f'{line}\n[[markets]]\nsymbol = "BTC/USDT:USDT"\n')
    text = "\n".join(map(str, found))
    assert "does not belong in this file" in text
    assert CANARY not in text


def test_an_address_of_a_database_without_a_password_may_stand_in_the_file(mistakes: Mistakes) -> None:
    """By a socket the server knows its user; nothing in it is to be hidden."""
    line = '[database]\nurl = "mysql://trader@localhost/kangbot?unix_socket=/run/mysqld/mysqld.sock"\n'
    assert mistakes(f'{line}[[markets]]\nsymbol = "BTC/USDT:USDT"\n') == ()


def test_no_message_shows_a_secret(tmp_path: Path) -> None:
    """Whatever else is wrong, and wherever the secret came from."""
    path = tmp_path / "kangbot.toml"
    path.write_text("[database]\npool_size = 99\n[venues.bybit]\nrest_url = 5\n")
    environ = {
        "KANGBOT_DATABASE__URL": f"nonsense://user:{CANARY}@:x/y",
        "KANGBOT_VENUES__BYBIT__KEY": CANARY,
        "KANGBOT_VENUES__BYBIT": f'{{"secret": ["{CANARY}"]}}',
    }
    with pytest.raises(ConfigInvalid) as caught:
        load(path, environ)
    assert len(caught.value.problems) >= 3
    assert CANARY not in caught.value.message


def test_settings_do_not_show_their_secrets(read: Read) -> None:
    """In a log, a traceback or a debugger's window."""
    environ = {"KANGBOT_VENUES__BYBIT__KEY": CANARY, "KANGBOT_DATABASE__URL": f"mysql://u:{CANARY}%21@h/d"}
    settings = read('[[markets]]\nsymbol = "BTC/USDT:USDT"\n', environ)
    assert CANARY not in repr(settings)
    assert CANARY not in f"{Secret(CANARY)}"
    assert set(settings.secrets) == {CANARY, f"mysql://u:{CANARY}%21@h/d", f"{CANARY}%21", f"{CANARY}!"}


def test_the_password_of_a_socket_is_a_secret_of_its_own(read: Read) -> None:
    """Such an address has no host; a driver may say the password without the rest."""
    url = f"mysql://u:{CANARY}@/d?unix_socket=/run/it.sock"
    market = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'
    assert set(read(market, {"KANGBOT_DATABASE__URL": url}).secrets) == {CANARY, url}


def test_an_address_that_cannot_be_read_may_hold_a_password() -> None:
    """In doubt it is treated as a secret."""
    assert has_password("mysql://[")
    assert not has_password("mysql://user@host/name")


def test_beside_an_installed_service_its_credentials_are_found(read: Read, tmp_path: Path) -> None:
    """Where the unit takes them from; but a service has those that systemd handed it, and no other."""
    for name, text in (("bybit/key", "the-key"), ("bybit/secret", CANARY), ("database/url", "mysql://u:p@h/k")):
        file = tmp_path / "credentials" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        secret_file(file.parent, file.name, text)
    settings = read(TESTNET)
    assert (settings.bybit_key, settings.bybit_secret) == ("the-key", CANARY)
    assert settings.history_url == "mysql://u:p@h/k"
    handed = tmp_path / "handed"
    handed.mkdir()
    with pytest.raises(ConfigInvalid, match="the API key is missing"):
        read(TESTNET, {"CREDENTIALS_DIRECTORY": str(handed)})


def test_credentials_that_are_roots_alone_are_not_called_missing() -> None:
    """Whoever may not look is told so, with what to do; a mode that needs no key is not troubled."""
    with open_folder() as folder:
        config = folder / "kangbot.toml"
        config.write_text(TESTNET)
        config.chmod(0o644)
        shut = folder / "credentials"
        shut.mkdir(mode=0o700 if os.geteuid() == 0 else 0o000)
        with as_nobody():
            assert shut_credentials(config, {}) == shut
            assert shut_credentials(config, {"CREDENTIALS_DIRECTORY": str(folder)}) is None
            with pytest.raises(ConfigInvalid) as error:
                load(config, {})
        (key, secret) = error.value.problems
        assert "cannot be looked for" in key.message
        assert "sudo" in secret.remedy
        config.write_text(TESTNET.replace("testnet", "sandbox"))
        with as_nobody():
            assert load(config, {}).bybit_key == "sandbox"
