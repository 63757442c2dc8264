"""When the editor takes an edit on; what that makes of markets is in `market/test_floor_changes.py` and `tests/e2e`."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from kangbot import editing
from kangbot.editing import Editor
from kangbot.errors import ConfigInvalid, Problem, Refused, Retryable
from kangbot.model.ids import MarketId
from kangbot.model.market import Instrument
from kangbot.risk.account import AccountRisk
from kangbot.runtime.world import Clock, World
from kangbot.scenario.saved import Bench, NoVersions, SavedFile
from kangbot.settings import Settings
from kangbot.settings.trading import Market, Risk
from kangbot.sim.world.loop import run
from tests.support.trade_words import MARKET, instrument

BEGUN = Settings(markets=(Market(symbol="BTC/USDT:USDT"),))
TIGHTER = replace(BEGUN, risk=Risk(market_notional=Decimal(7)))
WRONG = ConfigInvalid((Problem(message="is not TOML"),))


class Story:
    """An editor of a file in memory. `held` is why nothing can be changed."""

    def __init__(self) -> None:
        self.held = ""
        self.notes: list[str] = []
        self.file = SavedFile(BEGUN)
        self.risk = AccountRisk(BEGUN.risk.limits)
        self.changed: list[dict[str, Any]] = []
        self.listed: dict[str, Instrument] = {}
        self.away: Exception | None = None
        self.answers = asyncio.Event()  # the venue does
        self.answers.set()
        self.questions = 0
        self.joined: list[MarketId] = []
        floor = SimpleNamespace(markets={}, change=self._change, instruments=self._rules, unlisted=[])
        self.floor = floor
        self.editor = Editor(
            saved=self.file.read(),
            file=self.file,
            versions=NoVersions(BEGUN.state_dir),
            world=World(clock=Clock(lambda: 0, 0), seed=b"editor"),
            floor=floor,  # type: ignore[arg-type]  # what of it is asked for
            risk=self.risk,
            hold=lambda: self.held,
            note=lambda kind, *_: self.notes.append(kind),
            learnt=lambda _settings: None,
            joined=self.joined.append,
            bench=Bench,
        )

    def _change(self, **named: Any) -> None:
        self.changed.append(named)
        self.floor.markets.update({spec.market: SimpleNamespace(wanted=spec) for spec, _ in named["joins"]})

    async def _rules(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        self.questions += 1
        await self.answers.wait()
        if self.away is not None:
            raise self.away
        return {symbol: rules for symbol, rules in self.listed.items() if symbol in symbols}

    @property
    def joins(self) -> list[tuple[str, Instrument]]:
        """The markets that joined, with their rules."""
        return [(spec.symbol, rules) for named in self.changed for spec, rules in named["joins"]]

    @property
    def limit(self) -> Decimal | None:
        """The limit that holds."""
        return self.risk.limits.market_notional


def play(story: Coroutine[Any, Any, None]) -> None:
    """Run it in virtual time."""
    run(story)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "log", SimpleNamespace(**dict.fromkeys(("info", "warning", "error"), _unheard)))


def _unheard(_event: str, **_fields: object) -> None:
    pass


def test_an_edit_that_is_refused_as_the_daemon_begins_is_taken_on_once_it_has_begun() -> None:
    """Nobody saves the file a second time, or sends another SIGHUP, because the first came early."""

    async def story() -> None:
        told = Story()
        running = asyncio.ensure_future(told.editor.run())
        told.held = "the venue has not answered yet"
        told.file.save(TIGHTER)
        told.editor.ask("SIGHUP")
        await asyncio.sleep(10)
        assert told.limit == BEGUN.risk.market_notional
        assert "the venue has not answered yet" in told.editor.report().problem
        told.held = ""
        await asyncio.sleep(5)
        assert told.limit == 7
        assert told.editor.report().problem == ""
        assert told.notes == ["config.invalid", "config.settled", "config.applied"]
        running.cancel()

    play(story())


def test_a_file_with_a_mistake_is_told_of_once_and_left_until_it_is_put_right() -> None:
    """What runs goes on meanwhile."""

    async def story() -> None:
        told = Story()
        running = asyncio.ensure_future(told.editor.run())
        told.file.save(TIGHTER, WRONG)
        await asyncio.sleep(20)
        assert told.limit == BEGUN.risk.market_notional
        assert told.notes == ["config.invalid"]
        told.file.mend()
        await asyncio.sleep(5)
        assert told.limit == 7
        running.cancel()

    play(story())


def test_a_market_that_the_venue_lists_later_joins_by_itself() -> None:
    """It was closed for a while as the daemon began, and may hold a position that nobody looks after meanwhile."""

    async def story() -> None:
        told = Story()
        running = asyncio.ensure_future(told.editor.run())
        await asyncio.sleep(700)
        assert (told.questions, told.joins) == (1, [])
        assert told.editor.report().unlisted == [], "no market has begun, so the venue's list is not known"
        told.floor.markets["bybit:ETH-USDT:USDT"] = SimpleNamespace()
        assert told.editor.report().unlisted == ["BTC/USDT:USDT"]
        told.away = Retryable("the venue does not answer")
        await asyncio.sleep(600)
        told.away, told.listed = None, {"BTC/USDT:USDT": instrument()}
        told.held = "the daemon is stopping"
        await asyncio.sleep(600)
        assert (told.questions, told.joins) == (2, [])
        told.held = ""
        await asyncio.sleep(600)
        assert told.joins == [("BTC/USDT:USDT", instrument())]
        assert told.joined == [MARKET]
        assert told.editor.report().unlisted == []
        told.floor.unlisted = ["BTC/USDT:USDT"]
        assert told.editor.report().unlisted == ["BTC/USDT:USDT"], "one that is delisted while it runs is told as well"
        assert told.notes == ["market.listed"]
        await asyncio.sleep(6000)
        assert told.questions == 3, "there is nothing left to ask for"
        running.cancel()

    play(story())


def test_a_market_that_the_venue_lists_by_now_joins_as_the_file_is_read() -> None:
    """Whoever sends SIGHUP for it is told that it was of use."""

    async def story() -> None:
        told = Story()
        told.listed = {"BTC/USDT:USDT": instrument()}
        answer = await told.editor.reload("SIGHUP")
        assert answer.applied == ["bybit:BTC-USDT:USDT: joins, for the venue lists it by now"]
        assert told.joined == [MARKET]
        assert told.notes == ["market.listed", "config.applied"]
        assert (await told.editor.reload("SIGHUP")).applied == []

    play(story())


def test_whoever_asks_is_told_what_became_of_it_or_that_it_goes_on() -> None:
    """And is told so in time, whatever it waits for: what becomes of it then is an event."""

    async def story() -> None:
        told = Story()
        running = asyncio.ensure_future(told.editor.run())
        told.file.save(TIGHTER)
        assert (await told.editor.reload_within("ann", 10)).applied
        told.answers.clear()
        told.listed = {"BTC/USDT:USDT": instrument()}
        asking = [asyncio.ensure_future(told.editor.reload_within("ann", within_s)) for within_s in (10, 30)]
        slow = await asking[0]
        assert (slow.applied, slow.problems) == ([], [])
        assert "is still being read, or the venue asked about it, after 10 s" in slow.waiting
        assert told.joined == []
        told.answers.set()
        assert (await asking[1]).applied == ["bybit:BTC-USDT:USDT: joins, for the venue lists it by now"]
        running.cancel()

    play(story())


def test_whoever_asks_is_not_left_without_an_answer() -> None:
    """By a fault of ours, which is theirs to hear of too, or by the end."""

    async def story() -> None:
        told = Story()
        running = asyncio.ensure_future(told.editor.run())
        told.away = ZeroDivisionError("a bug")
        with pytest.raises(ZeroDivisionError):
            await told.editor.reload_within("ann", 10)
        with pytest.raises(ZeroDivisionError):  # whoever keeps it going begins it again
            await running
        running = asyncio.ensure_future(told.editor.run())
        told.answers.clear()
        asking = asyncio.ensure_future(told.editor.reload_within("ann", 10))
        await asyncio.sleep(1)
        running.cancel()
        with pytest.raises(Refused, match="the daemon is stopping"):
            await asking

    play(story())
