"""What a daemon answers before its markets are there, and once it ends: what would be lost is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from kangbot.app.answers import Answers, _clock_report, _orders
from kangbot.app.life import App
from kangbot.errors import Refused
from kangbot.health.report import OrderCounts
from kangbot.logs import Masker
from kangbot.machines.offset import Estimate
from kangbot.market.naming import UnknownMarketError
from kangbot.market.roster import Command
from kangbot.model.events import Lane
from kangbot.model.ids import MarketId
from kangbot.runtime.world import real_world
from kangbot.scenario.saved import SavedFile
from kangbot.settings import Settings
from kangbot.settings.daemon import Control
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Market
from kangbot.settings.venues import Bybit, Venues
from kangbot.storage.migrate import upgrade
from kangbot.storage.url import SqliteUrl
from tests.support.reporting import a_market

BTC = MarketId("bybit:BTC-USDT:USDT")
SECRET = "canary-9f3c"
COMMANDS: dict[str, Callable[[Answers], object]] = {
    "command": lambda answers: answers.command(BTC, Command.START, "ann"),
    "start all": lambda answers: answers.command_all(Command.START, "ann"),
    "stop all": lambda answers: answers.command_all(Command.STOP, "ann"),
    "reset": lambda answers: answers.reset_breaker(BTC, None, "ann"),
    "isolate": lambda answers: answers.isolate(BTC, Lane.ENTRY, "ann"),
    "retry": lambda answers: answers.force_retry(BTC, "ann"),
    "reset drawdown": lambda answers: answers.reset_drawdown("ann"),
}
AWAITED: dict[str, Callable[[Answers], Awaitable[object]]] = {
    "release market": lambda answers: answers.release_market(BTC, "ann"),
    "reload": lambda answers: answers.reload_config("ann"),
}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """A daemon that has begun, has no market yet, and is told to trade two of three."""
    symbols = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
    markets = tuple(Market(symbol=symbol, enabled=symbol != symbols[1]) for symbol in symbols)
    bybit = Bybit(sandbox_url="http://127.0.0.1:1", key=Secret(SECRET), secret=Secret(SECRET))
    settings = replace(
        Settings(markets=markets, venues=Venues(bybit=bybit)), state_dir=tmp_path / "state", control=Control(port=0)
    )
    upgrade(SqliteUrl(path=settings.state_dir / "history.sqlite"))
    file = SavedFile(settings)
    app = App(file, file.read(), real_world(), lambda _: None, Masker(settings.secrets))
    async with app:
        yield app


async def refusal(answers: Answers, name: str) -> str:
    """Return why the command is refused."""
    with pytest.raises(Refused) as refused:
        _ = COMMANDS[name](answers) if name in COMMANDS else await AWAITED[name](answers)
    return refused.value.message


async def test_what_nobody_would_hear_is_refused(app: App) -> None:
    """Before there are markets, which would begin all the same, and at the end, with its reason."""
    names = [*COMMANDS, *AWAITED]
    early = {name: await refusal(app.answers, name) for name in names}
    assert [name for name in names if "the markets are being prepared" not in early[name]] == []
    lost = [name for name in names if early[name].startswith("no market is there yet, and nothing was done: ")]
    assert [name for name in names if name not in lost] == ["reset drawdown", "reload"]
    assert all("`kangbot kill` holds every entry" in early[name] for name in lost)
    app._ending.wish()
    late = {name: await refusal(app.answers, name) for name in names}
    assert [name for name in names if not late[name].startswith("the daemon is stopping")] == []


async def test_the_kill_switch_is_set_at_any_time(app: App) -> None:
    """Whatever has not begun; it is in each answer from then on."""
    answers = app.answers
    assert (await answers.kill("news", "ann", flatten=False)).killed == "news"
    assert answers.report().killed == "news"
    assert "news" in answers.headline()
    assert (await answers.release("ann")).killed == ""
    assert answers.report().killed == ""


async def test_markets_are_those_that_are_to_be_traded(app: App) -> None:
    """Until there are some; one that is left alone is none of them, and no other name is."""
    answers = app.answers
    assert list(answers.names()) == [BTC, "bybit:SOL-USDT:USDT"]
    assert (answers.report().total, answers.report().live) == (2, 0)
    with pytest.raises(UnknownMarketError):
        answers.latency(MarketId("bybit:ADA-USDT:USDT"))


async def test_whoever_only_looks_shares_a_report(app: App) -> None:
    """And the judgement of it; whoever asks for the report of now gets it, and the others with them."""
    answers = app.answers
    shared = answers.lately()
    assert answers.lately() is shared
    assert answers.health() is answers.health()
    fresh = answers.report()
    assert fresh is not shared
    assert answers.lately() is fresh


async def test_the_configuration_is_shown_without_a_secret(app: App) -> None:
    """As it is traded by."""
    said = app.answers.config()
    assert SECRET not in str(said)
    assert said["mode"] == "sandbox"


async def test_a_daemon_that_ends_is_not_stuck(app: App) -> None:
    """What is being taken down makes no progress, and whoever watches would end it half-way."""
    app._vitals.register("roster", 0, done=lambda: 0, waiting=lambda: True)
    async with asyncio.timeout(120):
        while not app.answers.stuck():
            await asyncio.sleep(0.05)
    app._ending.wish()
    assert app.answers.stuck() == ""


def test_a_clock_that_was_not_measured_is_no_clock_that_is_right() -> None:
    """In milliseconds, to the microsecond."""
    assert _clock_report(None) == {"offset": None, "uncertainty": None}
    known = _clock_report(Estimate(offset_ns=-1_234_567, uncertainty_ns=500_400))
    assert known == {"offset": -1.235, "uncertainty": 0.5}


def test_orders_are_those_of_every_market() -> None:
    """And none twice."""
    one = a_market(orders=OrderCounts(sent=3, filled=2), price=Decimal(1))
    total = _orders([one, a_market("ETH", orders=OrderCounts(sent=1, rejected=1))])
    assert (total.sent, total.filled, total.rejected) == (4, 2, 1)
    assert one.orders.sent == 3
