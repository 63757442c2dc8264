"""A configuration is right, or every mistake in it is told at once, with its place."""

from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.settings.loading import load, reachable
from kangbot.settings.paths import shipped_config
from kangbot.settings.versions import Versions

from .conftest import MARKET, Mistakes, Read, said


def test_the_shipped_configuration_has_27_markets_and_no_money() -> None:
    """What a newcomer starts first trades the sandbox exchange only."""
    settings = load(shipped_config("kangbot.toml"), {})
    assert settings.mode == "sandbox"
    assert len({market.id for market in settings.trading}) == 27
    assert settings.bybit_rest_url.startswith("http://127.0.0.1:")


def test_the_demo_has_the_same_markets_and_some_that_decide_by_the_second() -> None:
    """Something happens in the first seconds of a demo, on the markets that ship."""
    demo = load(shipped_config("demo.toml"), {})
    shipped = load(shipped_config("kangbot.toml"), {})
    assert {market.id for market in demo.trading} == {market.id for market in shipped.trading}
    assert min(market.timeframe_s for market in demo.trading) == 1
    assert max(market.timeframe_s for market in demo.trading) == 60


def test_the_live_example_lacks_its_secrets_and_nothing_else(tmp_path: Path) -> None:
    """With its three files in place the example is right."""
    text = (shipped_config("examples") / "live.toml").read_text(encoding="utf-8")
    for name in ("bybit_key", "bybit_secret", "database_url"):
        file = tmp_path / name
        file.write_text("mysql://u:p@localhost/kangbot" if name == "database_url" else "A" * 20)
        file.chmod(0o600)
        text = text.replace(f"/etc/kangbot/{name}", str(file))
    path = tmp_path / "live.toml"
    path.write_text(text)
    settings = load(path, {})
    assert settings.bybit_rest_url == "https://api.bybit.com"
    assert settings.bybit_key == "A" * 20
    assert settings.risk.limits.stop_pause_ns == 3600 * 10**9


def test_a_market_takes_from_the_defaults_what_it_leaves_out(read: Read) -> None:
    """Own keys win; parameters are laid over key by key where the strategy is the same."""
    settings = read(
        "[defaults]\nsize = 30.10\nparameters = { fast = 7, slow = 30 }\n"
        + MARKET
        + 'parameters = { slow = 40 }\n[[markets]]\nsymbol = "ETH/USDT:USDT"\n'
        + 'strategy = "rsi_reversion"\ntimeframe = "15s"\nsize = 20\n'
    )
    first, second = settings.trading
    assert first.size == Decimal("30.10")
    assert first.parameters == {"fast": 7, "slow": 40}
    assert (second.strategy, second.timeframe_s, second.parameters) == ("rsi_reversion", 15, {})


def test_amounts_are_exact(read: Read) -> None:
    """A number of the file becomes a decimal without passing through a float."""
    text = "0.1000000000000000055511151231257827"
    settings = read(f"[defaults]\nsize = 50.{text[2:]}\n{MARKET}")
    assert str(settings.trading[0].size) == f"50.{text[2:]}"


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path, read: Read) -> None:
    """The same file means the same wherever kangbot is started."""
    settings = read(f'state_dir = "../state"\n{MARKET}')
    assert settings.state_dir == tmp_path.parent / "state"
    assert settings.control_socket == tmp_path.parent / "state" / "control.sock"
    assert settings.history_url == f"sqlite:///{tmp_path.parent}/state/history.sqlite"


def test_systemds_state_folder_is_the_default(read: Read) -> None:
    """Under StateDirectory= nothing needs to be configured."""
    assert read(MARKET, {"STATE_DIRECTORY": "/var/lib/kangbot:/var/lib/other"}).state_dir == Path("/var/lib/kangbot")


@pytest.mark.parametrize("end", ["", "/", "/linear", "/spot"])
def test_the_public_websocket_is_known_without_the_kind_of_market(read: Read, end: str) -> None:
    """However the address is written: the adapter adds the kind."""
    settings = read(f'[venues.bybit]\nws_public_url = "ws://127.0.0.1:9/v5/public{end}"\n{MARKET}')
    assert settings.bybit_ws_public_url == "ws://127.0.0.1:9/v5/public"


@pytest.mark.parametrize(
    ("mode", "rest", "private"),
    [
        ("sandbox", "http://127.0.0.1:8790", "ws://127.0.0.1:8790/v5/private"),
        ("paper", "https://api.bybit.com", "wss://stream.bybit.com/v5/private"),
        ("testnet", "https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5/private"),
    ],
)
def test_addresses_follow_from_the_mode(read: Read, mode: str, rest: str, private: str) -> None:
    """Nothing but the mode needs to be written."""
    keys = {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8, "KANGBOT_VENUES__BYBIT__SECRET": "s" * 8}
    settings = read(f'mode = "{mode}"\n{MARKET}', keys)
    assert (settings.bybit_rest_url, settings.bybit_ws_private_url) == (rest, private)


def test_paper_has_money_of_its_own_and_no_key(read: Read) -> None:
    """What is configured for the real account stays out of it."""
    keys = {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8, "KANGBOT_VENUES__BYBIT__SECRET": "s" * 8}
    settings = read(f'mode = "paper"\n[paper]\nbalance = 1234.5\n{MARKET}', keys)
    assert (settings.bybit_key, settings.bybit_secret) == ("", "")
    assert settings.paper.balance == Decimal("1234.5")
    assert read(MARKET).paper.balance == Decimal(10_000)


def test_the_files_of_tokens_and_addresses_are_taken_from_the_folder_of_the_file(read: Read, tmp_path: Path) -> None:
    """Like every path in it."""
    settings = read(
        f"[control]\ncontrol_token_file = 'c'\nread_token_file = 'r'\n[notify]\naddresses_file = 'a'\n{MARKET}",
        {"KANGBOT_NOTIFY__ADDRESSES": "json://localhost"},
    )
    assert settings.control_token == tmp_path / "c"
    assert settings.read_token == tmp_path / "r"
    assert settings.notify.addresses_file == tmp_path / "a"


def test_every_mistake_is_told_at_once_with_its_line(mistakes: Mistakes) -> None:
    """Wrong keys, wrong types, wrong values, and what only comparing can find, in the order of the file."""
    found = mistakes(
        'mode = "snadbox"\n'
        'stat_dir = "x"\n'
        "[database]\n"
        "pool_size = 9\n"
        "[defaults]\n"
        "parameters = { fast = 50, slow = 20 }\n"
        "[risk]\n"
        "open_positions = true\n"
        "[[markets]]\n"
        'symbol = "BTCUSDT"\n'
        "[[markets]]\n"
        'symbol = "ETH/USDT:USDT"\n'
        'size = "lots"\n'
        "[[markets]]\n"
        'symbol = "ETH/USDT:USDT"\n'
        'timeframe = "7m"\n'
        "[[markets]]\n"
        "size = 100\n"
        'strategy = "ema_corss"\n'
    )
    assert [(problem.line, problem.key) for problem in found] == [
        (1, "mode"),
        (2, "stat_dir"),
        (4, "database.pool_size"),
        (6, "defaults.parameters.fast"),
        (8, "risk.open_positions"),
        (10, "markets[0].symbol"),
        (13, "markets[1].size"),
        (15, "markets[2].symbol"),
        (16, "markets[2].timeframe"),
        (17, "markets[3].symbol"),
    ]
    text = said(found)
    assert "Did you mean sandbox?" in text
    assert "Did you mean state_dir?" in text
    assert "already (line 12)" in text


def test_what_concerns_no_line_is_told_last(mistakes: Mistakes) -> None:
    """A secret that is nowhere has none; whoever reads from the top of the file meets the lines in their order."""
    found = mistakes('mode = "testnet"\n[[markets]]\nsymbol = "BTC/USDT:USDT"\nsize = "lots"\n')
    assert [(problem.line, problem.key) for problem in found] == [
        (4, "markets[0].size"),
        (0, "venues.bybit.key_file"),
        (0, "venues.bybit.secret_file"),
    ]


def test_of_a_broken_file_people_are_told_as_its_newest_accepted_version_has_it(tmp_path: Path) -> None:
    """By its mode and its addresses, looked for where they are now; a variable that says no mode is left out."""
    path, versions = tmp_path / "kangbot.toml", Versions(tmp_path / "state")
    path.write_text("[[[")
    assert reachable(path, {}) is None, "none was accepted yet"
    for least in ("error", "critical"):
        text = f'mode = "paper"\n[notify]\nleast = "{least}"\naddresses_file = "addresses"\n{MARKET}'
        versions.keep(text.encode(), "edit", 0)
    (tmp_path / "addresses").write_text("json://localhost/t0ken")
    (tmp_path / "addresses").chmod(0o600)
    for environ, mode in (({}, "paper"), ({"KANGBOT_MODE": "pappr"}, "sandbox")):
        found = reachable(path, environ)
        assert found is not None
        assert found.notify.addresses is not None
        assert (found.mode, found.notify.least) == (mode, "critical")
        assert found.notify.addresses.value == "json://localhost/t0ken"
