"""When the editor takes an edit on; what that makes of markets is in `market/test_floor_changes.py` and `tests/e2e`."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from kangbot import editing
from kangbot.editing import Editor
from kangbot.errors import ConfigInvalid, Problem
from kangbot.risk.account import AccountRisk
from kangbot.runtime.world import Clock, World
from kangbot.scenario.saved import Bench, NoVersions, SavedFile
from kangbot.settings import Settings
from kangbot.settings.trading import Market, Risk
from kangbot.sim.world.loop import run

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
        floor = SimpleNamespace(markets={}, change=lambda **named: self.changed.append(named), instruments=self._rules)
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
            joined=lambda _market: None,
            bench=Bench,
        )

    async def _rules(self, _symbols: object) -> dict[str, object]:
        return {}

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
