"""What an edit means for a daemon that runs."""

from kangbot.settings.change import difference
from tests.unit.settings.conftest import Mistakes, Read

BASE = """
[defaults]
size = 50
[defaults.parameters]
fast = 3
[risk]
daily_loss = 100
[[markets]]
symbol = "BTC/USDT:USDT"
[[markets]]
symbol = "ETH/USDT:USDT"
"""
SOL = '[[markets]]\nsymbol = "SOL/USDT:USDT"\n'


def test_the_same_file_changes_nothing(read: Read) -> None:
    """Saving without an edit does nothing."""
    change = difference(read(BASE), read(BASE))
    assert not change.applied
    assert not change.restart
    assert change.settings == read(BASE)


def test_markets_join_and_leave(read: Read) -> None:
    """By table, and by `enabled`."""
    joined = difference(read(BASE), read(BASE + SOL))
    assert [market.id for market in joined.joins] == ["bybit:SOL-USDT:USDT"]
    left = difference(read(BASE + SOL), read(BASE + SOL + "enabled = false\n"))
    assert left.leaves == ("bybit:SOL-USDT:USDT",)
    assert left.applied == ("bybit:SOL-USDT:USDT: leaves; its position keeps its stop",)


def test_a_markets_change_says_when(read: Read) -> None:
    """Parameters at the next bar, size at the next entry; the other market is not touched."""
    change = difference(read(BASE), read(BASE + "timeframe = '5m'\nsize = 70\n"))
    assert change.applied == (
        "bybit:ETH-USDT:USDT: timeframe: 1m → 5m at the next bar; size: 50 → 70 at the next entry",
    )
    assert not change.changes[0].decides_otherwise
    orders = difference(read(BASE), read(BASE + "entry_order = 'limit'\norder_patience_s = 30\n"))
    assert orders.applied == (
        "bybit:ETH-USDT:USDT: entry_order: market → limit, order_patience_s: 10 → 30 at the next entry",
    )
    everywhere = difference(read(BASE), read(BASE.replace("fast = 3", "fast = 4")))
    assert [one.decides_otherwise for one in everywhere.changes] == [True, True]


def test_limits_hold_at_once(read: Read) -> None:
    """A limit of the account needs no restart."""
    change = difference(read(BASE), read(BASE.replace("daily_loss = 100", "daily_loss = 70")))
    assert change.applied == ("risk.daily_loss: 100 → 70 at once",)
    assert change.settings.risk.daily_loss == 70


def test_what_waits_for_a_restart_stays_as_it_runs(read: Read) -> None:
    """It is said with both values, and said again at the next edit."""
    edited = BASE.replace("[risk]", "[risk]\nstop_policy = 'retry'") + "[logs]\nlevel = 'debug'\n"
    change = difference(read(BASE), read('mode = "paper"\n' + edited))
    assert change.restart == ("mode: sandbox → paper", "logs.level: info → debug", "risk.stop_policy: close → retry")
    assert change.settings == read(BASE)
    assert difference(change.settings, read('mode = "paper"\n' + edited)).restart == change.restart


def test_secrets_are_not_shown(read: Read) -> None:
    """That a secret changed is said, its value is not."""
    before = read(BASE, {"KANGBOT_DATABASE__URL": "mysql://u:first@h/d"})
    after = read(BASE, {"KANGBOT_DATABASE__URL": "mysql://u:second@h/d"})
    assert difference(before, after).restart == ("database.url: *** → ***",)
    assert difference(read(BASE), after).restart == ("database.url: None → ***",)


def test_another_venue_waits_with_its_markets(read: Read) -> None:
    """Nobody can trade the new venue's markets here."""
    other = read('mode = "paper"\n' + BASE.replace("[defaults]", '[defaults]\nvenue = "binance_usdm"'))
    change = difference(read('mode = "paper"\n' + BASE), other)
    assert change.restart == ("the venue: bybit → binance_usdm, with its markets",)
    assert not change.applied


def test_limits_count_in_the_money_of_the_start(read: Read) -> None:
    """Equity, its highest and the day's loss are amounts of it: where another coin comes first, that waits."""
    dollars = BASE.replace("BTC/USDT:USDT", "BTC/USDC:USDC")
    words = "the money that limits count in: USDT → USDC"
    change = difference(read(BASE), read(dollars))
    assert change.restart == (words,)
    assert [market.id for market in change.joins] == ["bybit:BTC-USDC:USDC"], "worth the same: it is traded at once"
    again = difference(change.settings, read(dollars + "size = 70\n"), limits_in="USDT")
    assert again.restart == (words,), "told again until the restart"
    back = difference(change.settings, read(BASE), limits_in="USDT")
    assert not back.restart
    alone = difference(read(dollars), read(BASE + "enabled = false\n" + SOL), limits_in="USDT")
    assert not alone.restart


def test_another_money_waits_with_its_markets(read: Read) -> None:
    """A size of 50 BTC would be judged by limits in USDT."""
    coins = BASE.replace("BTC/USDT:USDT", "ETH/BTC").replace("ETH/USDT:USDT", "SOL/BTC")
    change = difference(read(BASE), read(coins.replace("daily_loss = 100", "daily_loss = 70")))
    assert change.restart == ("the money that limits count in: USDT → BTC, with its markets",)
    assert change.applied == ("risk.daily_loss: 100 → 70 at once",)


def test_a_number_beyond_every_amount_is_a_mistake_at_once(mistakes: Mistakes) -> None:
    """Made an integer, it would keep the reader busy for ever."""
    for key in ("leverage", "size"):
        (problem,) = mistakes(BASE + f"{key} = 1e999999999999\n")
        assert problem.message == "holds a number too large to be one"
