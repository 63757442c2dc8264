"""A configuration is edited under a daemon that trades: what changed is taken on, and what is wrong hurts nobody."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kangbot.health.report import Report
from tests.support.processes import CONFIG, MARKETS, World
from tests.support.steady import Steady

pytestmark = pytest.mark.process


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange, and a daemon whose markets are live."""
    world = World(tmp_path, seed=7)
    try:
        world.start()
        world.live()
        yield world
    finally:
        world.close()


def save(world: World, text: str) -> None:
    """Save as editors do: a new file in the old one's place."""
    fresh = world.config.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(world.config)


def test_a_market_that_went_silent_keeps_no_edit_out(tmp_path: Path) -> None:
    """A daemon that is not ready for a delisted market's sake has to take the edit that removes it."""
    world = World(tmp_path, seed=7)
    bounds = "[health]\nfeed_warning_s = 3\nfeed_critical_s = 3\n"
    world.config.write_text(CONFIG + bounds)
    try:
        world.start()
        world.live()
        world.sandbox.fault({"fault": "mute_topic", "topic": "orderbook.1.DOGEUSDT"})
        world.until(lambda report: any((market.feed_age_s or 0) > 4 for market in report.markets))
        save(world, without("DOGE").replace("daily_loss = 100000", "daily_loss = 90000") + bounds)
        report = world.until(lambda report: bool(report.config.problem) or states(report)["DOGE"] == "stopped")
        assert not report.config.problem
    finally:
        world.close()


def states(report: Report) -> dict[str, str]:
    """Return the markets' run states by base currency."""
    return {market.symbol.partition("/")[0]: market.state for market in report.markets}


def without(base: str) -> str:
    """Return the configuration without a market."""
    return CONFIG.replace(f'[[markets]]\nsymbol = "{base}/USDT:USDT"\n', "")


def test_an_edit_is_taken_on_market_by_market(world: World) -> None:
    """Markets leave and are back, parameters and sizes change, limits hold, and what cannot be is said."""
    save(world, without("DOGE").replace("fast = 2", "fast = 3").replace("daily_loss = 100000", "daily_loss = 90000"))
    report = world.until(lambda report: states(report)["DOGE"] == "stopped")
    world.until(lambda report: report.live == len(MARKETS) - 1 and report.config.version == 2)
    assert report.total == len(MARKETS) - 1
    save(world, CONFIG.replace("size = 500", "size = 300") + '[logs]\nlevel = "debug"\n')
    report = world.until(lambda report: report.live == len(MARKETS) and report.config.version == 3)
    assert report.config.restart == ["logs.level: info → debug"]
    assert not report.config.problem
    assert sorted(path.name[:4] for path in (world.state / "config").iterdir()) == ["0001", "0002", "0003"]
    before = report.orders.filled
    world.orders(more_than=before)


def test_a_wrong_file_changes_nothing_and_is_told_once(world: World) -> None:
    """The daemon says file, line and key; once the file is right again, it says that too."""
    wrong = CONFIG.replace("size = 500", "size = -1").replace("BTC/", "BTX/")
    save(world, wrong)
    report = world.until(lambda report: bool(report.config.problem))
    line = wrong[: wrong.index("size = -1")].count("\n") + 1
    assert f"{world.config}:{line}: defaults.size" in report.config.problem
    assert report.live == len(MARKETS)
    assert not report.errors, "a mistake of the operator's is none of the feeds"
    time.sleep(3)
    log = (world.folder / "daemon.log").read_text()
    assert log.count("config.invalid") == 1
    (aside,) = (world.state / "config").glob("kangbot.toml.corrupted.*")
    assert aside.read_text() == world.config.read_text() == wrong, "a copy: the person's file is where it was"
    world.kangbot("kill")
    assert world.client.report().killed, "nobody mends a typo first in an emergency"
    assert f"the configuration's file is not taken: {world.config}:{line}: defaults.size" in world.kangbot("status")
    save(world, CONFIG)
    world.until(lambda report: not report.config.problem)


def test_a_symbol_that_the_venue_does_not_trade_refuses_the_whole_edit(world: World) -> None:
    """Nothing of the edit is applied, the size beside it neither."""
    save(world, CONFIG.replace("size = 500", "size = 300") + '[[markets]]\nsymbol = "NOPE/USDT:USDT"\n')
    report = world.until(lambda report: bool(report.config.problem))
    assert "bybit does not trade NOPE/USDT:USDT" in report.config.problem
    assert report.config.version == 1
    assert report.total == len(MARKETS)


def test_sighup_reads_the_file_at_once(world: World) -> None:
    """What a service manager's reload sends."""
    save(world, without("XRP"))
    os.kill(world.daemon.pid, signal.SIGHUP)
    world.until(lambda report: states(report)["XRP"] == "stopped" and report.config.version == 2)


def own_strategy(world: World, fault: str) -> Path:
    """Name a strategy of the user's own that ends by `fault` for as long as the file returned is there."""
    there = world.folder / "there"
    there.touch()
    (world.folder / "own.py").write_text(
        "import os, pathlib, sys\nfrom kangbot.strategy.ema_cross import EmaCross\n"
        f"there = pathlib.Path({str(there)!r})\nif there.exists():\n    {fault}\n"
        "class Own(EmaCross):\n    name = 'own'\n"
    )
    save(world, CONFIG.replace('strategy = "ema_cross"', 'strategy = "own.py"'))
    return there


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("os._exit(137)", "could not be checked (exit code 137)"),
        ("assert 'settings' in sys.argv[0], 'half of it'", "half of it"),
    ],
    ids=["what-reads-it-is-killed", "only-the-daemon-cannot-load-it"],
)
def test_an_edit_of_which_nothing_is_known_is_read_again_by_itself(world: World, fault: str, words: str) -> None:
    """Nobody saves twice what was not wrong; a strategy may be saved between its being found right and being loaded."""
    there = own_strategy(world, fault)
    report = world.until(lambda report: bool(report.config.problem))
    assert words in report.config.problem
    assert (report.live, report.config.version) == (len(MARKETS), 1)
    assert not list((world.state / "config").glob("*.corrupted.*")), "nobody knows that it is wrong"
    there.unlink()
    world.until(lambda report: report.config.version == 2 and not report.config.problem)


def test_an_edit_that_takes_long_to_read_is_answered_in_time(world: World) -> None:
    """A strategy whose import does not end: who asked for it is told, others are answered, and it goes on."""
    there = own_strategy(world, "while there.exists(): pass")
    begun = time.time()
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(world.client.tell("/config/reload")))
    asking.start()
    looks = []
    with Steady() as steady:
        while asking.is_alive():
            began = time.time()
            assert not {"failed", "stopped"} & {*states(world.client.report()).values()}
            looks.append(steady.since(began, time.time()))
            time.sleep(0.3)
        assert steady.since(begun, time.time()) < 30
    assert len(looks) > 5
    assert sorted(looks)[len(looks) // 2] < 1.0, looks
    assert "is still being read" in answers[0]["waiting"]
    assert (answers[0]["applied"], answers[0]["problems"]) == ([], [])
    world.live()
    world.decided(bars=2)  # every market, while the file is still being read
    there.unlink()
    world.until(lambda report: report.config.version == 2 and not report.config.problem)
