"""How settings must fit together, each of which is right by itself."""

from pathlib import Path

import pytest

from .conftest import MARKET, Mistakes, Read, said

BINANCE = f'{MARKET}venue = "binance_usdm"\n'


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


def test_a_configuration_without_a_market_has_nothing_to_do(mistakes: Mistakes) -> None:
    """Also where every market is left alone."""
    assert "no market" in said(mistakes(""))
    assert "no market" in said(mistakes(f"{MARKET}enabled = false\n"))


def test_live_needs_encrypted_addresses(mistakes: Mistakes) -> None:
    """Orders with money do not travel in the clear."""
    text = 'mode = "live"\n[live]\ni_understand = "real money"\n[venues.bybit]\nrest_url = "http://api.bybit.com"\n'
    assert "kangbot.toml:5: venues.bybit.rest_url: is not encrypted" in said(mistakes(text + MARKET))
    for harmless in ("https://api.bybit.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"):
        assert "is not encrypted" not in said(mistakes(text.replace("http://api.bybit.com", harmless) + MARKET))


def test_the_address_of_the_simulated_exchange_may_stay_in_the_file_of_a_real_one(mistakes: Mistakes) -> None:
    """It may be on another machine, in plain text: no other mode asks there."""
    text = 'mode = "live"\n[live]\ni_understand = "real money"\n[venues.bybit]\nsandbox_url = "http://10.0.0.5:8790"\n'
    assert "is not encrypted" not in said(mistakes(text + MARKET))


def test_prices_on_paper_may_come_from_a_real_address_by_name(mistakes: Mistakes) -> None:
    """Nobody is hurt by being asked for them; it is the sandbox that asks nobody."""
    text = '[venues.bybit]\nrest_url = "https://api.bybit.com"\n'
    assert mistakes(f'mode = "paper"\n{text}{MARKET}') == ()


def test_binance_is_data_only(mistakes: Mistakes) -> None:
    """In every other mode that is one mistake, at the venue's line, with what to write."""
    for mode in ("sandbox", "testnet", "live"):
        (found,) = mistakes(
            f'mode = "{mode}"\n[defaults]\nvenue = "binance_usdm"\n{MARKET}{MARKET.replace("BTC", "ETH")}'
        )
        assert (found.key, found.line) == ("defaults.venue", 3)
        assert "data only" in found.message
        assert 'mode = "paper"' in found.remedy
    (found,) = mistakes(BINANCE)
    assert (found.key, found.line) == ("markets[0].venue", 3)


def test_binance_has_no_spot(mistakes: Mistakes) -> None:
    """The remedy is the perpetual's symbol."""
    (found,) = mistakes('mode = "paper"\n' + BINANCE.replace("BTC/USDT:USDT", "BTC/USDT"))
    assert found.remedy == "Write BTC/USDT:USDT."


def test_a_daemon_trades_at_one_venue(mistakes: Mistakes) -> None:
    """The first market's venue is the daemon's; the others are told, each at its line."""
    text = f'mode = "paper"\n{MARKET}{BINANCE.replace("BTC", "ETH")}'
    (found,) = mistakes(text)
    assert (found.key, found.line) == ("markets[1].venue", 6)
    assert "ETH/USDT:USDT is at binance_usdm" in found.message
    assert "state_dir" in found.remedy


@pytest.mark.parametrize(
    ("mode", "symbols", "wrong"),
    [
        ("sandbox", ("BTC/USDT:USDT", "ETH/BTC", "BTC/USDC:USDC", "SOL/USDC"), ["ETH/BTC"]),
        ("sandbox", ("ETH/BTC", "SOL/BTC"), []),
        ("sandbox", ("ETH/EUR", "ETH/USDT"), ["ETH/USDT"]),
        ("paper", ("ETH/BTC", "BTC/USDC:USDC"), ["ETH/BTC"]),
    ],
)
def test_markets_count_in_one_money(mistakes: Mistakes, mode: str, symbols: tuple[str, ...], wrong: list[str]) -> None:
    """Limits and losses are one sum over all of them; a dollar is one, whoever issued it."""
    found = mistakes(f'mode = "{mode}"\n' + "".join(MARKET.replace("BTC/USDT:USDT", symbol) for symbol in symbols))
    assert [one.key for one in found] == [f"markets[{symbols.index(symbol)}].symbol" for symbol in wrong]
    assert all("would be summed as if they were one money" in one.message for one in found)
    left = MARKET.replace("BTC/USDT:USDT", "ETH/BTC") + "enabled = false\n"
    assert mistakes(f'mode = "{mode}"\n{left}{MARKET}') == (), "one that is left alone counts in nothing"


def test_the_simulated_exchange_is_not_the_real_one(mistakes: Mistakes) -> None:
    """A mode that can hurt nobody asks nobody who could be hurt."""
    (found,) = mistakes(f'[venues.bybit]\nsandbox_url = "https://api.bybit.com"\n{MARKET}')
    assert (found.key, found.line) == ("venues.bybit.sandbox_url", 2)


@pytest.mark.parametrize(
    ("name", "url"),
    [("rest_url", "https://api.bybit.kz"), ("ws_private_url", "wss://stream.bybit.com/v5/private")],
)
def test_a_testnet_is_not_the_real_one(mistakes: Mistakes, name: str, url: str) -> None:
    """An address that was meant for money trades with it whatever the mode is called: there is no second switch."""
    keys = {"KANGBOT_VENUES__BYBIT__KEY": "k", "KANGBOT_VENUES__BYBIT__SECRET": "s"}
    text = f'mode = "testnet"\n[venues.bybit]\n{name} = "{url}"\n{MARKET}'
    (found,) = mistakes(text, keys)
    assert (found.key, found.line) == (f"venues.bybit.{name}", 3)
    assert "is the real exchange" in found.message
    live = text.replace('mode = "testnet"', 'mode = "live"\nlive.i_understand = "real money"')
    assert mistakes(live, keys) == ()


def test_a_testnet_may_be_named_and_so_may_prices_of_the_real_one(mistakes: Mistakes) -> None:
    """A country's testnet, Bybit's demo account, whose prices are the real ones, or a server of one's own."""
    keys = {"KANGBOT_VENUES__BYBIT__KEY": "k", "KANGBOT_VENUES__BYBIT__SECRET": "s"}
    for url in ("https://api-testnet.bybit.kz", "https://api-demo.bybit.com", "http://127.0.0.1:1"):
        addresses = f'rest_url = "{url}"\nws_public_url = "wss://stream.bybit.com/v5/public"\n'
        assert mistakes(f'mode = "testnet"\n[venues.bybit]\n{addresses}{MARKET}', keys) == ()


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[supervision]\nfirst_wait_s = 90\n", "supervision.first_wait_s", "longer than longest_wait_s"),
        ("[feeds]\nquote_most_s = 3\n", "feeds.quote_most_s", "below quote_least_s, 4"),
        ("[risk]\ntotal_notional = 10\n", "risk.total_notional", "below market_notional"),
        ("[risk]\nmarket_notional = 20\n", "risk.market_notional", "no entry would pass"),
        ("[control]\nsocket = '/" + "x" * 120 + "'\n", "control.socket", "longer than 107 bytes"),
        ("[control]\nhost = '0.0.0.0'\n", "control.host", "list the names in [control] hosts"),
        ("[control]\nhost = '::'\n", "control.host", "list the names in [control] hosts"),
        ("[control]\nhost = '127.example.org'\n", "control.host", "is not of the loopback"),
        ("[venues.bybit]\nrest_url = 'https://api.bybit.com'\n", "venues.bybit.rest_url", "is the real exchange"),
        (
            "[venues.bybit]\nrest_url = 'https://bytick.com'\n",
            "venues.bybit.rest_url",
            "is the real exchange (bytick.com)",
        ),
        ("[venues.bybit]\nrest_url = 'https://api.bybit.ae'\n", "venues.bybit.rest_url", "is the real exchange"),
        ("[venues.bybit]\nws_private_url = 'wss://stream.manepa.jp'\n", "venues.bybit.ws_private_url", "is the real"),
        ("[database]\nurl = 'postgres://u@h/d'\n", "database.url", "mysql://user:password@host:3306/name"),
        ("[database]\nurl = 'mysql://u@h:x/d'\n", "database.url", "host or port cannot be read"),
        ("[database]\nurl = 'mysql://u@h/d?ssl_ca=/x'\n", "database.url", "option ssl_ca. Did you mean ssl-ca?"),
        ("mode = 'live'\n", "mode", '[live] i_understand = "real money"'),
    ],
)
def test_what_does_not_fit_is_told_with_what_to_do(mistakes: Mistakes, text: str, key: str, words: str) -> None:
    """By the key that is to be changed, on its line; one mistake is told as one."""
    (found,) = [problem for problem in mistakes(text + MARKET) if problem.key == key]
    assert words in str(found)
    assert found.line
