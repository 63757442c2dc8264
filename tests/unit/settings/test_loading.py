"""A configuration is right, or every mistake in it is told at once, with its place."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.errors import ConfigInvalid, Problem
from kangbot.settings import sources
from kangbot.settings.loading import load
from kangbot.settings.paths import shipped_config
from kangbot.settings.schema import Settings

Read = Callable[..., Settings]
Mistakes = Callable[..., tuple[Problem, ...]]
MARKET = '[[markets]]\nsymbol = "BTC/USDT:USDT"\n'


def said(problems: tuple[Problem, ...]) -> str:
    """Return the problems as a person reads them."""
    return "\n".join(str(problem) for problem in problems)


# ------------------------------------------------------------------------------------------------ what is right
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


# ------------------------------------------------------------------------------------------------ the environment
def test_a_variable_stands_above_the_file(read: Read) -> None:
    """KANGBOT_DATABASE__URL style, in any section, typed like the file."""
    settings = read(
        f"[database]\nbatch = 5\n{MARKET}",
        {
            "KANGBOT_MODE": "paper",
            "KANGBOT_DATABASE__BATCH": "7",
            "KANGBOT_DATABASE__URL": "mysql://u:p@localhost/kangbot",
            "KANGBOT_VENUES__BYBIT__REST_URL": "http://127.0.0.1:1/",
            "KANGBOT_DEFAULTS__PARAMETERS__FAST": "4",
            "KANGBOT_DEFAULTS__SIZE": "12.50",
            "KANGBOT_RISK__REQUIRE_STOP": "false",
        },
    )
    assert settings.mode == "paper"
    assert settings.database.batch == 7
    assert settings.bybit_rest_url == "http://127.0.0.1:1"
    assert settings.trading[0].parameters == {"fast": 4}
    assert settings.trading[0].size == Decimal("12.50")
    assert not settings.risk.require_stop


@pytest.mark.parametrize(
    ("value", "hosts"), [("kangbot", ("kangbot",)), ("kangbot, Bot.Example,", ("kangbot", "bot.example")), (" ", ())]
)
def test_host_names_can_come_from_a_variable(read: Read, value: str, hosts: tuple[str, ...]) -> None:
    """With commas between them, in the place of the file's."""
    assert read(f"[control]\nhosts = ['x.example']\n{MARKET}", {"KANGBOT_CONTROL__HOSTS": value}).control.hosts == hosts


@pytest.mark.parametrize(
    ("environ", "key", "word"),
    [
        ({}, "KANGBOT_CONTROL__HOST", "no name is allowed"),
        ({"KANGBOT_CONTROL__HOSTS": ","}, "KANGBOT_CONTROL__HOST", "no name is allowed"),
        ({"KANGBOT_CONTROL__HOSTS": "kangbot,*"}, "KANGBOT_CONTROL__HOSTS", "'*' is not a host name"),
        ({"KANGBOT_CONTROL__HOSTS": '["kangbot"]'}, "KANGBOT_CONTROL__HOSTS", "is not a host name"),
    ],
)
def test_a_variable_opens_no_door_without_names(
    mistakes: Mistakes, environ: Mapping[str, str], key: str, word: str
) -> None:
    """Another address than the loopback's is refused as in the file, and a name that is none as well."""
    (found,) = mistakes(MARKET, {"KANGBOT_CONTROL__HOST": "0.0.0.0", **environ})
    assert (found.file, found.key) == ("environment", key)
    assert word in found.message


def test_markets_can_come_from_a_variable(read: Read) -> None:
    """A list is JSON."""
    settings = read("", {"KANGBOT_MARKETS": '[{"symbol": "SOL/USDT:USDT", "size": 33.3}]'})
    assert [(market.symbol, market.size) for market in settings.trading] == [("SOL/USDT:USDT", Decimal("33.3"))]


def test_a_mistake_of_a_variable_names_the_variable(mistakes: Mistakes) -> None:
    """Neither a line nor a file is to blame."""
    found = mistakes(
        f"[database]\nbatch = 5\n{MARKET}", {"KANGBOT_DATABASE__BATCH": "many", "KANGBOT_DATABSE__URL": "x"}
    )
    assert {(problem.file, problem.key) for problem in found} == {
        ("environment", "KANGBOT_DATABASE__BATCH"),
        ("environment", "KANGBOT_DATABSE__URL"),
    }
    assert "KANGBOT_DATABASE__" in said(found)


def test_where_a_service_is_installed_its_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever types a command without --config beside it means that one, and does not know where it is."""
    missing, service = tmp_path / "config" / "kangbot.toml", tmp_path / "etc" / "kangbot.toml"
    monkeypatch.setattr(sources, "SERVICE", service)
    with pytest.raises(ConfigInvalid, match=r"or name another with --config\."):
        load(missing, {})
    service.parent.mkdir()
    service.write_text(MARKET)
    with pytest.raises(ConfigInvalid, match=rf"or name another with --config; the service's is {service}\."):
        load(missing, {})


@pytest.mark.parametrize("value", ["no json", "[1", '{"a": 1}', "[[" * 5000])
def test_a_list_that_is_no_list_is_a_mistake(mistakes: Mistakes, value: str) -> None:
    """JSON that is none does not come through as an exception."""
    assert "KANGBOT_MARKETS" in said(mistakes("", {"KANGBOT_MARKETS": value}))


def test_a_line_is_told_although_another_key_of_its_section_comes_from_a_variable(mistakes: Mistakes) -> None:
    """Origin is known key by key."""
    (found,) = mistakes(f'[venues.bybit]\nrest_url = "ftp://x"\n{MARKET}', {"KANGBOT_VENUES__BYBIT__KEY": "k" * 8})
    assert (found.line, found.key) == (2, "venues.bybit.rest_url")


# ------------------------------------------------------------------------------------------------ mistakes
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


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[databse]\nurl = 1\n", "databse", "Did you mean database?"),
        ("[venues.bibyt]\n", "venues.bibyt", "Did you mean bybit?"),
        ("venues = 3\n", "venues", "must be a table"),
        ("[defaults]\nsizes = 3\n", "defaults.sizes", "Did you mean size?"),
        ("[defaults]\nstrategy = 3\n", "defaults.strategy", "must be a text in quotes, not 3"),
        ("[defaults]\nsize = -3\n", "defaults.size", "greater than or equal to 0.01, not -3"),
        ("[defaults]\nsize = nan\n", "defaults.size", "finite"),
        ("[defaults]\nsize = true\n", "defaults.size", "not true or false"),
        ("[defaults]\nleverage = 1.5\n", "defaults.leverage", "must be a whole number, not 1.5"),
        ("[defaults]\nvenue = 'okx'\n", "defaults.venue", "must be 'bybit' or 'binance_usdm', not 'okx'"),
        ("[defaults]\ntimeframe = '1'\n", "defaults.timeframe", "such as 1m"),
        ("[start]\njitter_s = 1e400\n", "start.jitter_s", "finite"),
        ("[logs]\nlevel = 'loud'\n", "logs.level", "'debug', 'info', 'warning' or 'error'"),
        ("state_dir = '~/x'\n", "state_dir", "written out in full"),
        ("state_dir = ''\n", "state_dir", "must not be empty"),
        ("[control]\nsocket = ' '\n", "control.socket", "must not be empty"),
        ("[supervision]\nfirst_wait_s = 90\n", "supervision.first_wait_s", "longer than longest_wait_s"),
        ("[feeds]\nquote_most_s = 3\n", "feeds.quote_most_s", "below quote_least_s, 4"),
        ('[notify]\nnever = ["Feed"]\n', "notify.never[0]", "a pattern such as"),
        ("[risk]\ntotal_notional = 10\n", "risk.total_notional", "below market_notional"),
        ("[risk]\nmarket_notional = 20\n", "risk.market_notional", "no entry would pass"),
        ("[control]\nsocket = '/" + "x" * 120 + "'\n", "control.socket", "longer than 107 bytes"),
        ("[control]\nhost = '0.0.0.0'\n", "control.host", "list the names in [control] hosts"),
        ("[control]\nhost = '::'\n", "control.host", "list the names in [control] hosts"),
        ("[control]\nhost = '127.example.org'\n", "control.host", "is not of the loopback"),
        ("[control]\nhost = '127.0.0.1:8787'\n", "control.host", "without a port"),
        ("[control]\nhost = '[::1]:8787'\n", "control.host", "without a port"),
        ("[control]\nhost = '[::1'\n", "control.host", "is not a host name"),
        ("[control]\nhosts = ['[x]']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['http://x']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['x:1']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['*']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nhosts = ['[']\n", "control.hosts[0]", "is not a host name"),
        ("[control]\nport = 'abc'\n", "control.port", "must be a whole number, not 'abc'"),
        ("[start]\njitter_s = '1h'\n", "start.jitter_s", "must be a number, not '1h'"),
        ("[control]\nport = 65536\n", "control.port", "65535"),
        ("[venues.bybit]\nrest_url = 'https://api.bybit.com'\n", "venues.bybit.rest_url", "is the real exchange"),
        (
            "[venues.bybit]\nrest_url = 'https://bytick.com'\n",
            "venues.bybit.rest_url",
            "is the real exchange (bytick.com)",
        ),
        ("[venues.bybit]\nrest_url = 'https://api.bybit.ae'\n", "venues.bybit.rest_url", "is the real exchange"),
        ("[venues.bybit]\nws_private_url = 'wss://stream.manepa.jp'\n", "venues.bybit.ws_private_url", "is the real"),
        ("[venues.bybit]\nrest_url = 'http://u:p@x'\n", "venues.bybit.rest_url", "must not hold a user"),
        ("[venues.bybit]\nrest_url = 'http://x:y'\n", "venues.bybit.rest_url", "must be an address"),
        ("[database]\nurl = 'postgres://u@h/d'\n", "database.url", "mysql://user:password@host:3306/name"),
        ("[database]\nurl = 'mysql://u@h:x/d'\n", "database.url", "host or port cannot be read"),
        ("[database]\nurl = 'mysql://u@h/d?ssl_ca=/x'\n", "database.url", "option ssl_ca. Did you mean ssl-ca?"),
        ("[database]\nurl = 5\n", "database.url", "must be a text in quotes"),
        ("mode = 'live'\n", "mode", '[live] i_understand = "real money"'),
        ("[venues.bybit]\nmode = 'live'\n", "venues.bybit.mode", "is no setting. A daemon has one mode"),
    ],
)
def test_a_mistake_says_what_is_wrong(mistakes: Mistakes, text: str, key: str, words: str) -> None:
    """One mistake of each kind: its key, its line, and words to act on."""
    found = [problem for problem in mistakes(text + MARKET) if problem.key == key]
    assert found
    assert words in said(tuple(found))
    assert found[0].line


@pytest.mark.parametrize(
    "symbol",
    [
        "BTCUSDT",
        "BTCUSDT:USDT",
        "btc/USDT:USDT",
        "BTC/usdt:usdt",
        "BTC-X/USDT",
        "ETHÉ/USDT",
        "/USDT",
        "BTC/",
        "BTC/USDT:",
        "BTC/USD:BTC",
    ],
)
def test_what_is_no_symbol_is_refused(mistakes: Mistakes, symbol: str) -> None:
    """As a venue writes it, in small letters or another alphabet, in part, settled in what it is not quoted in."""
    (found,) = mistakes(MARKET.replace("BTC/USDT:USDT", symbol))
    assert (found.key, found.line) == ("markets[0].symbol", 2)
    assert "is not a symbol: write BTC/USDT:USDT" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "[risk]\nmarket_notional = 1000\ntotal_notional = 1000\n[defaults]\nsize = 1000\n",
        "[risk]\nmarket_notional = 1000\ntotal_notional = 0\n",
        "[risk]\nmarket_notional = 0\ntotal_notional = 1000\n",
        "[supervision]\nfirst_wait_s = 30\nlongest_wait_s = 30\n",
        "[feeds]\nquote_least_s = 30\nquote_most_s = 30\ntrade_least_s = 60\ntrade_most_s = 60\n",
        "[control]\nsocket = '/" + "x" * 106 + "'\n",
    ],
    ids=["limits that are alike", "no limit of all", "no limit of one", "waits", "silence", "socket"],
)
def test_what_just_fits_is_no_mistake(mistakes: Mistakes, text: str) -> None:
    """Figures that are equal, and 0 where it means that there is no limit."""
    assert mistakes(text + MARKET) == ()


def test_a_size_above_the_limit_is_told_where_it_was_written(mistakes: Mistakes) -> None:
    """The market's own, the defaults', or else the limit's."""
    limit = "[risk]\nmarket_notional = 10\n"
    for text, key, line in (
        (f"{limit}{MARKET}size = 10.01\n", "markets[0].size", 5),
        (f"{limit}[defaults]\nsize = 10.01\n{MARKET}", "defaults.size", 4),
        (f"{limit}{MARKET}", "risk.market_notional", 2),
    ):
        (found,) = mistakes(text)
        assert (found.key, found.line) == (key, line)


def test_chats_that_may_command_need_a_token_to_be_heard_with(mistakes: Mistakes, tmp_path: Path) -> None:
    """From wherever it comes; whoever lists no chat needs none."""
    chats = "[telegram]\nchats = [7]\n"
    (found,) = mistakes(chats + MARKET)
    assert (found.key, found.line) == ("telegram.chats", 2)
    assert mistakes(chats + MARKET, {"KANGBOT_TELEGRAM__TOKEN": "1:x"}) == ()
    (tmp_path / "token").write_text("1:x")
    (tmp_path / "token").chmod(0o600)
    assert mistakes(f"{chats}token_file = 'token'\n{MARKET}") == ()
    assert mistakes(f"[telegram]\ntoken_file = 'token'\n{MARKET}") == ()
    (missing,) = mistakes(f"{chats}token_file = 'gone'\n{MARKET}")
    assert missing.key == "telegram.token_file"


def test_another_address_is_allowed_with_the_names_it_is_asked_by(read: Read) -> None:
    """Names are compared in lower case; without TCP nothing is to be allowed."""
    settings = read(f"[control]\nhost = '0.0.0.0'\nhosts = ['Bot.Example', '192.0.2.7', '[2001:db8::1]']\n{MARKET}")
    assert settings.control.hosts == ("bot.example", "192.0.2.7", "[2001:db8::1]")
    assert read(f"[control]\nhost = '0.0.0.0'\nport = 0\n{MARKET}").control.port == 0


@pytest.mark.parametrize(
    ("said", "meant"), [("::1", "::1"), ("[::1]", "::1"), ("0:0::1", "::1"), ("127.0.0.2", "127.0.0.2")]
)
def test_the_loopback_is_known_however_it_is_written(read: Read, said: str, meant: str) -> None:
    """Of version 6 as well, with the brackets of an address line or without."""
    assert read(f"[control]\nhost = '{said}'\n{MARKET}").control.host == meant


def test_a_name_of_version_6_has_brackets_as_a_browser_writes_it(read: Read) -> None:
    """And is as short as a browser makes it."""
    hosts = read(f"[control]\nhosts = ['2001:DB8:0::1', '[2001:db8::2]']\n{MARKET}").control.hosts
    assert hosts == ("[2001:db8::1]", "[2001:db8::2]")


def test_the_market_table_must_be_a_table(mistakes: Mistakes) -> None:
    """`markets = 3` is told in the file's own terms."""
    assert "must be [[markets]] tables" in said(mistakes("markets = 3\n"))
    assert "must be a table" in said(mistakes("markets = [3]\n"))


def test_a_configuration_without_a_market_has_nothing_to_do(mistakes: Mistakes) -> None:
    """Also where every market is left alone."""
    assert "no market" in said(mistakes(""))
    assert "no market" in said(mistakes(f"{MARKET}enabled = false\n"))


def test_a_wrong_parameter_of_the_defaults_is_told_once(mistakes: Mistakes) -> None:
    """Twenty-seven markets share one mistake."""
    text = "[defaults]\nparameters = { fst = 5 }\n" + MARKET + MARKET.replace("BTC", "ETH")
    (found,) = mistakes(text)
    assert (found.line, found.key) == (2, "defaults.parameters.fst")
    assert "Did you mean fast?" in found.remedy


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (f'{MARKET}strategy = "mine.py"\n', 3, "markets[0].strategy"),
        (f'[defaults]\nstrategy = "mine.py"\n{MARKET}', 2, "defaults.strategy"),
    ],
)
def test_a_strategy_of_ones_own_is_loaded_from_the_folder_of_the_file(
    mistakes: Mistakes, tmp_path: Path, text: str, line: int, key: str
) -> None:
    """Its mistakes carry the place in its own file."""
    (tmp_path / "mine.py").write_text("raise RuntimeError('on purpose')\n")
    (found,) = mistakes(text)
    assert (found.line, found.key) == (line, key)
    assert f"{tmp_path}/mine.py:1" in found.message
    assert "on purpose" in found.message


def test_a_strategy_that_cannot_be_made_is_a_mistake(mistakes: Mistakes) -> None:
    """Whatever a strategy raises on odd parameters, the configuration is to blame and nothing falls."""
    assert "cannot be made" in said(mistakes(f"{MARKET}parameters = {{ stop_percent = nan }}\n"))


def test_the_longest_parameters_that_ship_are_right(read: Read) -> None:
    """What their table allows is what a market can begin with."""
    table = MARKET + "parameters = { slow = 500 }\n" + MARKET.replace("BTC", "ETH") + 'strategy = "rsi_reversion"\n'
    assert len(read(f"{table}parameters = {{ period = 500 }}\n").trading) == 2


def test_a_strategy_that_looks_back_too_far_is_a_mistake(mistakes: Mistakes, tmp_path: Path) -> None:
    """Told before the start, with its line; of bars that are built here it is only slow to begin."""
    (tmp_path / "far.py").write_text(
        "from kangbot.strategy.ema_cross import EmaCross\nclass Far(EmaCross):\n    name = 'far'\n    lookback = 5001\n"
    )
    text = f'{MARKET}strategy = "far.py:Far"\n'
    (found,) = mistakes(text)
    assert (found.line, found.key) == (3, "markets[0].strategy")
    assert "looks back 5001 bars, and a market begins with at most 5000" in found.message
    assert mistakes(f'{text}timeframe = "30s"\n') == ()


def test_live_needs_encrypted_addresses(mistakes: Mistakes) -> None:
    """Orders with money do not travel in the clear."""
    text = 'mode = "live"\n[live]\ni_understand = "real money"\n[venues.bybit]\nrest_url = "http://api.bybit.com"\n'
    assert "kangbot.toml:5: venues.bybit.rest_url: is not encrypted" in said(mistakes(text + MARKET))
    for harmless in ("https://api.bybit.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"):
        assert "is not encrypted" not in said(mistakes(text.replace("http://api.bybit.com", harmless) + MARKET))


def test_prices_on_paper_may_come_from_a_real_address_by_name(mistakes: Mistakes) -> None:
    """Nobody is hurt by being asked for them; it is the sandbox that asks nobody."""
    text = '[venues.bybit]\nrest_url = "https://api.bybit.com"\n'
    assert mistakes(f'mode = "paper"\n{text}{MARKET}') == ()


# ------------------------------------------------------------------------------------------------ the file itself
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8, not TOML, too large, too deep: each in one message, with its line."""
    missing = tmp_path / "missing.toml"
    binary, broken, deep, digits = (tmp_path / name for name in ("binary", "broken", "deep", "digits"))
    binary.write_bytes(b"mode = 'sandbox'\n\xff\xfe")
    broken.write_text("[defaults\nsize = 5\n")
    deep.write_text("a = " + "[" * 20_000)
    digits.write_text("a = " + "9" * 10_000)
    large = tmp_path / "large"
    large.write_bytes(b"#" * 5_000_000)
    expected = {
        missing: "no such file",
        tmp_path: "is a directory",
        binary: ":2: is not UTF-8",
        broken: ":1: is not TOML",
        deep: "nested too deeply",
        digits: "too large",
        large: "larger than",
        Path("a\0b"): "cannot be read",
    }
    for path, words in expected.items():
        with pytest.raises(ConfigInvalid) as caught:
            load(path, {})
        assert words in caught.value.message


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("mode = paper", "straight quotes"),
        ("mode = “paper”", "straight quotes"),
        ("; a remark", "begins with #"),
        ("mode: 'paper'", "key = value"),
        ("pool_size = 2 // two", "begins with #"),
        ("size = 1,5", "has a point"),
        ('state_dir = "C:\\state"', "single quotes"),
        ("mode = 'paper'\nmode = 'paper'", "each key once"),
        ("[risk]\n[risk]", "each [section] once"),
    ],
)
def test_what_is_not_toml_is_told_with_how_it_is_written(tmp_path: Path, line: str, remedy: str) -> None:
    """Whoever writes a configuration for the first time does not know the format's words."""
    path = tmp_path / "kangbot.toml"
    path.write_text(f"{line}\n{MARKET}")
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    assert remedy in caught.value.problems[0].remedy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\nmode = paper\n", 2, "is not TOML: invalid value at column 8"),
        ("\n\n[risk]\nstop_policy = [1,\n", 5, " at the end of the file"),
        ("a = 1e1001\n", 0, "holds a number too large to be one"),
        ("a = 1e-1001\n", 0, "holds a number too large to be one"),
    ],
)
def test_what_is_not_toml_is_told_with_its_place(tmp_path: Path, text: str, line: int, words: str) -> None:
    """Line and column, or that the file ends too early."""
    path = tmp_path / "kangbot.toml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert problem.line == line
    assert words in problem.message


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """A file edited on another system is still a file."""
    path = tmp_path / "kangbot.toml"
    path.write_bytes(b"\xef\xbb\xbf" + f"mode = 'paper'\n{MARKET}".replace("\n", "\r\n").encode())
    assert load(path, {}).mode == "paper"


def test_the_second_look_is_not_misled_by_what_was_wrong(mistakes: Mistakes) -> None:
    """A rule that would read a wrong key is not asked, so nothing is told that is not so."""
    found = mistakes('mode = "lvie"\n[venues.bybit]\nrest_url = "https://api.bybit.com"\n' + MARKET)
    assert [problem.key for problem in found] == ["mode"]
    found = mistakes("[[markets]]\nsymbol = 5\n")
    assert [problem.key for problem in found] == ["markets[0].symbol"]
