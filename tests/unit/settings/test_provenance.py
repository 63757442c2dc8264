"""Who says each value: the file by its line, a variable, a secret's file, systemd, or nobody."""

from collections.abc import Mapping
from pathlib import Path

from kangbot.settings.kinds import Secret
from kangbot.settings.loading import load
from kangbot.settings.provenance import leaves, provenance
from kangbot.settings.schema import Settings
from kangbot.settings.trading import Market

from .conftest import MARKET

SECRET = ("venues", "bybit", "secret")


def said(path: Path, text: str, environ: Mapping[str, str], *keys: tuple[str | int, ...]) -> list[str]:
    """Who says the values of these keys."""
    path.write_text(text)
    says = provenance(path, environ, load(path, environ))
    return [says(key) for key in keys]


def test_a_line_a_variable_or_the_default(tmp_path: Path) -> None:
    """Key by key: what a variable says of a section is not said of its neighbours."""
    text = f'mode = "paper"\n[logs]\nlevel = "debug"\nformat = "json"\n{MARKET}'
    environ = {"KANGBOT_LOGS__LEVEL": "warning", "Kangbot_Paper__Balance": "7"}
    keys = (("mode",), ("logs", "level"), ("logs", "format"), ("paper", "balance"), ("start", "jitter_s"))
    assert said(tmp_path / "k.toml", text, environ, *keys) == [
        "line 1",
        "KANGBOT_LOGS__LEVEL",
        "line 4",
        "Kangbot_Paper__Balance",
        "default",
    ]
    assert said(tmp_path / "k.toml", text, {}, ("markets", 0, "symbol"), ("markets", 0, "enabled")) == [
        "line 6",
        "default",
    ]


def test_a_section_in_one_variable_says_what_stands_in_it_and_no_more(tmp_path: Path) -> None:
    """And where a variable of its own says a key as well, that one is named: it is the one that is obeyed."""
    text = f'[logs]\nlevel = "debug"\nformat = "json"\n{MARKET}'
    environ = {"KANGBOT_LOGS": '{"level": "warning"}'}
    keys = (("logs", "level"), ("logs", "format"))
    assert said(tmp_path / "k.toml", text, environ, *keys) == ["KANGBOT_LOGS", "line 3"]
    environ["KANGBOT_LOGS__LEVEL"] = "error"
    assert said(tmp_path / "k.toml", text, environ, *keys) == ["KANGBOT_LOGS__LEVEL", "line 3"]


def test_a_secret_is_said_by_the_first_that_has_it(tmp_path: Path) -> None:
    """A variable, the file that the configuration names, systemd's folder, the folder beside the configuration."""
    path, own = tmp_path / "k.toml", tmp_path / "own"
    beside, handed = tmp_path / "credentials" / "bybit", tmp_path / "handed"
    for folder in (beside, handed):
        folder.mkdir(parents=True)
    for file in (own, beside / "secret", handed / "bybit_secret"):
        file.write_text("x" * 20)
        file.chmod(0o600)
    named = f'[venues.bybit]\nsecret_file = "own"\n{MARKET}'
    given = {"CREDENTIALS_DIRECTORY": str(handed)}
    assert said(path, named, given | {"KANGBOT_VENUES__BYBIT__SECRET": "y" * 20}, SECRET) == [
        "KANGBOT_VENUES__BYBIT__SECRET"
    ]
    assert said(path, named, given, SECRET) == [f"the file {own}"]
    assert said(path, MARKET, given, SECRET) == ["systemd's credentials"]
    assert said(path, MARKET, {}, SECRET) == [f"the file {beside / 'secret'}"]


def test_an_address_without_a_password_is_said_by_the_line_that_has_it(tmp_path: Path) -> None:
    """It is no secret, though it may come from where secrets do."""
    text = f'[database]\nurl = "mysql://kangbot@db/kangbot"\n{MARKET}'
    assert said(tmp_path / "k.toml", text, {}, ("database", "url")) == ["line 2"]


def test_every_value_is_a_leaf_and_a_tables_own_keys_come_first() -> None:
    """As TOML has it: behind a [table] a key would be that table's. A list of plain values is one of them."""
    settings = Settings(mode="paper", markets=(Market(symbol="A/USDT", parameters={"fast": 3, "deep": {"x": 1}}),))
    found = dict(leaves(settings))
    assert found[("mode",)] == "paper"
    assert found[("markets", 0, "symbol")] == "A/USDT"
    assert found[("markets", 0, "parameters", "deep", "x")] == 1
    assert found[("control", "hosts")] == ()
    assert ("database", "url") not in found, "what is absent has no value"
    keys = list(found)
    assert all(len(keys[place]) == 1 for place in range(sum(len(key) == 1 for key in keys)))
    assert dict(leaves({"a": {"b": Secret("x")}, "c": 1})) == {("c",): 1, ("a", "b"): Secret("x")}
    assert list(leaves({"a": {"b": 1}, "c": 1})) == [(("c",), 1), (("a", "b"), 1)]
