"""Commands to a running daemon: each arrives as what was typed, for the market that was named."""

from collections.abc import Awaitable, Callable

import pytest
from typer.testing import Result

from kangbot.market.roster import Command
from kangbot.model.ids import MarketId
from tests.support.control_desk import MARKET, Served

Type = Callable[..., Awaitable[Result]]
CALLER = "control socket"


@pytest.mark.parametrize("command", list(Command))
async def test_a_market_is_told_what_was_typed(served: Served, typed: Type, command: Command) -> None:
    """Start, stop, pause, resume; where it stands then is the answer."""
    done = await typed(command.value, MARKET)
    assert (done.exit_code, done.stdout.partition(":")[0]) == (0, MARKET.partition(":")[0])
    assert served.desk.obeyed == [(MARKET, command, CALLER)]


@pytest.mark.parametrize(("typed_word", "command"), [("start-all", Command.START), ("stop-all", Command.STOP)])
async def test_every_market_is_told(served: Served, typed: Type, typed_word: str, command: Command) -> None:
    """By one command."""
    assert (await typed(typed_word)).exit_code == 0
    assert served.desk.obeyed == [(command, CALLER)]


@pytest.mark.parametrize(
    ("words", "obeyed"),
    [
        (("retry", MARKET), ("retry", MARKET, CALLER)),
        (("reset", MARKET), ("reset", MARKET, None, CALLER)),
        (("reset", MARKET, "--lane", "exit"), ("reset", MARKET, "exit", CALLER)),
        (("isolate", MARKET), ("isolate", MARKET, "entry", CALLER)),
        (("isolate", MARKET, "--lane", "data"), ("isolate", MARKET, "data", CALLER)),
        (("kill",), ("kill", "", False, CALLER)),
        (("kill", "--reason", "news", "--flatten"), ("kill", "news", True, CALLER)),
        (("release",), ("release", CALLER)),
        (("release", MARKET), ("release", MARKET, CALLER)),
        (("reset-drawdown",), ("reset drawdown", CALLER)),
    ],
)
async def test_breakers_and_switches_are_told_with_their_options(
    served: Served, typed: Type, words: tuple[str, ...], obeyed: tuple[object, ...]
) -> None:
    """And nothing else is: a lane that is not named is none of the others."""
    assert (await typed(*words)).exit_code == 0
    assert served.desk.obeyed == [obeyed]


async def test_a_market_that_is_not_there_is_a_failure(served: Served, typed: Type) -> None:
    """Whichever command it is."""
    for command in ("start", "reset", "isolate", "retry", "release"):
        done = await typed(command, MarketId("v:B"))
        assert (done.exit_code, done.stdout) == (1, "")
        assert "no market 'v:B' runs here" in done.stderr
    assert served.desk.obeyed == []


async def test_who_resumes_a_market_that_is_stopped_is_told_what_starts_it(served: Served, typed: Type) -> None:
    """Others are told nothing of it."""
    assert "kangbot start" in (await typed("resume", MARKET)).stdout
    assert "kangbot start" not in (await typed("pause", MARKET)).stdout
